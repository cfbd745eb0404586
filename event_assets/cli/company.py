"""Company data: whether its sources can be read."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Annotated

import typer

from event_assets.cli.console import (
    EXIT_FAULT,
    AsJson,
    app,
    current_settings,
    faults_as_sentences,
    warehouse_url_of,
)

if TYPE_CHECKING:
    from event_assets.quicksight.checking import DataSetCheck
    from event_assets.settings import Settings

_TABLES = ("dim_companies", "dim_person_attributes")
"""Where in the warehouse company data is."""

company_app = typer.Typer(help="Company data: tables of other systems, such as CRM and billing.", no_args_is_help=True)
app.add_typer(company_app, name="company")


@company_app.command("check")
def check(
    names: Annotated[list[str] | None, typer.Argument(help="The sources. Default: all.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Ask each source whether it can be read: it answers, lets us in, has the columns, how many rows, how fresh.

    Where QUICKSIGHT_ACCOUNT is set also whether QuickSight has the data sets that read what company data says, and
    their rows came. Nothing is loaded. Exit status 1 where a file, a source or a data set has a fault.
    """
    with faults_as_sentences():
        from event_assets.company.checking import check_source
        from event_assets.company.connecting import CompanyError
        from event_assets.defs.resources.lake import LakeResource
        from event_assets.rules.company import CompanyData
        from event_assets.stack import display

        settings = current_settings()
        company = CompanyData.load(settings.company)
        known = [source.name for source in company.usable]
        for name in names or ():
            if name not in known:
                raise CompanyError(f"There is no source {name!r}; there are {', '.join(known) or 'none'}.")
        storage = LakeResource.of(settings).open().storage
        chosen = [source for source in company.usable if not names or source.name in names]
        with warehouse_url_of(settings) as url:
            environment = {"EVENT_ASSETS_WAREHOUSE_URL": url or "", **os.environ}
            found = [each for source in chosen for each in check_source(source, storage, environment)]
        seen = _in_quicksight(settings) if found else []
        rows, data_sets = [each.as_dict() for each in found], [each.as_dict() for each in seen]
        if as_json:
            faults = list(company.faults.values())
            typer.echo(json.dumps({"tables": rows, "quicksight": data_sets, "faults": faults}))
        else:
            display.show_rows(rows, empty="There is no source of company data: EVENT_ASSETS_COMPANY_DIR names them.")
            if data_sets:
                display.show_rows(data_sets, empty="")
            for fault in company.faults.values():
                typer.echo(fault, err=True)
        if company.faults or not (all(each.ok for each in found) and all(each.ok for each in seen)):
            raise typer.Exit(EXIT_FAULT)


def _in_quicksight(settings: Settings) -> list[DataSetCheck]:
    """What QuickSight has of company data; nothing where no account is named, or it reads another warehouse."""
    if not os.environ.get("QUICKSIGHT_ACCOUNT") or settings.warehouse != "redshift":
        return []
    from event_assets.quicksight.checking import check_tables
    from event_assets.quicksight.installation import Installation
    from event_assets.quicksight.service import Service

    installation = Installation()
    return check_tables(Service.of(installation.target(settings)), installation.wanted(settings), _TABLES)


@company_app.callback()
def _company() -> None:
    """One command is a group, too: more may follow."""
