"""How large each part of an installation is, by size. What it costs is told by `costs`, from the same numbers."""

from __future__ import annotations

from typing import Literal, NamedTuple

SizeName = Literal["dev", "small", "large"]
Warehouse = Literal["postgres", "redshift"]
Spark = Literal["embedded", "cluster"]
Stream = Literal["shards", "on-demand", "kafka"]


class Tasks(NamedTuple):
    """A service of ECS on Fargate: CPU units (1024 are a core), MiB, how many tasks at least and at most."""

    cpu: int
    memory: int
    least: int = 1
    most: int = 1


class Database(NamedTuple):
    """A PostgreSQL of RDS: instance class, GiB of disk, whether a second one stands by, days of backups."""

    instance: str
    gib: int
    standby: bool
    backup_days: int


class Kafka(NamedTuple):
    """Kafka on Amazon MSK: class of brokers, how many (a multiple of three), GiB of disk each at first, partitions."""

    instance: str
    brokers: int
    gib: int
    partitions: int


class Cluster(NamedTuple):
    """Spark on EC2. Workers above `on_demand` are spot instances."""

    master: str
    worker: str
    worker_cores: int
    worker_memory: int
    least: int
    most: int
    on_demand: int


class Size(NamedTuple):
    """Every number of an installation.

    `stream_shards` is how many there are where the stream does not scale by itself (on demand). `raw_object_mb` bounds
    how many files `raw_events` keeps. `seconds_between_runs` is the least time from one run of new events to the next:
    fewer runs cost less. `runs_at_once` are runs of Dagster, each a task. `landing_runs` are those that land the stream
    side by side; all but the first stay while records come. `run_hours` is how many hours a day a task runs, all runs
    taken together.
    """

    name: SizeName
    events_per_day: int
    zones: int
    nat_gateways: int
    endpoints: tuple[str, ...]
    stream: Stream
    stream_shards: int
    stream_retention_hours: int
    kafka: Kafka
    collector: Tasks
    requests_per_second: int
    code: Tasks
    webserver: Tasks
    daemon: Tasks
    run: Tasks
    raw_object_mb: int
    seconds_between_runs: int
    runs_at_once: int
    landing_runs: int
    run_hours: float
    database: Database
    warehouse: Warehouse
    redshift_rpus: int
    redshift_hours: float
    spark: Spark
    cluster: Cluster
    log_days: int
    budget: int


SIMULATED_SECONDS = 60
"""In which the simulated visitors of an hour come."""
_NEEDED = ("kinesis-streams", "logs")
"""What every size reaches without a NAT gateway, besides S3 (whose endpoint is free): the bytes that are many."""

DEV = Size(
    name="dev",
    events_per_day=100_000,
    zones=2,
    nat_gateways=1,
    endpoints=_NEEDED,
    stream="shards",
    stream_shards=1,
    stream_retention_hours=48,
    kafka=Kafka("t3.small", 3, 20, 3),
    collector=Tasks(256, 1024, 1, 2),
    requests_per_second=50,
    code=Tasks(512, 2048),
    webserver=Tasks(512, 2048),
    daemon=Tasks(512, 2048),
    run=Tasks(2048, 8192),
    raw_object_mb=64,
    seconds_between_runs=300,
    runs_at_once=1,
    landing_runs=1,
    run_hours=4,
    database=Database("t4g.small", 20, standby=False, backup_days=1),
    warehouse="postgres",
    redshift_rpus=8,
    redshift_hours=2,
    spark="embedded",
    cluster=Cluster("m7g.large", "r7g.xlarge", 4, 26_624, 1, 2, 0),
    log_days=14,
    budget=400,
)
SMALL = Size(
    name="small",
    events_per_day=1_000_000,
    zones=2,
    nat_gateways=1,
    endpoints=_NEEDED,
    stream="shards",
    stream_shards=2,
    stream_retention_hours=168,
    kafka=Kafka("m7g.large", 3, 100, 6),
    collector=Tasks(512, 1024, 2, 8),
    requests_per_second=500,
    code=Tasks(512, 2048),
    webserver=Tasks(512, 2048),
    daemon=Tasks(512, 2048),
    run=Tasks(4096, 16384),
    raw_object_mb=64,
    seconds_between_runs=60,
    runs_at_once=2,
    landing_runs=1,
    run_hours=12,
    database=Database("m7g.large", 200, standby=True, backup_days=7),
    warehouse="postgres",
    redshift_rpus=8,
    redshift_hours=6,
    spark="embedded",
    cluster=Cluster("m7g.large", "r7g.xlarge", 4, 26_624, 1, 4, 1),
    log_days=30,
    budget=1_300,
)
LARGE = Size(
    name="large",
    events_per_day=1_000_000_000,
    zones=3,
    nat_gateways=3,
    endpoints=(*_NEEDED, "ecr.api", "ecr.dkr", "ecs", "secretsmanager", "kms"),
    stream="on-demand",
    stream_shards=8,
    stream_retention_hours=168,
    kafka=Kafka("m7g.large", 3, 1_300, 12),
    collector=Tasks(2048, 4096, 6, 60),
    requests_per_second=10_000,
    code=Tasks(1024, 4096),
    webserver=Tasks(1024, 4096, 2, 2),
    daemon=Tasks(1024, 4096),
    run=Tasks(4096, 30720),
    raw_object_mb=256,
    seconds_between_runs=60,
    runs_at_once=4,
    landing_runs=2,
    run_hours=72,
    database=Database("m7g.large", 200, standby=True, backup_days=14),
    warehouse="redshift",
    redshift_rpus=64,
    redshift_hours=16,
    spark="cluster",
    cluster=Cluster("m7g.2xlarge", "r7g.4xlarge", 16, 122_880, 3, 20, 2),
    log_days=90,
    budget=40_000,
)
SIZES: dict[SizeName, Size] = {size.name: size for size in (DEV, SMALL, LARGE)}


def zones_of(size: Size, stream: Stream) -> int:
    """How many zones the network has: Kafka keeps an event in three, and loses none with any of them."""
    return max(size.zones, 3) if stream == "kafka" else size.zones


def endpoints_of(size: Size, stream: Stream) -> tuple[str, ...]:
    """What is reached without a NAT gateway: Kafka is in the network itself."""
    return tuple(each for each in size.endpoints if stream != "kafka" or each != "kinesis-streams")
