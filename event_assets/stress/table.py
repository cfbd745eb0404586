"""A stress test as the command line shows it. Nothing is computed here."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from event_assets.stack.display import results
from event_assets.stress.ramp import gave_way
from event_assets.stress.report import StressReport, Whole, load_sentence


def show_stress(report: StressReport, picture: Path) -> None:
    """What a stress test found."""
    out = results()
    api = Table("Collectors", "Held", "Most", "p99 at most", "Gave way", title="The API alone, events a second")
    for each in report.scaling:
        best = max(each.steps, key=lambda step: step.rate)
        broken = "; ".join(gave_way(each.steps)) or "nothing did in the time"
        api.add_row(str(each.processes), f"{each.held:,.0f}", f"{each.most:,.0f}", f"{best.p99 * 1000:,.0f} ms", broken)
    out.print(api)
    for each in report.scaling:
        out.print(f"{each.processes}: {load_sentence(each.steps)}")
    if report.whole is not None:
        _show_whole(out, report.whole)
        out.print(load_sentence(report.whole.steps))
    for fault in report.faults:
        out.print(f"The counts do NOT reconcile. {fault}.")
    if report.balanced:
        out.print("The counts reconcile: what was acknowledged is on the stream, and what landed is in the warehouse.")
    out.print(f"{report.seconds:.0f} s. The picture: {picture}")


def _show_whole(out: Console, whole: Whole) -> None:
    title = "All the way to the warehouse"
    table = Table("Component", "Events/s", "Latency", "at the most", "Waiting before it", title=title)
    for each in whole.components:
        waiting = "" if each.backlog is None else f"{each.backlog:,}"
        most = f"{each.throughput:,.0f}" if each.throughput else ""
        table.add_row(each.name, most, _seconds(each.latency), _seconds(each.latency_most), waiting)
    out.print(table)
    counts, last = whole.reconciliation, whole.steps[-1]
    broken = "; ".join(gave_way(whole.steps)) or "nothing did in the time"
    out.print(f"Gave way: {broken}, at {last.offered:,.0f} offered events/s.")
    if whole.bottleneck is not None:
        out.print(f"The bottleneck: {whole.bottleneck.name}.")
    end = "" if counts.drained else ", when the time was over"
    if whole.has_only_small_runs:
        out.print(
            f"No run of the pipeline brought more than {whole.largest_run:,} events: what a run costs at any size "
            "hides what the components can take. Give it more time."
        )
    out.print(
        f"{counts.acknowledged:,} acknowledged, {counts.landed or 0:,} landed, {counts.loaded or 0:,} in the warehouse "
        f"after {whole.drain_seconds:.0f} s more{end}; {whole.runs} runs."
    )


def _seconds(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value * 1000:,.1f} ms" if value < 1 else f"{value:,.1f} s"
