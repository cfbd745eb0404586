"""The definitions as one text, so that a change of the graph shows in review. After a change that is meant:
`python -m event_assets_tests.definitions_text`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import dagster as dg

from event_assets.definitions import build_defs
from event_assets.pipeline.domains import GROUPS
from event_assets.settings import Settings

GOLDEN = Path(__file__).parent / "data" / "definitions.txt"


def text(home: Path) -> str:
    """Groups with their assets, what each is made of, kinds, checks; jobs, schedules and sensors."""
    definitions = build_defs(Settings(home=home))
    specs = sorted(definitions.resolve_all_asset_specs(), key=lambda spec: spec.key.to_user_string())
    checks = [
        key
        for each in definitions.asset_checks or ()
        for key in (each.check_keys if isinstance(each, dg.AssetsDefinition) else ())
    ]
    sections = [_group(group, specs, checks) for group in (*GROUPS, None)]
    sections += [
        _section("jobs", (job.name for job in definitions.jobs or ())),
        _section("schedules", (_schedule(schedule) for schedule in definitions.schedules or ())),
        _section("sensors", (f"{sensor.name}, {sensor.default_status.value}" for sensor in definitions.sensors or ())),
    ]
    return "\n".join(filter(None, sections))


def _group(group: str | None, specs: Iterable[dg.AssetSpec], checks: Iterable[dg.AssetCheckKey]) -> str:
    lines = [
        line
        for spec in specs
        if (spec.group_name if spec.group_name in GROUPS else None) == group
        for line in _asset(spec, checks)
    ]
    return _section(f"group {group}" if group else "other groups", lines, ordered=False)


def _asset(spec: dg.AssetSpec, checks: Iterable[dg.AssetCheckKey]) -> Iterator[str]:
    partitions = "by day" if spec.partitions_def is not None else "whole"
    yield f"{spec.key.to_user_string()} ({', '.join(sorted(spec.kinds))}; {partitions}; {', '.join(spec.owners)})"
    upstream = sorted(dep.asset_key.to_user_string() for dep in spec.deps)
    if upstream:
        yield f"  made of {', '.join(upstream)}"
    for key in sorted(checks):
        if key.asset_key == spec.key:
            yield f"  check {key.name}"


def _schedule(schedule: object) -> str:
    assert isinstance(schedule, dg.ScheduleDefinition)
    return f"{schedule.name}, {schedule.cron_schedule}, {schedule.default_status.value}"


def _section(title: str, lines: Iterable[str], *, ordered: bool = True) -> str:
    listed = sorted(lines) if ordered else list(lines)
    return f"{title}\n" + "".join(f"  {line}\n" for line in listed) if listed else ""


if __name__ == "__main__":
    GOLDEN.write_text(text(Path("home")))
