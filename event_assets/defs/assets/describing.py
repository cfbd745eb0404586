"""What every asset says of itself: owner, kinds, where its table is, which code makes it, how fresh it must be.

No asset is defined here.
"""

import datetime as dt
import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import dagster as dg

from event_assets.contract.tables.schema import Column
from event_assets.pipeline.domains import Group
from event_assets.settings import Settings

FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=dt.timedelta(hours=26), warn_window=dt.timedelta(hours=6))
"""Of tables that follow new events: not refreshed for so long, no events come, or nobody takes them in."""

_ENGINEERS: tuple[Group, ...] = ("ingest", "events", "identity", "warehouse")


def owners_of(group: Group) -> list[str]:
    """Who answers for a domain: the platform's team for the way of an event, the analysts' for what is made of it."""
    return ["team:data-platform" if group in _ENGINEERS else "team:analytics"]


def stream_kind(settings: Settings) -> str:
    """What the event stream is, by these settings."""
    return "sqlite" if settings.stream == "embedded" else settings.stream


def warehouse_kind(settings: Settings) -> str:
    """What the warehouse is, by these settings."""
    return settings.warehouse


def lake_metadata(
    settings: Settings, table: str, columns: Iterable[Column], key: Iterable[str], made_by: Callable[..., Any]
) -> dict[str, Any]:
    """The columns of a lake table, where it is, and the code that makes it."""
    return {
        "dagster/column_schema": column_schema(columns, key),
        "dagster/table_name": f"lake.{table}",
        "dagster/uri": f"{settings.lake.rstrip('/')}/{table}",
        "dagster/code_references": code_reference(made_by),
    }


def code_reference(function: Callable[..., Any]) -> dg.CodeReferencesMetadataValue:
    """The place of a function."""
    code = inspect.unwrap(function.func if isinstance(function, partial) else function).__code__
    with beta_features():
        place = dg.LocalFileCodeReference(file_path=code.co_filename, line_number=code.co_firstlineno)
        return dg.CodeReferencesMetadataValue(code_references=[place])


@contextmanager
def beta_features() -> Iterator[None]:
    """Without the warnings of what has been beta in Dagster for years: one an asset would hide those that matter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        yield


def column_schema(columns: Iterable[Column], key: Iterable[str]) -> dg.TableSchema:
    """The columns as Dagster shows them."""
    unique = set(key)
    only = len(unique) == 1
    return dg.TableSchema(
        [
            dg.TableColumn(
                column.name,
                column.type,
                column.meaning,
                dg.TableColumnConstraints(nullable=column.nullable, unique=only and column.name in unique),
                tags={"pii": "true"} if column.pii else {},
            )
            for column in columns
        ]
    )
