"""One tick of a sensor, as Dagster's daemon evaluates it. No tests here."""

from __future__ import annotations

from typing import NamedTuple

import dagster as dg


class Tick(NamedTuple):
    """What a tick asks for, or why it asks for nothing."""

    requests: list[dg.RunRequest]
    skipped: str | None


def tick(definitions: dg.Definitions, instance: dg.DagsterInstance, name: str = "event_stream_sensor") -> Tick:
    """One tick of the sensor of this name with its real resources."""
    sensor = definitions.resolve_sensor_def(name)
    with dg.build_sensor_context(instance, definitions=definitions, resources=definitions.resources) as context:
        data = sensor.evaluate_tick(context)
    return Tick(list(data.run_requests or []), data.skip_message)
