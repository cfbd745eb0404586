"""Who is in which segment now, by any id of theirs, where a request finds it at once: a SQLite file,
PostgreSQL or DynamoDB."""

from event_assets.online.table import Ids, Members, OnlineError, OnlineTable, Stay, open_online

__all__ = ["Ids", "Members", "OnlineError", "OnlineTable", "Stay", "open_online"]
