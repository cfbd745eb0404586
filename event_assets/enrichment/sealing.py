"""Events with pseudonyms in them before cleaning: what the ingest API writes where it is told to (`pii_at`), and what
is kept of an event that is set aside.

What is replaced is what `pseudonyms` names, in the event's own shape in the place of columns; cleaning has the same
rows of it as of the event as it came.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Any

import msgspec
from msgspec import Raw

from event_assets.contract.decoder import Rejection, without_nul
from event_assets.contract.event import NESTED, Event
from event_assets.contract.personal_data import PLACES
from event_assets.contract.placeholders import Placeholders
from event_assets.contract.refused import refused_line, rejection_of
from event_assets.enrichment.pseudonyms import Pseudonyms, Tree, replaced

_MOST_BYTES = 70_000
"""Of what is larger, and breaks a rule, nothing is kept."""
_UNREADABLE = "unreadable"
_REMEMBERED = 65_536
_ID_IN_TEXT = re.compile(rb'"(user_id|anonymous_id)"\s*:\s*("(?:[^"\\]|\\.)*")')

_object = msgspec.json.Decoder(dict[str, Raw])
_encode = msgspec.json.encode


class Sealing:
    """Puts sealed pseudonyms into events. Words that are no ids stay: they name nobody, and cleaning must see them."""

    def __init__(self, pseudonyms: Pseudonyms, none: Placeholders = Placeholders()) -> None:
        self.pseudonyms = pseudonyms
        self._none = none
        self._of = lru_cache(_REMEMBERED)(self._sealed)

    def id(self, text: str) -> str:
        """An anonymous or user id as it is written: itself where ids are not replaced."""
        return self._of(text) if self.pseudonyms.replace_ids else text

    def event(self, line: bytes) -> bytes:
        """The text of an event that keeps the contract."""
        return _encode(_within(_object.decode(without_nul(line)), self._tree, self._of))

    def set_aside(self, why: Rejection, text: bytes, protocol: str | None = None) -> bytes:
        """The line in the place of a text that is no event, with why it is none."""
        if rejection_of(text) is not None:
            return self.kept(text)
        return refused_line(why, self._kept(text, protocol))

    def kept(self, text: bytes) -> bytes:
        """What is kept of any text that is set aside: an object with pseudonyms in it, and in the place of fields that
        the contract does not know; of all else how long it was, by what it would be known again, and whose it says to
        be."""
        return _encode(self._kept(text, None)) if text else text

    def _kept(self, text: bytes, protocol: str | None) -> Mapping[str, Any]:
        told = {"protocol": protocol} if protocol else {}
        try:
            if len(text) <= _MOST_BYTES:
                return self._of_no_event(_object.decode(text), rejection_of(text) is not None) | told
        except (ValueError, RecursionError):
            pass
        unread = {"bytes": len(text), "fingerprint": self.pseudonyms.fingerprint(text)}
        return told | {_UNREADABLE: unread} | dict(self._ids_in(text))

    def _of_no_event(self, members: dict[str, Raw], is_ours: bool) -> dict[str, Any]:
        """The members of an object that is no event, without an address. Where something else stands than the contract
        has there, nobody knows what is in it: all of it is replaced."""
        kept = _within(members, self._tree, self._of)
        for name in members:
            text = bytes(members[name])
            if name in Event.__struct_fields__:
                is_known = name not in self._tree or self._tree[name] is None or text.startswith(b"{")
            else:
                is_known = name == "protocol" or (is_ours and name in ("refused", _UNREADABLE))
            if not is_known:
                kept[name] = Raw(replaced(text, None, self._of))
        kept.pop("ip", None)
        return kept

    def _ids_in(self, text: bytes) -> Iterator[tuple[str, str]]:
        """So that who is erased is found in what nobody can read, too."""
        if not self.pseudonyms.replace_ids:
            return
        for name, token in _ID_IN_TEXT.findall(text):
            try:
                yield name.decode(), self._of(msgspec.json.decode(token, type=str))
            except ValueError:
                yield name.decode(), self._of(token[1:-1].decode("utf-8", "replace"))

    @cached_property
    def _tree(self) -> Tree:
        """The names to be replaced in an event."""
        tree: Tree = {}
        for column in self.pseudonyms.columns:
            *heads, last = PLACES[column]
            inside = tree
            for head in heads:
                inside = inside.setdefault(head, {})
            inside[last] = None
        for name, inside in self.pseudonyms.trees.items():
            if name != "extra":
                tree[name] = inside
        for name, inside in self.pseudonyms.trees.get("extra", {}).items():
            tree |= self._unknown(tree, name, inside)
        return tree

    def _unknown(self, tree: Tree, name: str, inside: Tree | None) -> Tree:
        """What stands in `extra` under a name: a field that the contract does not know, or what it does not know in
        one that it does."""
        if name not in Event.__struct_fields__:
            return {name: inside}
        if name == "context" and inside is not None:
            return {name: inside}
        if name not in NESTED or inside is None:
            return {}
        unknown = {inner: tree for inner, tree in inside.items() if inner not in NESTED[name].__struct_fields__}
        return {name: {**tree.get(name, {}), **unknown}}

    def _sealed(self, value: str) -> str:
        return value if value in self._none else self.pseudonyms.sealed(value)


def _within(members: dict[str, Raw], tree: Tree, of: Callable[[str], str]) -> dict[str, Any]:
    """The members with what is named in them replaced."""
    return {
        name: Raw(replaced(bytes(text), tree[name], of)) if name in tree else text for name, text in members.items()
    }
