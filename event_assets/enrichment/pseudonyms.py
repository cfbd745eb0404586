"""Pseudonyms in the place of personal data: HMAC-SHA-256 with a key that the lake does not hold.

The same value gets the same pseudonym in whatever field, event and batch it comes, so that rows still join by it;
without the key nobody can tell or test which value it was.

Keys rotate by a further one, which makes the pseudonym of what was the pseudonym before: nobody needs the value for it,
what is known by the old pseudonym can be told by the new one, and whoever learns an old key can test nothing by it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Any, Self

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Raw

from event_assets.contract.paths import parts_of
from event_assets.contract.personal_data import JSON_COLUMNS, wrong_fields
from event_assets.enrichment.distinct import encoded

_IDS = frozenset({"anonymous_id", "user_id", "properties.previous_id"})
"""Ids are replaced together: identity could not join a device, a user and an `alias` otherwise."""

_object = msgspec.json.Decoder(dict[str, Raw])
_list = msgspec.json.Decoder(list[Raw])
_scalar = msgspec.json.Decoder(str)

_Tree = dict[str, Any]
"""Names inside a JSON object: None where the value is to be replaced, else the names inside that."""


@dataclass(frozen=True)
class Pseudonyms:
    """The fields to be replaced, and the keys, the oldest first. Raises `ValueError` for a field that cannot be."""

    fields: tuple[str, ...]
    keys: tuple[bytes, ...] = field(repr=False)

    def __post_init__(self) -> None:
        wrong = wrong_fields(self.fields)
        if wrong:
            raise ValueError("; ".join(wrong))
        if not self.keys or not all(self.keys):
            raise ValueError("a pseudonym needs a key")

    @classmethod
    def of_setting(cls, fields: tuple[str, ...], text: str) -> Self:
        """By the text of the setting: a key, or a JSON list of keys. Raises `ValueError` where it is neither."""
        return cls(fields, keys_of(text))

    @property
    def version(self) -> str:
        """Changes with fields and key; tells nothing of the key."""
        return self.of("\n".join(("version", *sorted(self.fields))))[:12]

    def of(self, value: str) -> str:
        """The pseudonym of a value: 64 hexadecimal digits.

        >>> Pseudonyms(("user_id",), (b"key",)).of("jane@example.com")[:16]
        '43c915a5fb2a55c3'
        """
        for key in self.keys:
            value = _under(value, key)
        return value

    def ever(self, value: str) -> tuple[str, ...]:
        """The value, and the pseudonym of it by each of the keys, the present one last.

        >>> [known[:4] for known in Pseudonyms(("user_id",), (b"key", b"next")).ever("jane@example.com")]
        ['jane', '43c9', 'a912']
        """
        return tuple(accumulate(self.keys, _under, initial=value))

    def since(self, known: str) -> Iterator[str]:
        """What is known by a pseudonym, of whichever of the keys it is, as it may be known now: the pseudonym itself,
        and what each rotation after it made of it."""
        for place in range(len(self.keys), 0, -1):
            later = known
            for key in self.keys[place:]:
                later = _under(later, key)
            yield later

    @cached_property
    def columns(self) -> frozenset[str]:
        """The columns that are replaced whole."""
        return frozenset(name for name in self._all if len(parts_of(name)) == 1)

    @property
    def replace_ids(self) -> bool:
        """Whether ids are among them."""
        return "user_id" in self.columns

    @cached_property
    def trees(self) -> dict[str, _Tree]:
        """The names to be replaced inside each JSON column."""
        trees: dict[str, _Tree] = {}
        for name in sorted(self._all):
            *parents, last = parts_of(name)
            if not parents:
                continue
            inside: Any = trees
            for parent in parents:
                inside = inside.setdefault(parent, {}) if inside is not None else None
            if inside is not None:
                inside[last] = None
        return trees

    @cached_property
    def _all(self) -> frozenset[str]:
        named = frozenset(self.fields)
        named |= {f"traits_once.{name.removeprefix('traits.')}" for name in named if name.startswith("traits.")}
        return named | _IDS if named & {"anonymous_id", "user_id"} else named


def keys_of(text: str) -> tuple[bytes, ...]:
    """The keys that a text names: it is one, or a JSON list of them, the oldest first. Raises `ValueError`.

    >>> keys_of("one"), keys_of('["one", "two"]')
    ((b'one',), (b'one', b'two'))
    """
    if not text.lstrip().startswith("["):
        return (text.encode(),)
    try:
        return tuple(key.encode() for key in msgspec.json.decode(text, type=list[str]))
    except msgspec.MsgspecError:
        raise ValueError('the keys of pseudonyms must be one, or a JSON list such as ["old key", "new key"]') from None


def _under(value: str, key: bytes) -> str:
    return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()


def pseudonymised(batch: pa.RecordBatch, pseudonyms: Pseudonyms) -> pa.RecordBatch:
    """The batch with pseudonyms in the fields that are named. Columns that are null or empty stay so."""
    for name in batch.schema.names:
        place = batch.schema.get_field_index(name)
        if name in pseudonyms.columns:
            batch = batch.set_column(place, batch.schema.field(place), _texts(batch.column(place), pseudonyms.of))
        elif name in JSON_COLUMNS and name in pseudonyms.trees:
            replaced = _objects(batch.column(place), pseudonyms.trees[name], pseudonyms.of)
            batch = batch.set_column(place, batch.schema.field(place), replaced)
    return batch


def _texts(column: Any, of: Callable[[str], str]) -> Any:
    values = encoded(column)
    return pa.array([of(value) if value else value for value in values.values], column.type).take(values.codes)


def _objects(column: Any, tree: _Tree, of: Callable[[str], str]) -> Any:
    """Only texts in which one of the names is, or an escape behind which it could be, are decoded."""
    likely = pc.fill_null(pc.match_substring(column, "\\"), False)
    for name in tree:
        likely = pc.or_(likely, pc.fill_null(pc.match_substring(column, msgspec.json.encode(name).decode()), False))
    if not pc.any(likely).as_py():
        return column
    texts = column.to_pylist()
    for row in pc.indices_nonzero(likely).to_pylist():
        texts[row] = _replaced(texts[row].encode(), tree, of).decode()
    return pa.array(texts, column.type)


def _replaced(text: bytes, tree: _Tree | None, of: Callable[[str], str]) -> bytes:
    """A JSON value with the named values inside replaced, those in lists too. All else keeps its text."""
    if text.startswith(b"["):
        return msgspec.json.encode([Raw(_replaced(bytes(item), tree, of)) for item in _list.decode(text)])
    if tree is None:
        return _pseudonym(text, of)
    if not text.startswith(b"{"):
        return text
    members = _object.decode(text)
    named = {name: Raw(_replaced(bytes(members[name]), tree[name], of)) for name in tree if name in members}
    return msgspec.json.encode({**members, **named})


def _pseudonym(text: bytes, of: Callable[[str], str]) -> bytes:
    """In the place of a text its pseudonym, of a number, flag or object the pseudonym of its JSON text."""
    if text in (b"null", b'""'):
        return text
    value = _scalar.decode(text) if text.startswith(b'"') else text.decode()
    return b'"' + of(value).encode() + b'"'
