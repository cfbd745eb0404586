"""How the command line shows things. Results go to standard output, progress to standard error.

Nothing is read or computed here.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES

if TYPE_CHECKING:
    from event_assets.collector.keys import Source
    from event_assets.embedded.record import StackRecord
    from event_assets.importing import ImportProgress, ImportResult, Preview
    from event_assets.simulator.run import SimulationProgress, SimulationResult
    from event_assets.stack.demo import DemoResult, Moment
    from event_assets.stack.modelling import Modelled
    from event_assets.stack.overview import LedgerTotals, Overview
    from event_assets.verification import Expectation

PLAIN_SECONDS = 5.0
"""Seconds between two lines of progress where standard error is no terminal."""
WIDE = 200
"""Columns of what goes into a file or a pipe."""
_MOST_DATES_SHOWN = 5
_MOST_BYTES_SHOWN = 500


def results() -> Console:
    """Where results go: standard output."""
    out = Console(highlight=False, soft_wrap=True)
    if not out.is_terminal:
        out.width = WIDE
    return out


def show_addresses(console: Console, record: StackRecord) -> None:
    """Where a running stack is reached."""
    grid = Table.grid(padding=(0, 2))
    for title, address in _addresses(record):
        grid.add_row(f"  {title}", address)
    console.print(grid)


def _addresses(record: StackRecord) -> list[tuple[str, str]]:
    return [
        *([("Dashboards", record.dashboard_url)] if record.dashboard_url else []),
        ("Dagster UI, asset lineage", record.lineage_url),
        ("Ingest API, documentation", record.docs_url),
        ("Warehouse", without_password(record.warehouse_url)),
        ("Logs", str(Path(record.home) / "logs")),
    ]


def without_password(url: str | None) -> str:
    """A database URL as it may be shown; the password stays where the command line finds it."""
    if url is None:
        return "not known"
    scheme, _, rest = url.partition("://")
    user, at, place = rest.rpartition("@")
    return f"{scheme}://{user.partition(':')[0]}{at}{place}"


@contextlib.contextmanager
def demo_progress(console: Console) -> Iterator[Callable[[Moment], None]]:
    """Shows how far the demo is."""
    if not console.is_terminal:
        yield _lines(console, _demo_line)
        return
    with _bars(console, "{task.description}") as bars:
        sending = bars.add_task("Sending", total=1.0, note="")
        loading = bars.add_task("Loading", total=1.0, note="", visible=False)

        def watch(moment: Moment) -> None:
            sent = moment.progress
            bars.update(sending, completed=sent.share, note=f"{sent.acknowledged:,} acknowledged")
            if moment.overview is not None:
                share = 1 - moment.missing / max(1, sent.acknowledged)
                bars.update(loading, completed=share, visible=True, note=_loading_note(moment))

        yield watch


def _bars(console: Console, title: str) -> Progress:
    """Bars with a note, on a terminal, gone when the work is done."""
    note, elapsed = TextColumn("{task.fields[note]}"), TimeElapsedColumn()
    return Progress(TextColumn(f"  {title}"), BarColumn(24), note, elapsed, console=console, transient=True)


def _demo_line(moment: Moment) -> str:
    if moment.overview is None:
        return f"{moment.progress.acknowledged:,} events acknowledged"
    return _loading_note(moment)


def _loading_note(moment: Moment) -> str:
    sent = moment.progress.acknowledged
    note = f"{max(0, sent - moment.missing):,} of {sent:,} are in the warehouse"
    return f"{note}; waiting: {moment.waiting_for}" if moment.waiting_for else note


@contextlib.contextmanager
def import_progress(console: Console, place: str) -> Iterator[Callable[[ImportProgress], None]]:
    """Shows how far an import is."""
    if not console.is_terminal:
        yield _lines(console, lambda progress: f"{progress.lines:,} lines ({progress.share:.0%})")
        return
    with _bars(console, place.rpartition("/")[2] or place) as bars:
        task = bars.add_task("import", total=1.0, note="")
        yield lambda progress: bars.update(task, completed=progress.share, note=f"{progress.lines:,} lines")


def _lines(console: Console, line: Callable[[Any], str]) -> Callable[[Any], None]:
    """Progress for a log file: a line every few seconds."""
    next_at = 0.0

    def watch(state: Any) -> None:
        nonlocal next_at
        if time.monotonic() >= next_at:
            next_at = time.monotonic() + PLAIN_SECONDS
            console.print(f"  {line(state)}")

    return watch


def show_summary(result: DemoResult, record: StackRecord) -> None:
    """What became of the demo's events."""
    out, sent = results(), result.simulation
    this_run = Table("This run", "Events", title="What became of it", title_justify="left")
    this_run.columns[1].justify = "right"
    for title, count in (("sent", sent.sent), ("acknowledged", sent.acknowledged), *sorted(sent.rejected.items())):
        this_run.add_row(title if title in {"sent", "acknowledged"} else f"  rejected: {title}", f"{count:,}")
    this_run.add_row("seconds from acknowledgement", "")
    this_run.add_row("  to warehouse row, p50 / p95", f"{result.p50:.1f} / {result.p95:.1f}")
    out.print(this_run)
    _show_state(out, result.overview)
    show_addresses(out, record)


@contextlib.contextmanager
def simulation_progress(console: Console) -> Iterator[Callable[[SimulationProgress], None]]:
    """Shows how far a simulation is."""
    if not console.is_terminal:
        yield _lines(console, lambda progress: f"{progress.acknowledged:,} events acknowledged")
        return
    with _bars(console, "Sending") as bars:
        task = bars.add_task("send", total=1.0, note="")
        yield lambda progress: bars.update(
            task, completed=progress.share, note=f"{progress.acknowledged:,} acknowledged"
        )


def show_simulation(result: SimulationResult) -> None:
    """What a simulation sent, and what must become of it."""
    out, table = results(), Table("Sent", "Events")
    table.columns[1].justify = "right"
    rows = {"sent": result.sent, "acknowledged": result.acknowledged, **_reasons("rejected", result.rejected)}
    rows |= {"to be counted": result.clean, "copies that must not count": result.duplicates}
    rows |= _reasons("to be quarantined", result.quarantined)
    for title, count in rows.items():
        table.add_row(title, f"{count:,}")
    out.print(table)
    out.print(
        f"{result.seconds:.1f} s, {result.stray_records} records put on the stream by hand, {result.anomalies} "
        f"anomalies planted. The truth: {result.truth}. Check it: event-assets verify"
    )


def _reasons(title: str, counts: Mapping[str, int]) -> dict[str, int]:
    return {f"  {title}: {reason}": count for reason, count in sorted(counts.items())}


def show_overview(overview: Overview, record: StackRecord | None) -> None:
    """Where events are and what is behind."""
    out = results()
    _show_state(out, overview)
    if overview.unread_shards:
        out.print(f"The stream holds unread records: {', '.join(overview.unread_shards)}")
    for table, dates in overview.pending.items():
        more = f" and {len(dates) - _MOST_DATES_SHOWN} more" if len(dates) > _MOST_DATES_SHOWN else ""
        out.print(f"Behind: {table}, {', '.join(dates[:_MOST_DATES_SHOWN])}{more}")
    if overview.settled:
        out.print("Nothing is behind.")
    if record is None:
        out.print("No stack runs here. Start one: event-assets up")
    else:
        show_addresses(out, record)


def _show_state(out: Console, overview: Overview) -> None:
    _show_ledger(out, overview.ledger)
    tables = Table("Lake", "Rows", "Warehouse", "Rows")
    tables.columns[1].justify = tables.columns[3].justify = "right"
    loaded = {table.lake.name: table.name for table in WAREHOUSE_TABLES}
    for name, rows in overview.lake.items():
        there = loaded.get(name, "")
        tables.add_row(
            name, f"{rows:,}", there, f"{overview.warehouse.get(there, 0):,}" if there and overview.warehouse else ""
        )
    out.print(tables)
    if overview.awaits_pause:
        out.print("Analyses, segments and models follow in a pause: event-assets status")


def _show_ledger(out: Console, ledger: LedgerTotals) -> None:
    table = Table("All events so far", "Events")
    table.columns[1].justify = "right"
    table.add_row("landed", f"{ledger.landed:,}")
    table.add_row("clean", f"{ledger.clean:,}")
    table.add_row("quarantined", f"{sum(ledger.quarantined.values()):,}")
    for reason, count in ledger.quarantined.items():
        table.add_row(f"  {reason}", f"{count:,}")
    table.add_row("duplicates", f"{ledger.duplicates:,}")
    table.add_row("enriched", f"{ledger.enriched:,}")
    if ledger.pending:
        table.add_row("not enriched yet", f"{ledger.pending:,}")
    table.add_row("the ledger balances", "yes" if ledger.balanced else "NO")
    out.print(table)


_REFUSED = (
    "Not one of {lines:,} lines is an event of the contract: it is another kind of file, or needs a mapping "
    "(--mapping), or another one."
)


def show_preview(preview: Preview) -> None:
    """The first events as they would be, and the first lines that would be quarantined."""
    out = results()
    for line in preview.first:
        out.print(msgspec.json.format(line, indent=2).decode(), markup=False)
    for reason, line in preview.quarantined:
        said = line[:_MOST_BYTES_SHOWN].decode("utf-8", "replace")
        out.print(f"To quarantine, {reason}\n  {said}", markup=False)


def show_import(result: ImportResult) -> None:
    """What an import did."""
    aside = ", ".join(f"{count:,} {reason}" for reason, count in sorted(result.aside.items()))
    out = results()
    out.print(
        f"{result.lines:,} lines{f' of {result.files:,} files' if result.files > 1 else ''} in {result.seconds:.1f} s "
        f"({result.events_per_second:,.0f} a second): "
        f"{result.accepted:,} accepted, {sum(result.aside.values()):,} to quarantine{f' ({aside})' if aside else ''}, "
        f"{result.dropped:,} dropped for refused consent."
    )
    for said in result.unread:
        out.print(f"Not read: {said}", markup=False)
    if result.resumed_after:
        out.print(f"It went on after line {result.resumed_after:,} of an earlier run.")
    total = f" of {result.lines + result.resumed_after:,} lines" if result.is_line_by_line else " events"
    for found in result.paths:
        out.print(f"  {found.path} (for {found.of}): in {found.lines:,}{total}", markup=False)
    if result.never_found:
        out.print(
            f"In no line: {', '.join(result.never_found)}. Mend the mapping and import again, or write optional: true "
            "where a path need not be there.",
            markup=False,
        )
    if result.is_refused:
        out.print(_REFUSED.format(lines=result.lines))


@contextlib.contextmanager
def parts_in_turn(console: Console) -> Iterator[Callable[[str], None]]:
    """Shows which part is being made."""
    if not console.is_terminal:
        yield _lines(console, str)
        return
    with console.status("") as status:
        yield lambda part: status.update(part)


def show_modelled(modelled: Modelled) -> None:
    """The tables of a model, their rows, and the ledger."""
    out, ledger = results(), modelled.reconciliation
    tables = Table("Table", "Rows", title=str(modelled.out), title_justify="left")
    tables.columns[1].justify = "right"
    for name, rows in modelled.rows.items():
        tables.add_row(name, f"{rows:,}")
    out.print(tables)
    out.print(f"landed {ledger.landed:,} = clean {ledger.clean:,} + quarantined {ledger.quarantined:,}")
    for reason, count in ledger.reasons.items():
        out.print(f"  quarantined, {reason}: {count:,}")
    out.print(
        f"clean {ledger.clean:,} = enriched {ledger.enriched:,} + duplicates {ledger.duplicates:,} "
        f"({ledger.conflicts:,} say something else)"
    )
    out.print("The ledger balances." if ledger.balance else f"The ledger does NOT balance, for {ledger.lines:,} lines.")
    if ledger.is_refused:
        out.print(_REFUSED.format(lines=ledger.lines))


def show_report(report: Sequence[Expectation]) -> None:
    """The pass/fail table of a verification."""
    table = Table("Component", "What", "Expected", "Found", "")
    for line in report:
        verdict = "late" if line.late else "pass" if line.ok else "FAIL"
        table.add_row(line.component, line.what, str(line.expected), str(line.actual), verdict)
    results().print(table)


def source_row(source: Source) -> dict[str, Any]:
    """What is shown of a write key."""
    return {
        "id": source.id,
        "name": source.name,
        "platform": source.platform,
        "trusted": source.trusted,
        "trusts": sorted(source.believed),
        "signed": source.signing_secret is not None,
        "origins": list(source.allowed_origins),
        "events_per_second": source.events_per_second,
        "reads": list(source.reads),
        "for_privacy": source.for_privacy,
        "created_at": source.created_at.isoformat(timespec="seconds"),
        "revoked_at": source.revoked_at.isoformat(timespec="seconds") if source.revoked_at else None,
    }


def show_rows(rows: Sequence[Mapping[str, Any]], empty: str) -> None:
    """Rows with the same fields, as a table."""
    out = results()
    if not rows:
        out.print(empty)
        return
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*("" if value is None else plain_text(value) for value in row.values()))
    out.print(table)


def plain_text(value: Any) -> str:
    """A value as a cell of a table, what means something to the console taken as it is."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return escape(", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value))
