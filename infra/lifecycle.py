"""The lake's lifecycle rules, as far as they follow from how long what is kept."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3

from event_assets.rules.retention import read_retention

FILE = Path(__file__).parents[1] / "event_assets" / "rules" / "retention.yaml"
"""What the image says: the function that takes days away and these rules go by the same."""
NONCURRENT_DAYS = 7
"""What is deleted by mistake comes back for so long; what compaction, erasure and retention delete is gone then."""
COLD_DAYS = 30
"""Raw records are read once, soon after they came."""
LEAST_COLD_DAYS = 30
"""Objects that go sooner after they were moved cost more than they save."""


def lifecycle(prefix: str) -> list[s3.LifecycleRule]:
    """The lake's rules. None deletes what is current: a rule of a bucket cannot know whether a day was taken in, or is
    held. What the function deletes is gone with its last version a week later."""
    raw = read_retention(FILE).raw
    rules = [
        s3.LifecycleRule(
            abort_incomplete_multipart_upload_after=Duration.days(3),
            noncurrent_version_expiration=Duration.days(NONCURRENT_DAYS),
            expired_object_delete_marker=True,
        )
    ]
    if raw == "keep" or raw >= COLD_DAYS + LEAST_COLD_DAYS:
        moved = s3.Transition(
            storage_class=s3.StorageClass.INTELLIGENT_TIERING, transition_after=Duration.days(COLD_DAYS)
        )
        rules.append(s3.LifecycleRule(prefix=f"{prefix}/raw_events/", transitions=[moved]))
    return rules
