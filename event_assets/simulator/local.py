"""A simulation against the platform of this machine: its address, a write key for as long as it lasts, strays too."""

from __future__ import annotations

from collections.abc import Callable

from event_assets.embedded.record import read_record
from event_assets.settings import Settings
from event_assets.simulator.run import SimulationProgress, SimulationResult, run_simulation
from event_assets.simulator.send import SendError
from event_assets.simulator.traffic import Traffic
from event_assets.streams import open_stream


def local_endpoint(settings: Settings) -> str:
    """Where the running stack's ingest API is. Raises `SendError` where no stack runs."""
    record = read_record(settings.home)
    if record is None:
        raise SendError(
            f"No stack runs under {settings.home.absolute()}. Start one (event-assets up), or name an endpoint and a "
            "write key."
        )
    return record.collector_url


def simulate_locally(
    settings: Settings, endpoint: str, traffic: Traffic, progress: Callable[[SimulationProgress], None] | None = None
) -> SimulationResult:
    """Sends the traffic to an ingest API that has these settings. Raises what `run_simulation` raises."""
    from event_assets.collector.keys import WriteKeys  # whoever only defines a simulation needs no collector

    keys = WriteKeys.of(settings)
    key = keys.create("simulator", "web")
    stream = open_stream(settings)
    try:
        return run_simulation(settings, endpoint, key, stream, progress=progress, **traffic.arguments())
    finally:
        stream.close()
        keys.revoke(key)
