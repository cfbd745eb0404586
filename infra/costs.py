"""What each size costs a month, from a table of prices and from the same numbers that the stacks are made of.

An estimate: prices are AWS's list, what an installation does is assumed (`prices.yaml` names both, with its date).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from event_assets.telemetry.alarms import ALARMS
from event_assets.telemetry.metrics import METRICS
from infra.choices import Edge
from infra.sizes import SIZES, Size, Stream, Tasks, endpoints_of, zones_of

PRICES = Path(__file__).with_name("prices.yaml")
_DAYS = 365 / 12
_MILLION = 1_000_000
_GB = 1e9
ALARMS_ON_AWS: dict[Edge, int] = {"alb": 12, "lambda": 11}
"""Alarms on what AWS sees, but for the stream's."""
ALARMS_OF_STREAM: dict[Stream, int] = {"shards": 2, "on-demand": 2, "kafka": 4}
_METRICS_OF_KAFKA = 4
"""That alarms of Kafka judge of each broker; one more is the cluster's. An alarm is paid by what it judges."""
_METRICS_OF_REDSHIFT = 8
"""That an alarm judges: the queries in the queue, of each type."""
METRICS_OF_A_BUCKET = 16
"""That S3 tells of what is asked of one."""
METRICS_OF_A_SERVICE = 25
"""That Container Insights tells of a service, or of its cluster."""
FIREWALL_RULES = 3
"""At either edge."""


class Line(NamedTuple):
    """A part of the bill: what, dollars a month."""

    part: str
    dollars: float


class Table(NamedTuple):
    """The price table as it is in the file."""

    date: str
    source: str
    hours: float
    price: dict[str, float]
    instances: dict[str, float]
    brokers: dict[str, float]
    databases: dict[str, float]
    assumed: dict[str, float]


@cache
def table() -> Table:
    """Prices and assumptions."""
    found: dict[str, Any] = yaml.safe_load(PRICES.read_text("utf-8"))
    return Table(
        str(found["date"]),
        str(found["source"]),
        float(found["hours_per_month"]),
        found["prices"],
        found["instances"],
        found["brokers"],
        found["databases"],
        found["assumptions"],
    )


def bill(size: Size, edge: Edge) -> list[Line]:
    """What an installation of this size costs a month, the largest part first."""
    parts: dict[str, float] = {}
    for line in (
        *_stream(size),
        *_lake(size),
        *(_balancer(size) if edge == "alb" else _function(size)),
        *_dagster(size),
        *_warehouse(size),
        *_spark(size),
        *_network(size),
        *_watch(size, edge),
    ):
        parts[line.part] = parts.get(line.part, 0) + line.dollars
    return sorted((Line(*part) for part in parts.items() if part[1] >= 0.005), key=lambda line: -line.dollars)


def bill_table() -> str:
    """All sizes at both edges, as the documentation shows them."""
    columns: list[tuple[Size, Edge]] = [(size, edge) for size in SIZES.values() for edge in ("lambda", "alb")]
    bills = [{line.part: line.dollars for line in bill(*column)} for column in columns]
    parts = sorted({part for each in bills for part in each}, key=lambda part: -bills[-1].get(part, 0))
    rows = [
        ["US dollars a month", *(f"{size.name}, {edge}" for size, edge in columns)],
        ["---", *("---:" for _ in columns)],
        *([part, *(money(each.get(part, 0)) for each in bills)] for part in parts),
        ["**together**", *(f"**{money(sum(each.values()))}**" for each in bills)],
        ["a million events", *(_per_million(each, size) for each, (size, _) in zip(bills, columns, strict=True))],
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


_A_DAY = (1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000, 40_000_000_000)


def stream_bill(events_per_day: int) -> dict[str, float]:
    """What the stream alone costs a month, by kind. Kafka's brokers on EC2 are without those who look after them."""
    _, _, hours, price, instances, classes, _, assumed = table()
    day_gb = events_per_day * assumed["stream_bytes_per_event"] / _GB
    month_gb, peak_mb = day_gb * _DAYS, day_gb * 1_000 / 86_400 * assumed["peak_factor"]
    shards = max(2, ceil(peak_mb / assumed["kinesis_shard_mb_second"]))
    puts = month_gb * _GB / assumed["stream_record_bytes"] / _MILLION
    shard_hour = price["kinesis_shard_hour"] + price["kinesis_shard_kept_hour"]
    demand_gb = price["kinesis_demand_gb_in"] + price["kinesis_demand_gb_out"]
    days, replicas = assumed["stream_days_kept"], assumed["kafka_replicas"]
    brokers = max(assumed["kafka_brokers"], ceil(peak_mb / assumed["kafka_mb_per_broker_second"]))
    kept_gb = max(brokers * assumed["kafka_least_disk_gb"], day_gb * days * replicas / assumed["kafka_disk_share"])
    # Of three zones two are others, for who writes as for who reads; MSK does not charge what brokers tell each other.
    clients_gb, replicated_gb = 2 * month_gb * 2 / 3, (replicas - 1) * month_gb
    return {
        "Kinesis, shards": shards * shard_hour * hours + puts * price["kinesis_million_puts"],
        "Kinesis, on demand": price["kinesis_demand_hour"] * hours
        + month_gb * demand_gb
        + day_gb * (days - 1) * price["kinesis_demand_kept_gb_month"],
        "Amazon MSK": brokers * classes["m7g.large"] * hours
        + kept_gb * price["msk_gb_month"]
        + clients_gb * price["zones_gb"],
        "Kafka on EC2": brokers * instances["m7g.large"] * hours
        + kept_gb * price["ebs_gp3_gib_month"]
        + (clients_gb + replicated_gb) * price["zones_gb"],
    }


def stream_table() -> str:
    """The stream alone, as the documentation shows it."""
    bills = {events: stream_bill(events) for events in _A_DAY}
    kinds = list(bills[_A_DAY[0]])
    rows = [
        ["events a day", *kinds],
        ["---:", *("---:" for _ in kinds)],
        *([f"{events:,}", *(money(each[kind]) for kind in kinds)] for events, each in bills.items()),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def money(dollars: float) -> str:
    """As tables show it."""
    return f"{dollars:,.0f}" if dollars >= 0.5 else "0" if dollars == 0 else "<1"


def _per_million(parts: dict[str, float], size: Size) -> str:
    return f"{sum(parts.values()) / (size.events_per_day * _DAYS / _MILLION):,.2f}"


def _events(size: Size) -> float:
    return size.events_per_day * _DAYS


def _requests(size: Size) -> float:
    return _events(size) / table().assumed["events_per_request"]


def _stream(size: Size) -> Iterator[Line]:
    _, _, hours, price, _, brokers, _, assumed = table()
    size_bytes = _events(size) * assumed["stream_bytes_per_event"]
    if size.stream == "kafka":
        kafka = size.kafka
        yield Line("stream", kafka.brokers * (brokers[kafka.instance] * hours + kafka.gib * price["msk_gb_month"]))
        yield Line("stream", 2 * size_bytes / _GB * 2 / 3 * price["zones_gb"])  # who writes and who reads, as above
        return
    if size.stream == "on-demand":
        gb = size_bytes / _GB
        kept = gb / _DAYS * (size.stream_retention_hours / 24 - 1)
        yield Line("stream", price["kinesis_demand_hour"] * hours + price["kinesis_demand_gb_in"] * gb)
        yield Line("stream", price["kinesis_demand_gb_out"] * gb + price["kinesis_demand_kept_gb_month"] * kept)
        return
    shard = price["kinesis_shard_hour"] + price["kinesis_shard_kept_hour"] * (size.stream_retention_hours > 24)
    puts = size_bytes / assumed["stream_record_bytes"]
    yield Line("stream", size.stream_shards * shard * hours + puts / _MILLION * price["kinesis_million_puts"])


def _lake(size: Size) -> Iterator[Line]:
    _, _, _, price, _, _, _, assumed = table()
    gb = _events(size) * assumed["lake_bytes_per_event"] * assumed["lake_months_kept"] / _GB
    runs = 86_400 / size.seconds_between_runs * _DAYS
    writes = (
        runs * assumed["lake_writes_per_run"] + _events(size) / _MILLION * assumed["lake_writes_per_million_events"]
    )
    reads = runs * assumed["lake_reads_per_run"]
    yield Line("lake", gb * assumed["lake_versions_factor"] * price["s3_gb_month"])
    yield Line("lake", (writes * price["s3_million_writes"] + reads * price["s3_million_reads"]) / _MILLION)


def tasks_bill(tasks: Tasks, count: float, hours: float) -> float:
    """Dollars of so many tasks of Fargate for so many hours."""
    price = table().price
    hourly = tasks.cpu / 1024 * price["fargate_vcpu_hour"] + tasks.memory / 1024 * price["fargate_gib_hour"]
    return hourly * count * hours


def _collector_tasks(size: Size) -> float:
    """Tasks on a day's average: what the events need, twice over for the peaks, within the range."""
    needed = size.events_per_day / 86_400 / table().assumed["collector_events_per_vcpu_second"]
    wanted = needed * 2 / (size.collector.cpu / 1024)
    return min(max(wanted, size.collector.least), size.collector.most)


def _balancer(size: Size) -> Iterator[Line]:
    _, _, hours, price, _, _, _, assumed = table()
    yield Line("ingest API", tasks_bill(size.collector, _collector_tasks(size), hours))
    connections = _requests(size) / assumed["requests_per_connection"] / (_DAYS * 86_400)
    in_gb_hour = _events(size) * 600 / _GB / hours
    units = max(connections / assumed["lcu_requests_per_second"], in_gb_hour)
    yield Line("ingest API", price["alb_hour"] * hours + units * price["alb_lcu_hour"] * hours)
    yield _firewall(size)


def _firewall(size: Size) -> Line:
    price = table().price
    rules = price["waf_acl_month"] + FIREWALL_RULES * price["waf_rule_month"]
    return Line("ingest API", rules + _requests(size) / _MILLION * price["waf_million_requests"])


def _function(size: Size) -> Iterator[Line]:
    _, _, _, price, _, _, _, assumed = table()
    millions = _requests(size) / _MILLION
    seconds = _requests(size) * assumed["lambda_ms_per_request"] / 1000
    yield Line("ingest API", millions * (price["http_api_million_requests"] + price["lambda_million_requests"]))
    yield Line("ingest API", seconds * 1769 / 1024 * price["lambda_gib_second"])
    yield Line("ingest API", millions * price["cloudfront_million_requests"])
    yield _firewall(size)
    yield Line("keys, secrets", price["kms_key_month"] + price["secret_month"])  # of its firewall, and of CloudFront
    yield Line("logs, alarms", _requests(size) * assumed["log_bytes_per_request"] / _GB * price["logs_gb"])


def _dagster(size: Size) -> Iterator[Line]:
    _, _, hours, price, _, _, databases, _ = table()
    for tasks in (size.code, size.webserver, size.daemon):
        yield Line("Dagster", tasks_bill(tasks, tasks.least, hours))
    yield Line("runs", tasks_bill(size.run, 1, size.run_hours * _DAYS))
    times = 2 if size.database.standby else 1
    disk = size.database.gib * price["rds_gp3_gib_month"]
    yield Line("PostgreSQL", times * (databases[size.database.instance] * hours + disk))


def _warehouse(size: Size) -> Iterator[Line]:
    if size.warehouse == "redshift":
        price, assumed = table().price, table().assumed
        yield Line("Redshift", size.redshift_rpus * size.redshift_hours * _DAYS * price["redshift_rpu_hour"])
        gb = _events(size) * assumed["warehouse_bytes_per_event"] * assumed["lake_months_kept"] / _GB
        yield Line("Redshift", gb * price["redshift_gb_month"])


def _workers(size: Size) -> float:
    """Workers on a day's average."""
    cores = size.events_per_day / 86_400 / table().assumed["spark_events_per_core_second"]
    return min(max(cores / size.cluster.worker_cores, size.cluster.least), size.cluster.most)


def _spark(size: Size) -> Iterator[Line]:
    if size.spark == "cluster":
        _, _, hours, price, instances, _, _, assumed = table()
        workers = _workers(size)
        always = min(workers, size.cluster.on_demand)
        paid = always + (workers - always) * assumed["spot_share_of_price"]
        yield Line("Spark", (instances[size.cluster.master] + paid * instances[size.cluster.worker]) * hours)
        yield Line("Spark", (50 + workers * 200) * price["ebs_gp3_gib_month"])


def _network(size: Size) -> Iterator[Line]:
    _, _, hours, price, _, _, _, assumed = table()
    yield Line("network", size.nat_gateways * price["nat_hour"] * hours)
    endpoints = len(endpoints_of(size, size.stream)) * zones_of(size, size.stream)
    yield Line("network", endpoints * price["endpoint_hour"] * hours)
    if size.stream != "kafka":
        streamed = 2 * _events(size) * assumed["stream_bytes_per_event"] / _GB
        yield Line("network", streamed * price["endpoint_gb"])
    yield Line("network", _requests(size) * 400 / _GB * price["transfer_out_gb"])


def _watch(size: Size, edge: Edge) -> Iterator[Line]:
    price, assumed = table().price, table().assumed
    yield Line("logs, alarms", assumed["log_gb_per_day"] * _DAYS * price["logs_gb"])
    insights = METRICS_OF_A_SERVICE * (4 if edge == "alb" else 3)
    told = (insights + METRICS_OF_A_BUCKET + len(METRICS)) * price["metric_month"]
    judged = ALARMS_ON_AWS[edge] + sum(1 if alarm.whole is None else 2 for alarm in ALARMS)  # a share is of two metrics
    judged += 1 + _METRICS_OF_KAFKA * size.kafka.brokers if size.stream == "kafka" else ALARMS_OF_STREAM[size.stream]
    judged += _METRICS_OF_REDSHIFT if size.warehouse == "redshift" else 0
    yield Line("logs, alarms", judged * price["alarm_month"] + price["dashboard_month"] + told)
    yield Line("keys, secrets", price["kms_key_month"] + 5 * price["secret_month"] + 2 * price["kms_million_requests"])
