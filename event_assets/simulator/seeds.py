"""Random numbers that depend on nothing but a seed and what they are for, and ids made from them."""

from __future__ import annotations

import datetime as dt
from hashlib import blake2b
from itertools import accumulate
from random import Random
from typing import Protocol, TypeVar


class Weighted(Protocol):
    """Anything with a `weight`."""

    @property
    def weight(self) -> float: ...


W = TypeVar("W", bound=Weighted)


def seeded(*parts: int | str) -> Random:
    """A generator of its own for these parts, the same in every process and Python version."""
    digest = blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest()
    return Random(int.from_bytes(digest, "big"))


def pick(rng: Random, options: tuple[W, ...]) -> W:
    """One of the options, by weight."""
    return rng.choices(options, cum_weights=list(accumulate(option.weight for option in options)))[0]


def uuid7(rng: Random, at: float) -> str:
    """A version 7 UUID of that moment (epoch seconds)."""
    bits = (
        (int(at * 1000) & (2**48 - 1)) << 80 | 0x7 << 76 | rng.getrandbits(12) << 64 | 0b10 << 62 | rng.getrandbits(62)
    )
    return _dashed(f"{bits:032x}")


def uuid4(rng: Random) -> str:
    """A version 4 UUID."""
    bits = rng.getrandbits(128) & ~(0xF << 76) & ~(0b11 << 62) | 0x4 << 76 | 0b10 << 62
    return _dashed(f"{bits:032x}")


def _dashed(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def rfc3339(at: float, offset_minutes: int = 0) -> str:
    """That moment (epoch seconds) as RFC 3339 with milliseconds, in UTC (`Z`) or with an offset."""
    if not offset_minutes:
        return dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
    zone = dt.timezone(dt.timedelta(minutes=offset_minutes))
    return dt.datetime.fromtimestamp(at, zone).isoformat(timespec="milliseconds")
