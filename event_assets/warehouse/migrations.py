"""Changes of what stands in a warehouse, each once and in order: what `ddl.py` cannot see from the contract alone.

A migration is written so that it may be done again, or where there is nothing to change: it asks what stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from psycopg import sql

from event_assets.contract.tables.schema import Column
from event_assets.warehouse.ddl import Standing
from event_assets.warehouse.relation import LOADED_AT, LOADS, Relation

MIGRATED = Relation(
    "_migrations",
    "Which migrations this schema has had.",
    (
        Column("version", "int", "Number of the migration."),
        Column("description", "string", "What it changed."),
        Column("applied_at", "timestamp", "When."),
    ),
    required=frozenset({"version", "applied_at"}),
    sort_key=("version",),
    index=("version",),
)


@dataclass(frozen=True, slots=True)
class Migration:
    """Tables that are called otherwise from this version on; their rows, and what is recorded of them, stay."""

    version: int
    description: str
    renames: Mapping[str, str]

    def statements(self, schema: str, standing: Standing) -> Iterator[sql.Composed]:
        """What has to be done in a schema that holds this; nothing where it is done, or where there is no such table
        of ours."""
        for old, new in self.renames.items():
            if LOADED_AT.name in standing.get(old, {}) and new not in standing:
                yield _rename("TABLE", sql.Identifier(schema, old), new)
                yield from (
                    _rename("INDEX", sql.Identifier(schema, name), new + name.removeprefix(old))
                    for name in standing
                    if name.startswith(f"{old}_") and not any(standing[name])
                )
                yield sql.SQL("UPDATE {} SET table_name = {} WHERE table_name = {}").format(
                    sql.Identifier(schema, LOADS.name), sql.Literal(new), sql.Literal(old)
                )


def _rename(kind: str, what: sql.Identifier, name: str) -> sql.Composed:
    return sql.SQL("ALTER {} {} RENAME TO {}").format(sql.SQL(kind), what, sql.Identifier(name))


MIGRATIONS = (
    Migration(
        1,
        "One rule of names: fct_ facts, dim_ dimensions, agg_ what is summed up.",
        {
            **{
                name: f"agg_{name}"
                for name in (
                    *("attribution", "channel_performance", "funnels", "retention", "lifecycle", "paths"),
                    *("active_users", "stickiness", "web_vitals"),
                )
            },
            **{name: f"dim_{name}" for name in ("user_segments", "segment_memberships")},
        },
    ),
)
"""All of them, in the order in which they are done."""


def record(schema: str) -> sql.Composed:
    """The statement that says that a migration was done; bound: version, description, time."""
    table = sql.Identifier(schema, MIGRATED.name)
    return sql.SQL("INSERT INTO {} (version, description, applied_at) VALUES (%s, %s, %s)").format(table)


def done(schema: str) -> sql.Composed:
    """The versions that were done."""
    return sql.SQL("SELECT version FROM {}").format(sql.Identifier(schema, MIGRATED.name))
