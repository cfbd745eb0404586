"""A job that sends simulated traffic through the ingest API, for a look at the platform at work."""

import dagster as dg
from pydantic import Field

from event_assets.settings import Settings
from event_assets.simulator.anomalies import AnomalyError
from event_assets.simulator.local import local_endpoint, simulate_locally
from event_assets.simulator.run import SimulationProgress, SimulationResult, run_simulation
from event_assets.simulator.send import SendError
from event_assets.simulator.traffic import Traffic, TrafficError

_SHOWN = 10
"""Lines of progress in a run's log."""


class TrafficConfig(dg.Config):
    """What is sent, and where to."""

    seed: int = Field(7, description="Seed of the made-up people.")
    events: int = Field(20_000, description="Events to send, about.")
    seconds: float = Field(30.0, description="Seconds to send them in.")
    hours: float = Field(1.0, description="Hours of life that they are, up to now.")
    rates: dict[str, float] = Field({}, description="Rates of faults that are not the usual ones: {duplicate: 0.1}.")
    anomalies: list[str] = Field([], description="Anomalies to plant: KIND[,FROM,TO[,STRENGTH]], such as bot_wave.")
    endpoint: str | None = Field(None, description="The ingest API. Default: the running stack's.")
    write_key: str | None = Field(None, description="Its write key. Default: one for as long as the run lasts.")


def simulation_job(settings: Settings) -> dg.JobDefinition:
    """The job `simulate_traffic`, for these settings. The truth is written under their home folder."""

    @dg.op(description="Sends the traffic and writes down the truth about it.", out=dg.Out(dict))
    def send_traffic(context: dg.OpExecutionContext, config: TrafficConfig) -> dg.Output[dict]:  # type: ignore[type-arg]
        asked = {name: getattr(config, name) for name in ("seed", "events", "seconds", "hours", "rates", "anomalies")}
        try:
            result = _send(settings, config, Traffic.of(asked), _Log(context))
        except (AnomalyError, SendError, TrafficError) as fault:
            raise dg.Failure(str(fault), allow_retries=False) from fault
        sums = {"rejected": sum(result.rejected.values()), "quarantined": sum(result.quarantined.values())}
        return dg.Output(result.as_dict(), metadata={**result.as_dict(), **sums})

    @dg.job(
        description="Sends simulated traffic through the ingest API, with faults and, if asked for, anomalies in it.",
        executor_def=dg.in_process_executor,
    )
    def simulate_traffic() -> None:
        send_traffic()

    return simulate_traffic


def _send(settings: Settings, config: TrafficConfig, traffic: Traffic, log: "_Log") -> SimulationResult:
    endpoint = config.endpoint or local_endpoint(settings)
    if config.write_key is None:
        return simulate_locally(settings, endpoint, traffic, log)
    return run_simulation(settings, endpoint, config.write_key, None, progress=log, **traffic.arguments())


class _Log:
    """SimulationProgress as some lines of the run's log."""

    def __init__(self, context: dg.OpExecutionContext) -> None:
        self._context = context
        self._next = 0.0

    def __call__(self, progress: SimulationProgress) -> None:
        if progress.share >= self._next:
            self._next = progress.share + 1 / _SHOWN
            self._context.log.info(
                f"{progress.share:.0%}: {progress.sent} sent, {progress.acknowledged} acknowledged, "
                f"{progress.rejected} rejected"
            )
