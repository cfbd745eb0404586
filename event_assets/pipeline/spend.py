"""The owner's table of advertising spend: read from a file, checked row by row.

What is made of it is told in transforms/attribution/attribution.py.
"""

from __future__ import annotations

import csv
import datetime as dt
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from event_assets.enrichment.channel import CHANNEL_GROUPS
from event_assets.enrichment.currency import AS_SENT, CURRENCY, Reporting

_REQUIRED = ("date", "channel_group", "spend", "currency")
_MOST_SHOWN = 10


class SpendError(ValueError):
    """The spend file cannot be used. The message names the file, the places, and the rules they break."""


class _Row(NamedTuple):
    date: dt.date
    channel_group: str
    campaign: str
    spend: float
    currency: str


@dataclass(frozen=True)
class Spend:
    """What was spent, by day and channel group, and the version of the file that says so."""

    rows: tuple[tuple[dt.date, str, float, str], ...]
    version: str

    SCHEMA = "event_date DATE, channel_group STRING, spend DOUBLE, currency STRING"


@dataclass(frozen=True)
class SpendFile:
    """Where the spend is told, and the currency that revenue is reported in."""

    path: Path
    reporting: Reporting = AS_SENT

    def read(self) -> Spend:
        """What it says now. Raises `SpendError`."""
        return read_spend(self.path, self.reporting)


def read_spend(path: Path, reporting: Reporting = AS_SENT) -> Spend:
    """The spend of a CSV, Parquet or YAML file, in the reporting currency. Raises `SpendError`.

    Each row has date, channel_group, spend, currency, and campaign where there are several of a channel group on a day;
    what else it has does not matter. Without a reporting currency all have one currency.
    """
    faults: list[str] = []
    rows: list[_Row] = []
    seen: dict[tuple[dt.date, str, str], str] = {}
    for place, values in _records(path):
        try:
            row = _reported(_checked(values), reporting)
        except ValueError as error:
            faults.append(f"{place}: {error}")
            continue
        first = seen.setdefault(row[:3], place)
        if first != place:
            faults.append(f"{place}: the same date, channel group and campaign as {first}")
        elif rows and row.currency != rows[0].currency:
            faults.append(
                f"{place}: currency is {row.currency}, but {rows[0].currency} before; a file has one currency"
            )
        else:
            rows.append(row)
    if faults:
        more = f"; and {len(faults) - _MOST_SHOWN} more" if len(faults) > _MOST_SHOWN else ""
        raise SpendError(f"{path}: {'; '.join(faults[:_MOST_SHOWN])}{more}. Mend the rows and materialise again.")
    said = path.read_bytes() + repr((reporting.currency, reporting.rates.digest)).encode()
    return Spend(_summed(rows), sha256(said).hexdigest()[:12])


def _reported(row: _Row, reporting: Reporting) -> _Row:
    """The row in the reporting currency. Raises `NoRate`."""
    if reporting.currency is None:
        return row
    amount = reporting.convert(row.spend, row.currency, row.date)
    return row._replace(spend=amount, currency=reporting.currency)


def _summed(rows: list[_Row]) -> tuple[tuple[dt.date, str, float, str], ...]:
    spent: dict[tuple[dt.date, str, str], list[float]] = {}
    for row in rows:
        spent.setdefault((row.date, row.channel_group, row.currency), []).append(row.spend)
    return tuple((date, group, math.fsum(each), currency) for (date, group, currency), each in sorted(spent.items()))


def _records(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each row with its place in the file."""
    readers: dict[str, Callable[[Path], Iterator[tuple[str, Mapping[str, Any]]]]] = {
        ".csv": _of_csv,
        ".parquet": _of_parquet,
        ".yaml": _of_yaml,
        ".yml": _of_yaml,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise SpendError(f"{path}: a spend file is .csv, .parquet, .yaml or .yml")
    try:
        yield from reader(path)
    except (OSError, UnicodeDecodeError, csv.Error, yaml.YAMLError, pa.ArrowInvalid) as error:
        raise SpendError(f"{path}: it cannot be read: {error}") from error


def _of_csv(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        _require(path, reader.fieldnames or ())
        for values in reader:
            yield f"line {reader.line_num}", values


def _of_parquet(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    table = pq.read_table(path)
    _require(path, table.column_names)
    for number, values in enumerate(table.to_pylist(), 1):
        yield f"row {number}", values


def _of_yaml(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    items = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    if not isinstance(items, list):
        raise SpendError(f"{path}: it must be a list of rows, each with {', '.join(_REQUIRED)}")
    for number, values in enumerate(items, 1):
        yield f"item {number}", values if isinstance(values, dict) else {}


def _require(path: Path, columns: Any) -> None:
    absent = [name for name in _REQUIRED if name not in columns]
    if absent:
        raise SpendError(f"{path}: line 1: the column {absent[0]} is missing; it has {', '.join(columns) or 'none'}")


def _checked(values: Mapping[str, Any]) -> _Row:
    absent = [name for name in _REQUIRED if values.get(name) in (None, "")]
    if absent:
        raise ValueError(f"{absent[0]} is missing")
    if None in values:
        raise ValueError("a value without a column: more values than the first line has names")
    group = str(values["channel_group"]).strip()
    if group not in CHANNEL_GROUPS:
        raise ValueError(f"channel_group {group!r} is none of {', '.join(CHANNEL_GROUPS)}")
    currency = str(values["currency"]).strip().upper()
    if not CURRENCY.fullmatch(currency):
        raise ValueError(f"currency {currency!r} is no ISO 4217 code such as EUR")
    campaign = str(values.get("campaign") or "").strip()
    return _Row(_date(values["date"]), group, campaign, _amount(values["spend"]), currency)


def _date(value: Any) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError(f"date {value!r} is no date such as 2026-11-22") from None


def _amount(value: Any) -> float:
    try:
        amount = float(value)
    except (TypeError, ValueError):
        amount = math.nan
    if not 0 <= amount < math.inf:
        raise ValueError(f"spend {value!r} is no amount of 0 or more")
    return amount
