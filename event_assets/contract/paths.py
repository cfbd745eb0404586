r"""How files that users own name a value in an object: `a.b` is `b` in `a`; a dot that is part of a name is `\.`."""

from __future__ import annotations


def parts_of(path: str) -> tuple[str, ...]:
    r"""The names on a path, from the outside to the inside.

    >>> parts_of(r"gtm\.start.page")
    ('gtm.start', 'page')
    """
    parts = [""]
    characters = iter(path)
    for character in characters:
        if character == ".":
            parts.append("")
        else:
            parts[-1] += next(characters, character) if character == "\\" else character
    return tuple(parts)
