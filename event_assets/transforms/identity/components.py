"""Connected components of a graph of ids, in DataFrames.

What an edge means is not known here: see identities.py.
"""

from __future__ import annotations

from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from event_assets.transforms.checkpoint import Checkpoint

MAX_ROUNDS = 60
"""More rounds than any graph needs: they grow with the logarithm of its longest path."""


class Components(NamedTuple):
    """`members` has a row (node, root) for every node with an edge, the root its component's smallest node."""

    members: DataFrame
    rounds: int


class TooManyRounds(RuntimeError):
    """The components did not settle. The message says after how many rounds."""


def connected_components(edges: DataFrame, checkpoint: Checkpoint, max_rounds: int = MAX_ROUNDS) -> Components:
    """The components of `edges` (columns left, right; texts, in any direction and number).

    Alternating large and small stars (Kiveris et al. 2014): every node is hung to the smallest of its neighbours, until
    each component is one star. Both steps keep what is connected connected, so stars that share no node are the
    components. Only whether one still hangs otherwise comes to the driver. Raises `TooManyRounds` rather than give
    components that are not finished.
    """
    ends = edges.where("left <> right")
    stars = checkpoint(
        ends.select(F.greatest("left", "right").alias("node"), F.least("left", "right").alias("root")).distinct()
    )
    rounds = 0
    while not _are_stars(stars):
        if rounds == max_rounds:
            raise TooManyRounds(f"components did not settle in {max_rounds} rounds: they still change")
        stars = checkpoint(_small_star(_large_star(stars)))
        rounds += 1
    roots = stars.select(F.col("root").alias("node"), "root").distinct()
    return Components(stars.unionByName(roots), rounds)


def _are_stars(stars: DataFrame) -> bool:
    """Whether every node hangs on one root, and no root on another."""
    torn = stars.groupBy("node").agg(F.count(F.lit(1)).alias("roots")).where("roots > 1").select("node")
    hung = stars.join(stars.select(F.col("node").alias("root")), "root", "left_semi").select("node")
    return torn.unionByName(hung).limit(1).count() == 0


def _large_star(stars: DataFrame) -> DataFrame:
    """Every larger neighbour of a node is hung to the smallest of the node and its neighbours."""
    both = stars.unionByName(stars.select(F.col("root").alias("node"), F.col("node").alias("root")))
    smallest = both.groupBy("node").agg(F.least(F.min("root"), F.first("node")).alias("smallest"))
    hung = both.join(smallest, "node").where("root > node")
    return hung.select(F.col("root").alias("node"), F.col("smallest").alias("root")).distinct()


def _small_star(stars: DataFrame) -> DataFrame:
    """A node and its smaller neighbours are hung to the smallest of these."""
    smallest = stars.groupBy("node").agg(F.min("root").alias("smallest"))
    neighbours = stars.join(smallest, "node").where("root <> smallest")
    hung = neighbours.select(F.col("root").alias("node"), F.col("smallest").alias("root"))
    return hung.unionByName(smallest.select("node", F.col("smallest").alias("root"))).distinct()
