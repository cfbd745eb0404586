"""Commands that look: where events are, whether they agree with the truth, how much the stack bears."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    from event_assets.embedded.record import StackRecord
    from event_assets.settings import Settings


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show where events are, whether the ledger balances, and what is behind."""
    with faults_as_sentences():
        from event_assets.stack import display
        from event_assets.stack.overview import read_overview

        settings = current_settings()
        record = _record(settings)
        with warehouse_url_of(settings) as url:
            overview = read_overview(settings, url)
        if as_json:
            typer.echo(json.dumps({"stack": _plain(record), **overview.as_dict()}))
        else:
            display.show_overview(overview, record)


@app.command()
def verify(
    truth: Annotated[Path | None, typer.Option(help="The simulator's truth. Default: the one of this home.")] = None,
    as_json: AsJson = False,
) -> None:
    """Hold every stage against the truth that the simulator wrote; exit status 1 where they differ."""
    with faults_as_sentences():
        from event_assets.stack import display
        from event_assets.verification import verify as verify_stages

        settings = current_settings()
        with warehouse_url_of(settings) as url:
            report = verify_stages(settings, url, truth)
        if as_json:
            typer.echo(json.dumps([line._asdict() for line in report]))
        else:
            display.show_report(report)
        if not all(line.ok for line in report):
            raise typer.Exit(EXIT_FAULT)


@app.command()
def doctor(
    heal: Annotated[bool, typer.Option("--heal", help="Do what can be done about it; the stack must not run.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read every file of the home; say which are damaged and how to heal each. Exit status 1 where one is."""
    with faults_as_sentences():
        from event_assets.doctor import examine, heal_all
        from event_assets.embedded.service import StackError

        settings = current_settings()
        record = _record(settings)
        if heal and record is not None:
            raise StackError(f"A stack runs under {settings.home}, process {record.pid}: stop it before healing.")
        examined = []
        with contextlib.ExitStack() as until_end:
            for part in examine(settings, lambda: until_end.enter_context(warehouse_url_of(settings))):
                examined.append(part)
                for line in () if as_json else part.lines():
                    typer.echo(line)
        healed = heal_all(examined) if heal else []
        if as_json:
            typer.echo(json.dumps({"parts": [part.as_dict() for part in examined], "healed": healed}))
        else:
            for line in healed:
                typer.echo(line)
        if any(part.findings for part in examined):
            raise typer.Exit(EXIT_FAULT)


@app.command()
def stress(
    processes: Annotated[str, typer.Option(help="Collector processes to try one after the other.")] = "1,2,4",
    max_seconds: Annotated[float, typer.Option(min=10, help="Seconds that it takes at the most, about.")] = 300.0,
    step_seconds: Annotated[float, typer.Option(min=0.5, help="Seconds at each rate.")] = 5.0,
    start: Annotated[float, typer.Option(min=50, help="Events a second of the first step.")] = 10_000.0,
    whole_start: Annotated[float, typer.Option(min=50, help="The same, where the pipeline follows.")] = 2_000.0,
    factor: Annotated[float, typer.Option(min=1.05, help="Each step is so many times the one before.")] = 1.6,
    senders: Annotated[int, typer.Option(min=1, help="Processes that send.")] = 1,
    p99_ms: Annotated[float, typer.Option(min=1, help="Gives way: 1 % of the requests take longer.")] = 500.0,
    refused_share: Annotated[float, typer.Option(min=0, max=1, help="Gives way: more are refused.")] = 0.01,
    lag_seconds: Annotated[float, typer.Option(min=1, help="Gives way: events need longer to the warehouse.")] = 60.0,
    whole: Annotated[bool, typer.Option(help="All the way to the warehouse, or the API alone.")] = True,
    picture: Annotated[Path, typer.Option(help="Where the picture goes: .png, .svg, .pdf.")] = Path("stress.png"),
    as_json: AsJson = False,
) -> None:
    """Send more and more until something gives way, and show what each component took and which is the bottleneck."""
    with faults_as_sentences():
        from event_assets.stress.picture import draw
        from event_assets.stress.ramp import RampLimits
        from event_assets.stress.run import Plan, run_stress
        from event_assets.stress.table import show_stress

        plan = Plan(
            processes=_counts(processes),
            max_seconds=max_seconds,
            start=start,
            whole_start=whole_start,
            factor=factor,
            step_seconds=step_seconds,
            senders=senders,
            whole=whole,
            limits=RampLimits(p99_ms / 1000, refused_share, lag_seconds=lag_seconds),
        )
        report = run_stress(current_settings().home, plan, console().print)
        draw(report, picture)
        if as_json:
            typer.echo(json.dumps(report.as_dict() | {"picture": str(picture)}))
        else:
            show_stress(report, picture)
        if not report.balanced:
            raise typer.Exit(EXIT_FAULT)


def _counts(text: str) -> tuple[int, ...]:
    counts = tuple(int(part) for part in text.split(",") if part.strip().isdecimal())
    if not counts or 0 in counts or len(counts) != text.count(",") + 1:
        raise typer.BadParameter(f"{text!r}: write numbers of processes with commas between, such as 1,2,4")
    return counts


@app.command()
def settings(
    markdown: Annotated[bool, typer.Option("--markdown", help="The table of the README: defaults, no values.")] = False,
) -> None:
    """Show every setting, its value here and its meaning. Secrets are not shown."""
    with faults_as_sentences():
        from event_assets.settings import settings_table
        from event_assets.stack.settings_display import markdown_settings, show_settings

        if markdown:
            typer.echo(markdown_settings(settings_table()))
        else:
            show_settings(current_settings())


def _record(settings: Settings) -> StackRecord | None:
    from event_assets.embedded.record import read_record

    return read_record(settings.home)


def _plain(record: StackRecord | None) -> dict[str, Any] | None:
    if record is None:
        return None
    return {key: value for key, value in asdict(record).items() if key != "warehouse_url"}
