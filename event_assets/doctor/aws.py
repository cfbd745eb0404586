"""An installation on AWS, looked at from where it is called: what cannot be reached, may not be done, or loses events.

Each check does what the platform does, and undoes it; nothing of the platform's own data is touched. What a home on
this machine holds is another module's.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import json
import socket
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from event_assets.collector.key_store import KeyStore, KeyStoreError
from event_assets.collector.key_stores import key_store_of
from event_assets.doctor.warehouse import examine_warehouse
from event_assets.settings import PREFIX, Settings
from event_assets.streams import EventStream, StreamBusy, StreamError, StreamNotFound, open_stream

SKEW_SECONDS = 60
"""How far clocks may differ: AWS refuses requests from five minutes on, and `received_at` is wrong before that."""
RETENTION_HOURS = 48
"""A stream that keeps less loses events in a weekend."""
_DENIED = frozenset({"403", "AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_ABSENT = frozenset({"404", "NoSuchBucket", "ResourceNotFoundException"})


class Checked(NamedTuple):
    """One part of an installation: what was seen, or what is wrong with what to do about it."""

    part: str
    seen: str
    fault: str | None = None
    remedy: str | None = None

    def lines(self) -> list[str]:
        """What a person reads."""
        if self.fault is None:
            return [f"{self.part}: fine, {self.seen}"]
        return [f"{self.part}: FAULT {self.seen}", f"    what: {self.fault}", f"    do:   {self.remedy}"]


class _Fault(Exception):
    """What is wrong, and what to do."""

    def __init__(self, fault: str, remedy: str) -> None:
        super().__init__(fault)
        self.fault, self.remedy = fault, remedy


def examine_aws(settings: Settings, clock: Callable[[], dt.datetime] | None = None) -> Iterator[Checked]:
    """Every part that the settings name on AWS: credentials, clock, stream, bucket, keys, warehouse, Spark."""
    now = clock or (lambda: dt.datetime.now(dt.UTC))
    who: dict[str, Any] = {}
    yield _checked("credentials", settings.aws_region, lambda: _credentials(settings, who))
    if who:
        yield _checked("clock", "against AWS's", lambda: _clock(who, now()))
    if settings.stream == "kinesis":
        yield from _stream(settings)
    if settings.stream == "kafka":
        yield from _topic(settings)
    if settings.lake.startswith("s3://"):
        yield from _bucket(settings)
    if (keys := key_store_of(settings)) is not None:
        yield _checked("write keys", str(settings.keys_secret or settings.keys_url), lambda: _keys(keys))
    if settings.warehouse_url is not None:
        yield _checked("warehouse", settings.warehouse, lambda: examine_warehouse(settings), of_warehouse=True)
    if settings.spark_remote is not None and settings.spark_remote.startswith("sc://"):
        address = urlsplit(settings.spark_remote)
        yield _checked("Spark", address.netloc.partition(";")[0], lambda: _reach(address.hostname, address.port))


def _checked(part: str, about: str, check: Callable[[], str], of_warehouse: bool = False) -> Checked:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return Checked(part, check())
    except _Fault as fault:
        return Checked(part, about, fault.fault, fault.remedy)
    except ClientError as error:
        return Checked(part, about, str(error), _remedy(error))
    except BotoCoreError as error:
        return Checked(part, about, str(error), "see that this network reaches the service: its endpoint, or a NAT.")
    except Exception as error:
        if not of_warehouse:
            raise
        return Checked(part, about, " ".join(str(error).split()), str(getattr(error, "remedy", _WAREHOUSE)))


_WAREHOUSE = f"see that it runs, that this network reaches it, and that {PREFIX}WAREHOUSE_URL and PGPASSWORD are right."


def _remedy(error: Any) -> str:
    code = str(error.response.get("Error", {}).get("Code", ""))
    operation = str(error.operation_name)
    if code in _DENIED:
        return f"allow this role {operation}; docs/how-to/run-on-aws.md lists what each part may do."
    if code in ("ExpiredToken", "InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException"):
        return "sign in again, or name credentials that hold (AWS_PROFILE, a role)."
    return "see AWS's answer."


def _client(service: str, settings: Settings, endpoint: str | None = None) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=5, read_timeout=15, retries={"total_max_attempts": 2, "mode": "standard"})
    session = boto3.session.Session()
    return session.client(service, region_name=settings.aws_region, endpoint_url=endpoint, config=config)


def _credentials(settings: Settings, who: dict[str, Any]) -> str:
    answer = _client("sts", settings).get_caller_identity()
    who.update(answer["ResponseMetadata"]["HTTPHeaders"])
    return str(answer["Arn"])


def _clock(headers: dict[str, Any], now: dt.datetime) -> str:
    theirs = email.utils.parsedate_to_datetime(headers["date"])
    seconds = round((now - theirs).total_seconds())
    if abs(seconds) > SKEW_SECONDS:
        raise _Fault(
            f"this machine's clock is {abs(seconds)} seconds {'ahead of' if seconds > 0 else 'behind'} AWS's",
            "let it follow a time service (chrony, systemd-timesyncd): AWS refuses requests from five minutes on.",
        )
    return f"{abs(seconds)} seconds apart"


def _stream(settings: Settings) -> Iterator[Checked]:
    client = _client("kinesis", settings, settings.stream_endpoint_url)
    name = settings.stream_name

    def described() -> str:
        from botocore.exceptions import ClientError

        try:
            summary = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in _ABSENT:
                raise
            raise _Fault(
                f"there is no stream {name} in {settings.aws_region}",
                f"`event-assets stream create`, or set {PREFIX}STREAM_NAME and {PREFIX}AWS_REGION.",
            ) from None
        hours = summary["RetentionPeriodHours"]
        if hours < RETENTION_HOURS:
            raise _Fault(
                f"it keeps records for {hours} hours: what a longer outage leaves unread is lost",
                f"aws kinesis increase-stream-retention-period --stream-name {name} --retention-period-hours 168",
            )
        return f"{summary['StreamStatus']}, {summary['OpenShardCount']} open shards, keeps {hours} hours"

    def read() -> str:
        shards = client.list_shards(StreamName=name)["Shards"]
        start = {"ShardId": shards[0]["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = client.get_shard_iterator(StreamName=name, **start)["ShardIterator"]
        client.get_records(ShardIterator=iterator, Limit=1)
        return f"{len(shards)} shards listed, one read"

    stream = _checked("stream", name, described)
    yield stream
    if stream.fault is None or "no stream" not in stream.fault:
        yield _checked("stream, read", name, read)


def _topic(settings: Settings) -> Iterator[Checked]:
    """Of Kafka, by the rights of whoever reads it."""

    def described(stream: EventStream) -> str:
        shards, hours = stream.shards(), round(stream.retention().total_seconds() / 3_600)
        if hours < RETENTION_HOURS:
            raise _Fault(
                f"it keeps records for {hours} hours for certain: what a longer outage leaves unread is lost",
                "set its retention.ms to 604800000, and no retention.bytes.",
            )
        stream.require_writable()
        return f"{len(shards)} partitions, each with a leader, keeps {hours} hours"

    def read(stream: EventStream) -> str:
        stream.read(stream.shards()[0].shard_id, None, 1)
        return "a partition read"

    for part, do in (("stream", described), ("stream, read", read)):
        yield _checked(part, settings.stream_name, partial(_of_topic, settings, do))


def _of_topic(settings: Settings, do: Callable[[EventStream], str]) -> str:
    stream = open_stream(settings)
    try:
        return do(stream)
    except StreamNotFound as error:
        raise _Fault(str(error), f"`event-assets stream create`, or set {PREFIX}STREAM_NAME.") from None
    except StreamBusy as error:
        raise _Fault(str(error), "see that brokers run, and that this group may reach their port.") from None
    except StreamError as error:
        raise _Fault(str(error), "see that this role has the rights on cluster, topic and group.") from None
    finally:
        stream.close()


def _bucket(settings: Settings) -> Iterator[Checked]:
    bucket, _, prefix = settings.lake.removeprefix("s3://").partition("/")
    client = _client("s3", settings, settings.s3_endpoint_url)
    there = _checked("bucket", bucket, lambda: _bucket_there(client, settings, bucket))
    yield there
    if there.fault is None:
        yield _checked("bucket, versions", bucket, lambda: _versions(client, bucket))
        yield _checked("bucket, TLS", bucket, lambda: _tls(client, bucket))
        yield _checked("lake", settings.lake, lambda: _write(client, bucket, prefix))


def _bucket_there(client: Any, settings: Settings, bucket: str) -> str:
    from botocore.exceptions import ClientError

    try:
        headers = client.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in _ABSENT:
            raise
        raise _Fault(f"there is no bucket {bucket}", f"make it, or set {PREFIX}LAKE_URL to the one there is.") from None
    region = headers.get("x-amz-bucket-region") or _location(client, bucket)
    if region != settings.aws_region:
        raise _Fault(
            f"it is in {region}, and everything else in {settings.aws_region}: COPY reads from its own region alone",
            f"set {PREFIX}AWS_REGION={region}, or take a bucket of {settings.aws_region}.",
        )
    return f"in {region}"


def _location(client: Any, bucket: str) -> str:
    return str(client.get_bucket_location(Bucket=bucket)["LocationConstraint"] or "us-east-1")


def _versions(client: Any, bucket: str) -> str:
    if client.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
        raise _Fault(
            "it keeps no versions: what is deleted by mistake is gone",
            f"aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled",
        )
    return "kept"


def _tls(client: Any, bucket: str) -> str:
    from botocore.exceptions import ClientError

    try:
        policy = json.loads(client.get_bucket_policy(Bucket=bucket)["Policy"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
            raise
        policy = {"Statement": []}
    for statement in policy["Statement"]:
        asked = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
        if statement.get("Effect") == "Deny" and str(asked).lower() == "false":
            return "required"
    raise _Fault(
        "its policy lets requests without TLS through",
        'deny "s3:*" to everybody where aws:SecureTransport is false, as the stack of infra/ does.',
    )


def _write(client: Any, bucket: str, prefix: str) -> str:
    """As a commit does: a new object is written, once alone, read and deleted."""
    from botocore.exceptions import ClientError

    key = f"{prefix.strip('/')}/_doctor/{uuid.uuid4().hex}".strip("/")
    client.put_object(Bucket=bucket, Key=key, Body=b"1", IfNoneMatch="*")
    try:
        try:
            client.put_object(Bucket=bucket, Key=key, Body=b"2", IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("PreconditionFailed", "412"):
                raise
        else:
            raise _Fault(
                "it lets a second writer replace a new object: two commits of a table would both seem to win",
                "take an S3 that honours If-None-Match.",
            )
        client.get_object(Bucket=bucket, Key=key)
        client.list_objects_v2(Bucket=bucket, Prefix=key)
    finally:
        client.delete_object(Bucket=bucket, Key=key)
    return "written, listed, read, deleted"


def _keys(store: KeyStore) -> str:
    try:
        data = store.read()
    except KeyStoreError as error:
        raise _Fault(str(error), "do what it says; collectors that run go on with the keys from before.") from None
    try:
        keys = json.loads(data)["keys"]
    except (ValueError, KeyError, TypeError):
        raise _Fault("it is no file of write keys", "put an earlier version of it back.") from None
    return f"{len(keys)} keys"


def _reach(host: str | None, port: int | None) -> str:
    try:
        with socket.create_connection((host or "", port or 15002), timeout=5):
            return "answers"
    except OSError as error:
        raise _Fault(
            f"nothing answers there: {error}",
            "see that the master runs (systemctl status spark-connect) and that this group may reach its port.",
        ) from None
