"""Looks for bodies that cost a collector much for their size: random ones, and the worst of them changed over and over.

A body is a few pieces of text, each repeated, in an encoding of some members. Its cost is the processor time of
unpacking, cutting and validating it in this process, for each byte that travels. Printed: the worst that were found,
with their time at a full body of 1 MiB, and how the time grows when the body doubles (2 is in proportion, more is not).
"""

from __future__ import annotations

import argparse
import datetime as dt
import gzip
import json
import random
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import zstandard

from event_assets.collector.compression import unpack
from event_assets.collector.errors import RequestRefused
from event_assets.collector.limits import CollectorLimits
from event_assets.collector.stamp import Stamp
from event_assets.collector.validator import Validator
from event_assets.contract.plan import TrackingPlan
from event_assets.settings import load_settings

Pack = Callable[[bytes], bytes]
LIMITS = CollectorLimits()
KEPT = 24
TRIAL_BYTES = 64 * 1024
_EVENT = b'{"event_id":"e","event":"%s","platform":"web","anonymous_id":"a"'
PIECES = (
    *(b"[", b"]", b"{", b"}", b'"', b",", b":", b"\n", b"\r\n", b" ", b"\\", b"0", b"1", b"-", b"e9", b".5"),
    *(b"null", b"true", b"{}", b"[]", b'""', b"1e308", b"9" * 400, b'{"a":', b'"a":1,', b'"x":"y",', b"]}}", b'"}}'),
    *(b"\\u0000", b"\\ud800", b'"\\n"', b"\x00", b"\xff", b"\xc3\xa9", b"\xf0\x9f\x98\x80"),
    *(_EVENT % b"search" + b"}", _EVENT % b"purchase" + b',"properties":{', _EVENT % b"x" + b',"traits":{"a":['),
    *(b',"consent":{"analytics":false},"page":{"url":"http://a/', b'"device":{"user_agent":"', b'"received_at":"'),
    *(b'"occurred_at":"2026-11-22T10:00:00Z",', b'"%s",' % random.Random(0).randbytes(2_000).hex().encode()),
)
"""The last one does not pack well, which lets a text be long without being a bomb."""
PACKS: dict[str, Pack] = {
    "identity": bytes,
    "gzip": lambda text: gzip.compress(text, 9, mtime=0),
    "deflate": zlib.compress,
    "zstd": zstandard.ZstdCompressor(level=9).compress,
}


class Recipe(NamedTuple):
    """How a body is made: (piece, how often) again and again, cut into so many members of an encoding."""

    pieces: tuple[tuple[bytes, int], ...]
    encoding: str
    members: int
    kind: str

    def body(self, size: int) -> bytes:
        """The body, of about so many bytes before it is packed and no more than are taken after."""
        once = b"".join(piece * times for piece, times in self.pieces)
        text = (once * (size // len(once) + 1))[:size]
        if self.encoding in ("gzip", "zstd"):
            step = max(1, len(text) // self.members)
            parts = [text[start : start + step] for start in range(0, len(text), step)]
        else:
            parts = [text]
        return b"".join(map(PACKS[self.encoding], parts))[: LIMITS.body_bytes]


class Found(NamedTuple):
    """A recipe and what it costs: nanoseconds a byte that travels."""

    ns_per_byte: float
    recipe: Recipe


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks search", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seconds", type=float, default=60, help="how long to look")
    parser.add_argument("--seed", type=int, default=0, help="where to begin")
    asked = parser.parse_args(argv)
    cost = _cost()
    rows = [_row(found, cost) for found in search(asked.seconds, asked.seed, cost)]
    if asked.json:
        print(json.dumps(rows))
    else:
        for row in rows:
            print(f"{row['ns_per_byte']:>8} ns/byte {row['full_ms']:>8} ms  x{row['growth']:<5} {row['recipe']}")
    return 0


def search(seconds: float, seed: int, cost: Callable[[bytes, Recipe], float]) -> list[Found]:
    """The costliest recipes that were met, the worst first, of different encodings and first pieces."""
    chance = random.Random(seed)
    kept: list[Found] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        recipe = _changed(chance.choice(kept).recipe, chance) if kept and chance.random() < 0.7 else _random(chance)
        body = recipe.body(TRIAL_BYTES)
        kept.append(Found(cost(body, recipe) / max(len(body), 1_024) * 1e9, recipe))
        kept = sorted(kept, reverse=True)[:KEPT]
    different: dict[tuple[str, str, bytes], Found] = {}
    for found in kept:
        different.setdefault((found.recipe.encoding, found.recipe.kind, found.recipe.pieces[0][0]), found)
    return list(different.values())[:8]


def _cost() -> Callable[[bytes, Recipe], float]:
    """Seconds of processor time that the collector's own steps take for a body; the better of two runs."""
    validator = Validator(TrackingPlan.load(load_settings().plan), LIMITS.event, "strip")
    stamp = Stamp(dt.datetime(2026, 11, 22, tzinfo=dt.UTC), "203.0.113.7", "Mozilla/5.0", (), lambda address: address)

    def once(body: bytes, recipe: Recipe) -> float:
        began = time.process_time()
        try:
            text = unpack(body, recipe.encoding, LIMITS)
            validator.validate(validator.batch_of(text, LIMITS, recipe.kind == "lines"), stamp)
        except RequestRefused:
            pass
        return time.process_time() - began

    return lambda body, recipe: min(once(body, recipe), once(body, recipe))


def _random(chance: random.Random) -> Recipe:
    pieces = tuple((chance.choice(PIECES), _times(chance)) for _ in range(chance.randint(1, 6)))
    return Recipe(
        pieces, chance.choice(list(PACKS)), chance.choice((1, 3, 900, 5_000)), chance.choice(("json", "lines"))
    )


def _changed(recipe: Recipe, chance: random.Random) -> Recipe:
    pieces = list(recipe.pieces)
    place = chance.randrange(len(pieces))
    match chance.randrange(5):
        case 0:
            pieces[place] = (pieces[place][0], _times(chance))
        case 1:
            pieces[place] = (chance.choice(PIECES), pieces[place][1])
        case 2:
            pieces.insert(place, (chance.choice(PIECES), _times(chance)))
        case 3 if len(pieces) > 1:
            del pieces[place]
        case _:
            return _random(chance)._replace(pieces=recipe.pieces)
    return recipe._replace(pieces=tuple(pieces[:10]))


def _times(chance: random.Random) -> int:
    return int(10 ** chance.uniform(0, 4.5))


def _row(found: Found, cost: Callable[[bytes, Recipe], float]) -> dict[str, float | str]:
    """What is printed of a find: with a body as large as one may be, and one of half of that."""
    size = LIMITS.body_bytes if found.recipe.encoding == "identity" else LIMITS.unpacked_bytes
    whole, half = found.recipe.body(size), found.recipe.body(size // 2)
    full_seconds = cost(whole, found.recipe)
    shown = " ".join(f"{piece[:24]!r}*{times}" for piece, times in found.recipe.pieces)
    return {
        "ns_per_byte": round(full_seconds / max(len(whole), 1_024) * 1e9, 1),
        "full_ms": round(full_seconds * 1e3, 1),
        "growth": round(full_seconds / max(cost(half, found.recipe), 1e-6), 1),
        "recipe": f"{found.recipe.encoding} x{found.recipe.members} {found.recipe.kind}: {shown}",
    }


if __name__ == "__main__":
    sys.exit(main())
