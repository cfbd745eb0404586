"""What is known of people now, by any id of theirs, where a request finds it at once: who is in which segment, and what
models are asked with. A SQLite file, PostgreSQL or DynamoDB."""

from event_assets.online.table import (
    MODELS_ID,
    REFUSED,
    Content,
    Fact,
    Facts,
    Found,
    Ids,
    OnlineError,
    OnlineTable,
    open_online,
    refusal_id,
)

__all__ = [
    "MODELS_ID",
    "REFUSED",
    "Content",
    "Fact",
    "Facts",
    "Found",
    "Ids",
    "OnlineError",
    "OnlineTable",
    "open_online",
    "refusal_id",
]
