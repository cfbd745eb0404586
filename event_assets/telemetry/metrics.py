"""Every metric, once: its name, its unit, what it says. Names are CloudWatch's, in the namespace `EventAssets`."""

from __future__ import annotations

from typing import Literal, NamedTuple

NAMESPACE = "EventAssets"
INSTALLATION = "Installation"
"""The one dimension: each value of a dimension is a metric that is paid for."""

Unit = Literal["Count", "Seconds", "Percent", "None"]


class Metric(NamedTuple):
    """A metric, by whom it is told, and what it says."""

    name: str
    unit: Unit
    teller: Literal["collector", "sensor", "steps", "loads", "checks"]
    meaning: str


EVENTS_ACCEPTED = Metric("EventsAccepted", "Count", "collector", "Events that the stream took.")
EVENTS_REJECTED = Metric("EventsRejected", "Count", "collector", "Events refused, whatever the reason.")
EVENTS_DROPPED = Metric("EventsDropped", "Count", "collector", "Events dropped for refused consent.")
EVENTS_NOT_TAKEN = Metric(
    "EventsNotTaken", "Count", "collector", "Events that the stream did not take: clients were told to send them again."
)
REQUESTS_REFUSED = Metric("RequestsRefused", "Count", "collector", "Requests refused as a whole.")
REQUEST_SECONDS = Metric("RequestSeconds", "Seconds", "collector", "From a request's first byte to its answer.")
WRITE_SECONDS = Metric("StreamWriteSeconds", "Seconds", "collector", "One durable write to the stream.")
BUFFER_USED = Metric("BufferUsed", "Percent", "collector", "Share of a process's buffer that requests hold.")
STREAM_FAILING = Metric("StreamFailing", "None", "collector", "1 while the stream takes no events.")
KEYS_UNREADABLE = Metric("KeysUnreadable", "None", "collector", "1 while the write keys cannot be read.")

SENSOR_TICKS = Metric("SensorTicks", "Count", "sensor", "Looks at the stream and the lake.")
SENSOR_SECONDS = Metric("SensorSeconds", "Seconds", "sensor", "One look.")
SENSOR_FAULTS = Metric("SensorFaults", "Count", "sensor", "What a look could not look at: a table, the stream.")
UNLANDED_SECONDS = Metric(
    "UnlandedSeconds", "Seconds", "sensor", "Age that the oldest record which is not in the lake has at the most."
)
RETENTION_USED = Metric(
    "RetentionUsed", "Percent", "sensor", "The same as a share of the stream's retention: at 100 events are lost."
)
OPEN_INCIDENTS = Metric("OpenIncidents", "None", "sensor", "Incidents of metrics that are open and not muted.")
RUNS_FAILED = Metric("RunsFailed", "Count", "sensor", "Runs of Dagster that failed.")

STEP_SECONDS = Metric("StepSeconds", "Seconds", "steps", "One refresh of a step's tables.")
STEPS_FAILED = Metric("StepsFailed", "Count", "steps", "Refreshes that raised.")
EVENTS_LANDED = Metric("EventsLanded", "Count", "steps", "Events copied from the stream into the lake.")
EVENTS_CLEANED = Metric("EventsCleaned", "Count", "steps", "Rows that came to `clean_events`.")
EVENTS_QUARANTINED = Metric("EventsQuarantined", "Count", "steps", "Rows that came to `quarantined_events`.")
LANDING_SECONDS = Metric(
    "LandingSeconds", "Seconds", "steps", "From the stream taking a micro-batch's oldest record to its landing."
)
STREAM_GAPS = Metric(
    "StreamGaps", "Count", "steps", "Attempts to land that found records trimmed before they were landed."
)

LOAD_SECONDS = Metric("LoadSeconds", "Seconds", "loads", "One load of a table into the warehouse.")
ROWS_LOADED = Metric("RowsLoaded", "Count", "loads", "Rows inserted into the warehouse.")
LOADS_FAILED = Metric("LoadsFailed", "Count", "loads", "Loads that raised.")
LOAD_MISMATCHES = Metric(
    "LoadMismatches", "Count", "loads", "Loads rolled back: the warehouse would not have held what the lake holds."
)

CHECKS_PASSED = Metric("ChecksPassed", "Count", "checks", "Checks that found nothing.")
CHECKS_FAILED = Metric("ChecksFailed", "Count", "checks", "Checks that found something, warnings among them.")
UNBALANCED_HOURS = Metric("UnbalancedHours", "Count", "checks", "Hours of the ledger that do not balance.")
WAREHOUSE_DIFFERENCES = Metric(
    "WarehouseDifferences", "Count", "checks", "Partitions of the warehouse that are not what the lake holds."
)

METRICS = {each.name: each for each in list(globals().values()) if isinstance(each, Metric)}
"""All of them, by name."""
