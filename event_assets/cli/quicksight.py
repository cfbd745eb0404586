"""Amazon QuickSight: the dashboards in an account of AWS, planned, applied, destroyed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from event_assets.cli.console import EXIT_FAULT, AsJson, app, console, current_settings, faults_as_sentences

if TYPE_CHECKING:
    from event_assets.quicksight.changes import Change
    from event_assets.quicksight.resources import Wanted
    from event_assets.quicksight.service import Service
    from event_assets.quicksight.target import Target

quicksight_app = typer.Typer(help="Amazon QuickSight: the same dashboards in AWS.", no_args_is_help=True)
app.add_typer(quicksight_app, name="quicksight")

Account = Annotated[str, typer.Option(envvar="QUICKSIGHT_ACCOUNT", help="The AWS account, twelve digits.")]
Region = Annotated[
    str | None, typer.Option(envvar="QUICKSIGHT_REGION", help="Its region. Default: the setting AWS_REGION.")
]
Prefix = Annotated[
    str, typer.Option(envvar="QUICKSIGHT_PREFIX", help="What ids begin with, before the dashboard's name.")
]
Namespace = Annotated[str, typer.Option(envvar="QUICKSIGHT_NAMESPACE", help="Namespace of the groups.")]
Mode = Annotated[
    Literal["spice", "direct"],
    typer.Option(envvar="QUICKSIGHT_MODE", help="Whether data sets are copied to SPICE daily, or ask the warehouse."),
]
Secret = Annotated[
    str | None,
    typer.Option(envvar="QUICKSIGHT_SECRET_ARN", help="Secret with user and password of a role that only reads."),
]
Vpc = Annotated[
    str | None, typer.Option(envvar="QUICKSIGHT_VPC_CONNECTION_ARN", help="VPC connection to the warehouse.")
]
Schema = Annotated[
    str | None, typer.Option(envvar="QUICKSIGHT_SCHEMA", help="Schema of the tables. Default: as the settings say.")
]
RefreshAt = Annotated[str, typer.Option(envvar="QUICKSIGHT_REFRESH_AT", help="When SPICE is filled, HH:MM in UTC.")]
RefreshBy = Annotated[
    Literal["quicksight", "dagster"],
    typer.Option(envvar="QUICKSIGHT_REFRESH_BY", help="Whose schedule fills it."),
]


@quicksight_app.callback()
def options(
    context: typer.Context,
    account: Account,
    region: Region = None,
    prefix: Prefix = "event-assets",
    namespace: Namespace = "default",
    mode: Mode = "spice",
    secret_arn: Secret = None,
    vpc_connection_arn: Vpc = None,
    schema: Schema = None,
    refresh_at: RefreshAt = "03:00",
    refresh_by: RefreshBy = "quicksight",
) -> None:
    """Amazon QuickSight: the same dashboards in AWS, planned, applied, destroyed."""
    from event_assets.quicksight.installation import Installation

    context.obj = Installation(
        account=account,
        region=region,
        prefix=prefix,
        namespace=namespace,
        mode=mode,
        secret_arn=secret_arn,
        vpc_connection_arn=vpc_connection_arn,
        schema_name=schema,
        refresh_at=refresh_at,
        refresh_by=refresh_by,
    )


@quicksight_app.command("plan")
def plan(
    context: typer.Context,
    requests: Annotated[
        bool, typer.Option("--requests", help="Print the requests as JSON, checked, without asking AWS anything.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what would be made, changed and deleted, what has drifted, and what QuickSight cannot say."""
    with faults_as_sentences():
        target, wanted = _wanted(context)
        if not requests:
            _show(_planned(target, wanted)[1], wanted, as_json)
            return
        from event_assets.quicksight.requests import create_request

        made = [
            {"operation": f"Create{each.key.kind.name}", "request": create_request(each, target)}
            for each in wanted.resources
        ]
        typer.echo(json.dumps(made, indent=1, ensure_ascii=False))


@quicksight_app.command("apply")
def apply(
    context: typer.Context,
    restore: Annotated[bool, typer.Option("--restore", help="Put back what somebody changed, too.")] = False,
) -> None:
    """Make it so: create, update, wait, publish, delete what is ours and not wanted any more."""
    with faults_as_sentences():
        from event_assets.quicksight.changes import apply as apply_changes

        target, wanted = _wanted(context)
        service, changes = _planned(target, wanted)
        _show_remarks(changes, wanted)
        done = apply_changes(service, changes, typer.echo, restore=restore)
        typer.echo(f"{done} changed, {len(changes) - done} as they were")


@quicksight_app.command("destroy")
def destroy(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete all that carries our tag, and nothing else."""
    with faults_as_sentences():
        from event_assets.quicksight.changes import destroy as destroy_all
        from event_assets.quicksight.service import Service

        target = context.obj.target(current_settings())
        if not yes and not typer.confirm(f"Delete all of {target.owner} in QuickSight of {target.account}?"):
            raise typer.Exit(EXIT_FAULT)
        typer.echo(f"{destroy_all(Service.of(target), typer.echo)} deleted")


def _wanted(context: typer.Context) -> tuple[Target, Wanted]:
    """What is to be there, checked against AWS's model."""
    from event_assets.quicksight.validation import check

    settings = current_settings()
    target, found = context.obj.target(settings), context.obj.wanted(settings)
    check(found.resources, target)
    return target, found


def _planned(target: Target, wanted: Wanted) -> tuple[Service, list[Change]]:
    from event_assets.quicksight.changes import plan as planned
    from event_assets.quicksight.service import Service

    service = Service.of(target)
    return service, planned(service, wanted.resources)


def _show(changes: list[Change], wanted: Wanted, as_json: bool) -> None:
    if as_json:
        rows = [
            {"action": each.action, "kind": each.key.kind.title, "id": each.key.id, "drift": list(each.drift)}
            for each in changes
        ]
        typer.echo(json.dumps({"changes": rows, "cannot_say": list(wanted.lost)}, ensure_ascii=False))
        return
    for change in changes:
        typer.echo(f"{change.action:8} {change.key.kind.title:17} {change.key.id}")
    _show_remarks(changes, wanted)


def _show_remarks(changes: list[Change], wanted: Wanted) -> None:
    for title, lines in (
        ("Changed since it was applied (apply --restore puts it back):", [
            f"{change.key}: {place}" for change in changes for place in change.drift
        ]),
        ("QuickSight cannot say:", list(wanted.lost)),
    ):  # fmt: skip
        if lines:
            console().print(title)
        for line in lines:
            console().print(f"  {line}", markup=False)
