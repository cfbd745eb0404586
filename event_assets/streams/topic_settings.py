"""What a topic of Kafka needs for events, whoever makes it. No client of Kafka's is needed to know it."""

from __future__ import annotations

from event_assets.streams.protocol import MAX_RECORD_BYTES

MESSAGE_BYTES = MAX_RECORD_BYTES + 65_536
"""Bytes of the largest batch: the largest record and what Kafka adds to it."""


def topic_settings(retention_hours: float) -> dict[str, str]:
    """Settings of a topic that keeps records for so long."""
    return {
        "cleanup.policy": "delete",
        "max.message.bytes": str(MESSAGE_BYTES),
        "message.timestamp.type": "LogAppendTime",
        "retention.ms": str(int(retention_hours * 3_600_000)),
    }
