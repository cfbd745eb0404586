"""Where what is in the account is not any more what was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_MOST = 5
_SHOWN = 60


def drift_of(asked: Any, found: Any) -> tuple[str, ...]:
    """The places where they differ, the first few. What AWS has beside what was asked for are its defaults."""
    places = list(_differences(asked, found, ""))
    more = (f"and {len(places) - _MOST} places more",) if len(places) > _MOST else ()
    return (*places[:_MOST], *more)


def _differences(asked: Any, found: Any, path: str) -> Iterator[str]:
    if isinstance(asked, Mapping) and isinstance(found, Mapping):
        for name, value in asked.items():
            yield from _differences(value, found.get(name), f"{path}.{name}" if path else name)
    elif isinstance(asked, list) and isinstance(found, list) and len(asked) == len(found):
        for number, (one, other) in enumerate(zip(asked, found, strict=True)):
            yield from _differences(one, other, f"{path}[{number}]")
    elif asked != found:
        yield f"{path}: {_shown(found)} instead of {_shown(asked)}"


def _shown(value: Any) -> str:
    text = "nothing" if value is None else f"{len(value)} items" if isinstance(value, list) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
