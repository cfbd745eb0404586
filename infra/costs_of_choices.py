"""What each choice adds to the bill of a size: with it, less without it, from the same prices and numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from infra.choices import Edge
from infra.costs import METRICS_OF_A_SERVICE, bill, money, table, tasks_bill
from infra.sizes import SIMULATED_SECONDS, SIZES, Size, Tasks

_DAYS = 365 / 12
_LAMBDA_GIB = 1769 / 1024
_RETENTION_SECONDS = 300
"""That a night's work is taken to be."""


def choices_bill(size: Size) -> dict[str, float]:
    """Dollars a month that each choice adds to a size, by the choice. What the size has already adds nothing."""
    return {name: added(size) for name, added in _CHOICES.items()}


def choices_table() -> str:
    """All of them, as the documentation shows it."""
    sizes = list(SIZES.values())
    rows = [
        ["US dollars a month", *(size.name for size in sizes)],
        ["---", *("---:" for _ in sizes)],
        *([name, *(money(added(size)) for size in sizes)] for name, added in _CHOICES.items()),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _differs(edge: Edge, made: Callable[[Size], Size]) -> Callable[[Size], float]:
    def together(size: Size) -> float:
        return sum(line.dollars for line in bill(size, edge))

    return lambda size: together(made(size)) - together(size)


def _pages(_: Size) -> float:
    price = table().price
    return (price["alb_hour"] + table().assumed["pages_lcus"] * price["alb_lcu_hour"]) * table().hours


def _service(tasks: Tasks) -> float:
    return tasks_bill(tasks, 1, table().hours) + METRICS_OF_A_SERVICE * table().price["metric_month"]


def _landing_run(size: Size) -> float:
    return tasks_bill(size.run, 1, table().hours)


def _online(size: Size) -> float:
    price, assumed = table().price, table().assumed
    changed = size.events_per_day / assumed["events_per_person_day"] * assumed["online_changed_share"] * _DAYS
    return changed / 1_000_000 * price["dynamodb_million_writes"]


def _simulator(_: Size) -> float:
    price = table().price
    return table().hours * SIMULATED_SECONDS * _LAMBDA_GIB * price["lambda_gib_second"] + price["secret_month"]


def _retention(_: Size) -> float:
    return _DAYS * _RETENTION_SECONDS * _LAMBDA_GIB * table().price["lambda_gib_second"]


def _continuous(size: Size) -> float:
    return _service(size.code) + table().price["alarm_month"]


_CHOICES: Mapping[str, Callable[[Size], float]] = {
    "`stream=kafka`": _differs("alb", lambda size: size._replace(stream="kafka")),
    "`warehouse=redshift`": _differs("lambda", lambda size: size._replace(warehouse="redshift")),
    "`spark=cluster`": _differs("lambda", lambda size: size._replace(spark="cluster")),
    "`continuous=on`, beside the cluster": _continuous,
    "`landing_runs`: one more, all day": _landing_run,
    "`pages`": _pages,
    "`dashboards`, beside pages": lambda size: _service(size.webserver),
    "`online=on`": _online,
    "`retention=on`": _retention,
    "`simulator=on`": _simulator,
}
