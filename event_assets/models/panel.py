"""Series of one metric each, side by side over the same steps of time: what detectors are given.

How the numbers were counted, and from which tables, is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.int64]
Kind = Literal["count", "rate", "value"]
"""count: how many of something a step has. rate: how many of those that might. value: any number, such as revenue or
seconds."""
ALL = "all"
"""The dimension of a series of everything."""


class SeriesKey(NamedTuple):
    """Of what a series is: a metric, of the rows that have this value of a dimension."""

    metric: str
    dimension: str
    value: str


@dataclass(frozen=True)
class Panel:
    """Series side by side.

    `amounts` has a row a series and a column a step; `wholes` has what a rate is of, and is not read of other kinds.
    `begins`: the first step of each series from which on it may be expected to say something. `season`: how many steps
    make a week, or a day. `known`: steps that are unusual for a reason that is known (a holiday, a deploy): nothing is
    told of them, and nothing is learnt from them.
    """

    keys: Sequence[SeriesKey]
    kinds: Sequence[Kind]
    amounts: Numbers
    wholes: Numbers
    begins: NDArray[np.int64]
    season: int
    known: Flags

    def __post_init__(self) -> None:
        """Raises `ValueError` where the parts do not belong together."""
        shape = self.amounts.shape
        if len(shape) != 2 or self.wholes.shape != shape or self.known.shape != shape:
            raise ValueError(f"amounts, wholes and known must be series by steps; they are {shape}, "
                             f"{self.wholes.shape}, {self.known.shape}")  # fmt: skip
        if not len(self.keys) == len(self.kinds) == len(self.begins) == shape[0]:
            raise ValueError(f"{shape[0]} series need as many keys, kinds and beginnings")
        if not np.isfinite(self.amounts).all() or not np.isfinite(self.wholes).all():
            raise ValueError("a series must have a finite number at each step")

    @property
    def steps(self) -> int:
        return int(self.amounts.shape[1])

    def of_kind(self, kind: Kind) -> Flags:
        """Which series are of that kind."""
        return np.array([each == kind for each in self.kinds], dtype=bool)
