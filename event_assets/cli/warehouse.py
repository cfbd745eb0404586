"""The warehouse: the roles of its database, as their file says them, and whether it takes what loads send."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from event_assets.cli.console import (
    EXIT_FAULT,
    AsJson,
    app,
    console,
    current_settings,
    faults_as_sentences,
    warehouse_url_of,
)

if TYPE_CHECKING:
    from event_assets.rules.roles import Roles
    from event_assets.warehouse.warehouse import Warehouse

warehouse_app = typer.Typer(
    help="The warehouse: who may read what of it, whether it takes loads.", no_args_is_help=True
)
roles_app = typer.Typer(help="Roles of its database, as the file of the roles says them.", no_args_is_help=True)
app.add_typer(warehouse_app, name="warehouse")
warehouse_app.add_typer(roles_app, name="roles")


@warehouse_app.command("verify")
def verify(as_json: AsJson = False) -> None:
    """Put a warehouse to the proof: every table is made, loaded from the lake twice and compared with it, in a schema
    of its own that is dropped then. Prints a report without addresses, roles and rows. Exit status 1 where something
    failed.

    Of tables with days the newest is loaded, of others all rows: with a large lake that takes its time.
    """
    with faults_as_sentences():
        from event_assets.doctor.warehouse_proof import prove_warehouse

        settings, proofs = current_settings(), []
        with warehouse_url_of(settings) as url:
            if url is None:
                raise FileNotFoundError(
                    "There is no warehouse yet: set EVENT_ASSETS_WAREHOUSE_URL, or start the stack."
                )
            for proof in prove_warehouse(settings, url):
                proofs.append(proof)
                if not as_json:
                    state = "failed" if proof.fault else "ok"
                    typer.echo(f"{state:<6} {proof.seconds:8.3f} s  {proof.what}: {proof.fault or proof.found}")
        if as_json:
            typer.echo(json.dumps([proof._asdict() for proof in proofs]))
        if any(proof.fault for proof in proofs):
            raise typer.Exit(EXIT_FAULT)


@warehouse_app.command("external-tables")
def external_tables(
    schema: Annotated[str, typer.Option(help="Schema of the external tables in Redshift.")] = "lake",
    catalog: Annotated[str, typer.Option(help="Database of the Glue Data Catalog.")] = "event_assets",
) -> None:
    """Print the statements by which Redshift Spectrum reads single events in the lake, for an administrator to run."""
    with faults_as_sentences():
        from event_assets.settings import SettingsError
        from event_assets.warehouse.external import external_statements
        from event_assets.warehouse.redshift import RedshiftDialect
        from event_assets.warehouse.warehouse import Warehouse

        settings = current_settings()
        dialect = Warehouse.from_settings(settings, "").dialect
        if not isinstance(dialect, RedshiftDialect) or not settings.lake.startswith("s3://"):
            raise SettingsError(
                "External tables are Redshift's, over a lake in a bucket: set EVENT_ASSETS_PROFILE=aws and "
                "EVENT_ASSETS_LAKE_URL."
            )
        made = external_statements(dialect, settings.lake, schema, catalog, settings.warehouse_iam_role)
        for statement in made:
            typer.echo(f"{statement.as_string()};")


@roles_app.command("plan")
def plan() -> None:
    """Print the statements that would make the database's roles what the file says. Nothing is changed."""
    from event_assets.warehouse.role_changes import plan as planned

    _show(_changed(planned))


@roles_app.command("apply")
def apply(
    quiet: Annotated[bool, typer.Option("--quiet", help="Print how many statements it took, and not them.")] = False,
) -> None:
    """Make roles, views and grants what the file says, and take away what it no longer says, in one transaction."""
    from event_assets.warehouse.role_changes import apply as applied

    statements = _changed(_logged(applied))
    if quiet:
        typer.echo(f"{len(statements)} statements")
    else:
        _show(statements)


@roles_app.command("sql")
def statements(
    key: Annotated[
        str | None,
        typer.Option(envvar="ROLES_KEY", help="Key of the pseudonyms, at least 32 characters. Default: a random one."),
    ] = None,
) -> None:
    """Print all statements that make the roles from nothing, for an administrator of Redshift or PostgreSQL to run."""
    with faults_as_sentences():
        import secrets

        from event_assets.rules.roles import roles_of
        from event_assets.warehouse.role_changes import from_nothing
        from event_assets.warehouse.warehouse import Warehouse

        settings = current_settings()
        dialect = Warehouse.from_settings(settings, "").dialect
        made = from_nothing(dialect, settings.warehouse_schema, roles_of(settings.roles), key or secrets.token_hex(32))
        for statement in made:
            typer.echo(f"{statement.as_string()};")


def _changed(change: Callable[[Warehouse, Roles], list[str]]) -> list[str]:
    with faults_as_sentences():
        import psycopg

        from event_assets.rules.roles import roles_of
        from event_assets.warehouse.role_grants import RolesError
        from event_assets.warehouse.warehouse import Warehouse

        settings = current_settings()
        roles = roles_of(settings.roles)
        if private := list(roles.private_columns()):
            console().print(f"Shared with nobody: {', '.join(private)}", markup=False)
        with warehouse_url_of(settings) as url:
            if url is None:
                raise RolesError("There is no warehouse yet: start the stack, or set EVENT_ASSETS_WAREHOUSE_URL.")
            warehouse = Warehouse.from_settings(settings, url)
            try:
                if warehouse.dialect.name == "postgres":
                    warehouse.ensure()
                return change(warehouse, roles)
            except psycopg.Error as fault:
                raise RolesError(f"The warehouse refuses it: {str(fault).strip()}") from None


def _logged(change: Callable[[Warehouse, Roles], list[str]]) -> Callable[[Warehouse, Roles], list[str]]:
    """The change, once the audit log has what the roles are to be."""

    def logged(warehouse: Warehouse, roles: Roles) -> list[str]:
        from event_assets.audit import audit_log

        told = roles.model_dump(mode="json", exclude_defaults=True)
        audit_log(current_settings()).append("roles_applied", warehouse.schema, **told)
        return change(warehouse, roles)

    return logged


def _show(statements: list[str]) -> None:
    for statement in statements:
        typer.echo(f"{statement};")
    if not statements:
        typer.echo("The roles are what the file says.")
