"""What the tracking plan says of many events at once, of their columns: surely kept, warned about, or in doubt.

What it says of one event is in `plan`, which decides where there is doubt. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.plan import EventPlan, TrackingPlan, fits, not_planned, properties_decoder
from event_assets.contract.text_columns import decode_texts

_Rows = npt.NDArray[np.intp]
_Columns = Mapping[str, pa.Array]


class PlannedColumns:
    """A tracking plan, asked of the columns of events. `inside` has the columns of what is nested."""

    def __init__(self, plan: TrackingPlan, inside: Mapping[str, tuple[str, ...]]) -> None:
        self._plans = {name: _Planned(event, inside) for name, event in plan.events.items()}
        self._warns = plan.settings.unknown_events == "warn"

    def judge(self, columns: _Columns) -> tuple[pa.StringArray, set[int]]:
        """What the plan warns about where it has no such event; and the rows where it, or the contract of an event's
        name, may have more to say."""
        names = columns["event"].dictionary_encode()
        codes = names.indices.to_numpy()
        order = np.argsort(codes, kind="stable")
        ends = np.cumsum(np.bincount(codes, minlength=len(names.dictionary)))
        warnings: list[str | None] = []
        doubtful: set[int] = set()
        begin = 0
        for name, end in zip(names.dictionary.to_pylist(), ends, strict=True):
            rows, begin = order[begin:end], end
            planned = self._plans.get(name)
            warns = planned is None and self._warns and bool(self._plans)
            warnings.append(not_planned(name) if warns else None)
            if name == "alias" or not name.isprintable() or (planned is None and not self._warns):
                doubtful.update(rows.tolist())
            elif planned is not None:
                doubtful.update(planned.not_kept(columns, rows))
        return pa.array(warnings, pa.string()).take(names.indices), doubtful


class _Planned:
    """What the plan says of one event's name, asked of all events that have it."""

    def __init__(self, plan: EventPlan, inside: Mapping[str, tuple[str, ...]]) -> None:
        self._decoders = {version: properties_decoder(plan, version) for version in plan.versions}
        self._needs_none = {version for version, decoder in self._decoders.items() if fits(decoder, b"{}")}
        self._required = [inside.get(name, (name.replace(".", "_"),)) for name in plan.fields]

    def not_kept(self, columns: _Columns, rows: _Rows) -> Iterator[int]:
        """Those of the rows that may break it."""
        for names in self._required:
            missing = reduce(pc.and_, (_is_empty(columns[name].take(rows)) for name in names))
            yield from rows[missing.to_numpy(zero_copy_only=False)].tolist()
        versions = columns["schema_version"].take(rows).to_numpy()
        for version in np.unique(versions).tolist():
            decoder, of_version = self._decoders.get(version), rows[versions == version]
            texts = columns["properties"].take(of_version)
            if version in self._needs_none and texts.null_count:
                of_version, texts = of_version[texts.is_valid().to_numpy(zero_copy_only=False)], texts.drop_null()
            texts = texts.fill_null("{}").dictionary_encode()
            if decoder is None:
                yield from of_version.tolist()
            elif decode_texts(decoder, texts.dictionary) is None:
                fitting = [fits(decoder, text.encode()) for text in texts.dictionary.to_pylist()]
                yield from of_version[~np.array(fitting)[texts.indices]].tolist()


def _is_empty(values: pa.Array) -> pa.BooleanArray:
    """Where there is nothing, or what may be taken for nothing."""
    empty = {pa.string(): "", pa.bool_(): False}.get(values.type, 0)
    return pc.fill_null(pc.equal(values, empty), True)
