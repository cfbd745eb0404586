"""What keeps a page quick: plain elements as one component, charts that wait to be seen, the browser's own choice.

A component costs a browser milliseconds, a callback some fifty, and a table has hundreds of cells: what needs neither a
callback nor a state of its own is drawn as elements, by `assets/markup.js`, and so is what comes for a page's places.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dash.development.base_component import Component

Node = str | list[Any]
"""A text, or a tag, its attributes, and what is in it."""
_NAMES = {"class": "className", "tabindex": "tabIndex", "colspan": "colSpan"}
"""Attributes that React calls otherwise."""


def element(tag: str, *inner: Node, **attributes: Any) -> Node:
    """An element with these attributes; `_` at the end of a name is left out, inside it is `-`.

    >>> element("p", "Hello", class_="quiet", aria_label="Greeting")
    ['p', {'className': 'quiet', 'aria-label': 'Greeting'}, 'Hello']
    """
    named = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items() if value is not None}
    return [tag, {_NAMES.get(name, name): value for name, value in named.items()}, *inner]


def text_of(nodes: Any) -> str:
    """Nodes, or what has some in it, as the browser reads them."""
    return json.dumps(nodes, ensure_ascii=False, separators=(",", ":"), default=str)


class _Component(Component):
    """A component that `assets/markup.js` draws."""

    _namespace = "event_assets"

    def __init__(self, **props: Any) -> None:
        self._type = type(self).__name__
        self._prop_names = list(props)
        self._valid_wildcard_attributes: list[str] = []
        super().__init__(**props)  # type: ignore[no-untyped-call]


class Markup(_Component):
    """A tree of elements, drawn as it is. It travels as one text, which is cheaper to compare than a tree."""

    def __init__(self, tree: Node) -> None:
        super().__init__(tree=text_of(tree))


class Places(_Component):
    """A page's places, row by row: of each its name, what stands there until `address` has sent what comes there, for
    the query that the browser's address has, and whether what comes may be higher or lower."""

    def __init__(
        self, id: dict[str, str], address: str, rows: Sequence[Sequence[tuple[str, Sequence[Node], bool]]]
    ) -> None:
        super().__init__(id=id, address=address, rows=text_of(rows))


def drawn(component: Component, height: int = 0) -> Node:
    """A component of another library that needs no callback, as an element. With a `height` in pixels it is drawn once
    somebody scrolls to it."""
    said = component.to_plotly_json()  # type: ignore[no-untyped-call]
    return ["@", {"of": [said["namespace"], said["type"]], "props": said["props"], "height": height}]


class Select(_Component):
    """A choice of one of a few options, each a value and its title, by the browser's own list."""

    def __init__(self, id: dict[str, str], label: str, options: Sequence[tuple[str, str]], value: str) -> None:
        super().__init__(id=id, label=label, options=options, value=value)
