"""Who is in which segment now, by any id of theirs, where a request finds it at once: a SQLite file,
PostgreSQL or DynamoDB."""

from event_assets.online.table import Found, Ids, Members, OnlineError, OnlineTable, Stay, open_online

__all__ = ["Found", "Ids", "Members", "OnlineError", "OnlineTable", "Stay", "open_online"]
