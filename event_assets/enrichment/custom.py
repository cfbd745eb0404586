"""Enrichments of the project's own users: a Python function each, named in settings as `package.module:function`.

What such a function takes are columns of enriched events, by the names of its parameters; what it gives is any value
that JSON can hold. It runs once for each different combination of what it takes in a batch.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.enrichment.distinct import combined, encoded, fault, joined, spread

LONGEST = 16_384
"""Bytes of JSON that one function may give for one event: the warehouse must be able to hold it."""

MADE_LAST = ("custom", "enrichments", "enrichment_failures")
"""Columns that do not exist yet when these functions run."""


class BadEnrichment(ValueError):
    """What a setting names is no enrichment. The message tells the name and the rule."""


@dataclass(frozen=True)
class CustomEnrichment:
    """One function, by name, so that every machine imports it for itself: what it takes, and which version it is."""

    reference: str
    takes: tuple[str, ...]
    version: str

    @property
    def name(self) -> str:
        """Under which its results are found in the column `custom`."""
        return self.reference.partition(":")[2]

    @staticmethod
    def named(reference: str) -> CustomEnrichment:
        """The enrichment `package.module:function`. Its version is the function's attribute `version`, else 1.

        Raises `BadEnrichment`.
        """
        try:
            function = _function(reference)
        except Exception as error:  # the module is the user's, and may fail in any way when it is imported
            raise BadEnrichment(
                f"{reference!r} is no enrichment: it must be package.module:function, and one that can be imported "
                f"({type(error).__name__}: {error})"
            ) from None
        known = [name for name in ENRICHED_EVENTS.column_names if name not in MADE_LAST]
        parameters = inspect.signature(function).parameters if callable(function) else {}
        takes = tuple(parameters)
        unknown = [name for name in takes if name not in known]
        named_one = all(p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) for p in parameters.values())
        if not takes or unknown or not named_one:
            raise BadEnrichment(
                f"{reference!r} is no enrichment: its parameters must be columns of enriched_events by name, but for "
                f"{', '.join(MADE_LAST)}; they are ({', '.join(takes)})"
            )
        return CustomEnrichment(reference, takes, str(getattr(function, "version", "1")))


def custom_enrichments(references: Iterable[str]) -> tuple[CustomEnrichment, ...]:
    """The enrichments that a setting names, in its order. Raises `BadEnrichment`."""
    found = tuple(CustomEnrichment.named(reference) for reference in references)
    names = [enrichment.name for enrichment in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadEnrichment(f"{', '.join(twice)}: two enrichments have the same function name; results go by it")
    return found


def custom_columns(enrichments: Sequence[CustomEnrichment], columns: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """The column `custom`, a JSON object of what each function gave, and `failure`, what went wrong in them."""
    if not enrichments:
        return {"custom": pa.nulls(rows, pa.string()), "failure": pa.nulls(rows, pa.string())}
    found = [_run(enrichment, columns) for enrichment in enrichments]
    members = joined([one["member"] for one in found], ",")
    failure = joined([one["failure"] for one in found], "; ")
    return {"custom": pc.binary_join_element_wise("{", members, "}", ""), "failure": failure}


def _run(enrichment: CustomEnrichment, columns: Mapping[str, Any]) -> dict[str, Any]:
    """For each row `"name":value` and the failure, each null where there is none."""
    taken = combined([encoded(columns[name]) for name in enrichment.takes])
    results = [_called(enrichment, values) for values in taken.values]
    return spread(results, ("member", "failure"), taken.codes, {})


def _called(enrichment: CustomEnrichment, values: tuple[Any, ...]) -> tuple[str | None, str | None]:
    try:
        result = _function(enrichment.reference)(**dict(zip(enrichment.takes, values, strict=True)))
        if result is None:
            return None, None
        text = msgspec.json.encode({enrichment.name: result})[1:-1].decode()
        if len(text) > LONGEST:
            raise ValueError(f"the result has {len(text)} bytes; {LONGEST} are allowed")
    except Exception as error:
        return None, f"{enrichment.name}: {fault(error)}"
    return text, None


@lru_cache(maxsize=64)
def _function(reference: str) -> Callable[..., Any]:
    module, _, name = reference.partition(":")
    if not module or not name.isidentifier():
        raise ValueError("there is no colon with a function's name behind it")
    function: Callable[..., Any] = getattr(import_module(module), name)
    return function
