"""Pseudonyms in the place of personal data: HMAC-SHA-256 with a key that the lake does not hold.

The same value gets the same pseudonym in whatever field, event and batch it comes, so that rows still join by it;
without the key nobody can tell or test which value it was.

Keys rotate by a further one, which makes the pseudonym of what was the pseudonym before: nobody needs the value for it,
what is known by the old pseudonym can be told by the new one, and whoever learns an old key can test nothing by it.

What is written before cleaning (a stream, raw and quarantined rows) has a pseudonym sealed in the value's place. It
tells itself from every value that a client could send, so that it is no value of which a pseudonym is made once more,
and has in it what later keys and the search for a person start from.
"""

from __future__ import annotations

import base64
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

_SEALED = "pseudonym."
_SEALED_BYTES = 48
_SEALED_CHARACTERS = len(_SEALED) + _SEALED_BYTES * 4 // 3
_TAG_BYTES = 16
_IDS = frozenset({"anonymous_id", "user_id", "properties.previous_id"})
"""Ids are replaced together: identity could not join a device, a user and an `alias` otherwise."""

_object = msgspec.json.Decoder(dict[str, Raw])
_list = msgspec.json.Decoder(list[Raw])
_scalar = msgspec.json.Decoder(str)

Tree = dict[str, Any]
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
        return self.ever(value)[-1]

    def ever(self, value: str) -> tuple[str, ...]:
        """The value, unless it is sealed, and the pseudonym of it by each of the keys, the present one last.

        >>> [known[:4] for known in Pseudonyms(("user_id",), (b"key", b"next")).ever("jane@example.com")]
        ['jane', '43c9', 'a912']
        """
        first = self._opened(value)
        if first is not None:
            return tuple(accumulate(self.keys[1:], _under, initial=first))
        return tuple(accumulate(self.keys, _under, initial=value))

    def sealed(self, value: str) -> str:
        """The pseudonym as it is written before cleaning, of which `of` and `ever` say what they say of the value:
        always the same under the same keys, of 74 characters. Of what is sealed already, by whichever of the keys, the
        same.

        >>> Pseudonyms(("user_id",), (b"key",)).sealed("jane@example.com")[:20]
        'pseudonym.wmPr2wzFv9'
        """
        return self._closed(self._opened(value) or _under(value, self.keys[0]), self._seals[-1])

    def ever_sealed(self, value: str) -> tuple[str, ...]:
        """The same by each of the keys, as it may stand in what was written before they were changed."""
        first = self._opened(value) or _under(value, self.keys[0])
        return tuple(self._closed(first, seal) for seal in self._seals)

    def is_sealed(self, value: str) -> bool:
        """Whether the text is a sealed pseudonym, which only who has one of the keys can make."""
        return self._opened(value) is not None

    def fingerprint(self, text: bytes) -> str:
        """Tells the same bytes again, to who has the key alone: 32 hexadecimal digits."""
        return _fingerprint(text, self._seals[-1])

    def is_fingerprint(self, text: bytes, by: str) -> bool:
        """Whether it is that of the bytes, by whichever of the keys."""
        return any(hmac.compare_digest(_fingerprint(text, seal), by) for seal in self._seals)

    @cached_property
    def _seals(self) -> tuple[tuple[bytes, bytes], ...]:
        """Of each key one to tell and one to cover with. Another hash than that of pseudonyms makes them, so that no
        value has one of them for its pseudonym."""
        made = (hmac.digest(key, b"sealed pseudonyms", "sha512") for key in self.keys)
        return tuple((both[:32], both[32:]) for both in made)

    def _closed(self, first: str, seal: tuple[bytes, bytes]) -> str:
        """The pseudonym by the first key, covered: the tag that tells it is the nonce of what covers it (a synthetic
        initialisation vector, as in RFC 5297)."""
        said, (tells, covers) = bytes.fromhex(first), seal
        tag = hmac.digest(tells, said, "sha256")[:_TAG_BYTES]
        return _SEALED + base64.urlsafe_b64encode(tag + _covered(said, covers, tag)).decode()

    def _opened(self, value: str) -> str | None:
        """The pseudonym by the first key that a sealed one has in it; None where it is none of ours."""
        if len(value) != _SEALED_CHARACTERS or not value.startswith(_SEALED):
            return None
        try:
            text = base64.b64decode(value[len(_SEALED) :], b"-_", validate=True)
        except ValueError:
            return None
        for tells, covers in reversed(self._seals):
            tag = text[:_TAG_BYTES]
            said = _covered(text[_TAG_BYTES:], covers, tag)
            if hmac.compare_digest(hmac.digest(tells, said, "sha256")[:_TAG_BYTES], tag):
                return said.hex()
        return None

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
    def trees(self) -> dict[str, Tree]:
        """The names to be replaced inside each JSON column."""
        trees: dict[str, Tree] = {}
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
    return hmac.digest(key, value.encode(), "sha256").hex()


def _fingerprint(text: bytes, seal: tuple[bytes, bytes]) -> str:
    return hmac.digest(seal[0], b"fingerprint" + text, "sha256").hex()[:32]


def _covered(said: bytes, key: bytes, nonce: bytes) -> bytes:
    """32 bytes covered, or uncovered: the same does both."""
    pad = int.from_bytes(hmac.digest(key, nonce, "sha256"))
    return (int.from_bytes(said) ^ pad).to_bytes(32)


def pseudonymised(batch: pa.RecordBatch, pseudonyms: Pseudonyms) -> pa.RecordBatch:
    """The batch with pseudonyms in the fields that are named. Columns that are null or empty stay so."""
    for name in batch.schema.names:
        place = batch.schema.get_field_index(name)
        if name in pseudonyms.columns:
            batch = batch.set_column(place, batch.schema.field(place), _texts(batch.column(place), pseudonyms.of))
        elif name in JSON_COLUMNS and name in pseudonyms.trees:
            texts = _objects(batch.column(place), pseudonyms.trees[name], pseudonyms.of)
            batch = batch.set_column(place, batch.schema.field(place), texts)
    return batch


def _texts(column: Any, of: Callable[[str], str]) -> Any:
    values = encoded(column)
    return pa.array([of(value) if value else value for value in values.values], column.type).take(values.codes)


def _objects(column: Any, tree: Tree, of: Callable[[str], str]) -> Any:
    """Only texts in which one of the names is, or an escape behind which it could be, are decoded."""
    likely = pc.fill_null(pc.match_substring(column, "\\"), False)
    for name in tree:
        likely = pc.or_(likely, pc.fill_null(pc.match_substring(column, msgspec.json.encode(name).decode()), False))
    if not pc.any(likely).as_py():
        return column
    texts = column.to_pylist()
    for row in pc.indices_nonzero(likely).to_pylist():
        texts[row] = replaced(texts[row].encode(), tree, of).decode()
    return pa.array(texts, column.type)


def replaced(text: bytes, tree: Tree | None, of: Callable[[str], str]) -> bytes:
    """A JSON value with the named values inside replaced, those in lists too. All else keeps its text."""
    if text.startswith(b"["):
        return msgspec.json.encode([Raw(replaced(bytes(item), tree, of)) for item in _list.decode(text)])
    if tree is None:
        return _pseudonym(text, of)
    if not text.startswith(b"{"):
        return text
    members = _object.decode(text)
    named = {name: Raw(replaced(bytes(members[name]), tree[name], of)) for name in tree if name in members}
    return msgspec.json.encode({**members, **named})


def _pseudonym(text: bytes, of: Callable[[str], str]) -> bytes:
    """In the place of a text its pseudonym, of a number, flag or object the pseudonym of its JSON text."""
    if text in (b"null", b'""'):
        return text
    value = _scalar.decode(text) if text.startswith(b'"') else text.decode()
    made = of(value)
    return text if made == value else b'"' + made.encode() + b'"'
