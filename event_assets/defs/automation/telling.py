"""What the sensors tell to this process's meter: that they look, what they see, and runs that failed."""

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from event_assets.telemetry import metrics as names
from event_assets.telemetry.process import meter


@contextmanager
def telling_tick() -> Iterator[None]:
    """Tells of a look of the sensor on the stream, one that raises too."""
    told, began = meter(), time.perf_counter()
    try:
        yield
    except Exception:
        told.count(names.SENSOR_FAULTS)
        raise
    finally:
        told.count(names.SENSOR_TICKS)
        told.value(names.SENSOR_SECONDS, round(time.perf_counter() - began, 3))
        told.beat()


def tell_seen(unlanded_since: dt.datetime | None, retention: dt.timedelta | None, faults: int) -> None:
    """Tells of what a look saw: since when at the most something is not landed (None: all is, or nothing ever was), and
    what could not be looked at."""
    told = meter()
    seconds = max(0.0, (dt.datetime.now(dt.UTC) - unlanded_since).total_seconds()) if unlanded_since else 0.0
    told.value(names.UNLANDED_SECONDS, round(seconds, 1))
    if retention:
        told.value(names.RETENTION_USED, round(100 * seconds / retention.total_seconds(), 2))
    if faults:
        told.count(names.SENSOR_FAULTS, faults)


def tell_incidents(is_open: int) -> None:
    """Tells how many incidents of metrics are open."""
    told = meter()
    told.value(names.OPEN_INCIDENTS, is_open)
    told.beat()


@dg.run_failure_sensor(
    name="failed_runs",
    description="Counts runs that failed, for the alarm on them.",
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def failed_runs(context: dg.RunFailureSensorContext) -> None:
    """A run that was killed counts as well: the daemon finds it."""
    told = meter()
    told.count(names.RUNS_FAILED)
    told.flush()
