"""Where a transform may put down what it has made so far. What stores the rows, and where, its caller knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class Checkpoint(Protocol):
    """Stores rows somewhere for the moment and gives them back, so that what made them is not done again."""

    def __call__(self, *frames: DataFrame) -> DataFrame:
        """The rows of all frames, which have the same columns. They are made one after another, never two at once."""
