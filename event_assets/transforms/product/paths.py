"""Paths: which way people go through a session."""

from __future__ import annotations

from collections.abc import Collection

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from event_assets.transforms.product.matching import text_of

START, MIDDLE, END = "(start)", "(...)", "(end)"
_ORDER = ("_at", "_id")
_PAGE = "page_path"


def top_paths(
    events: DataFrame,
    by: str = "page_path",
    *,
    length: int = 5,
    start: str | None = None,
    end: str | None = None,
    collapse_repeats: bool = True,
    most: int = 1000,
) -> DataFrame:
    """The most frequent transitions of each step, in the columns of `PATHS` without `analysis`.

    `events` have `session_id`, `event_id`, `derived_at`, `properties`, and the column that `by` names (else it is a
    property); its values are the nodes of a path, and events without one are left out. Of a page's path the slash at
    the end does not count. `length` nodes are followed at the most: from the first `start` of a session on, where one
    is given; up to the first `end` after that, where one is given, and then the last ones before it; sessions without
    them do not count. With both, half of them stand at each end, and `(...)` for the rest of a longer way. Equal
    neighbours are one node, at the time of the last, unless `collapse_repeats` is off. A path that goes on after its
    last node has no `(end)`.

    >>> top_paths(events, "page_path", length=4, start="/pricing").orderBy("step", "transitions").show()
    """
    nodes = events.select(
        "session_id",
        F.unix_micros("derived_at").alias("_at"),
        F.col("event_id").alias("_id"),
        _node(by, events.columns).alias("_node"),
    ).where(F.col("session_id").isNotNull() & F.col("_node").isNotNull())
    if collapse_repeats:
        after = F.lead("_node").over(Window.partitionBy("session_id").orderBy(*_ORDER))
        nodes = nodes.withColumn("_after", after).where("_after IS NULL OR _after <> _node").drop("_after")
    if start is not None:
        nodes = _side_of(nodes, _named(by, start), after=True)
    if end is not None:
        nodes = _side_of(nodes, _named(by, end), after=False)
    if start is not None and end is not None:
        nodes, length = _shortened(nodes, length), length // 2 * 2 + 1
    edges = _edges(_at_most(nodes, length, from_end=end is not None), length)
    return _frequent(edges, most)


def _node(by: str, columns: Collection[str]) -> Column:
    text = text_of(by, columns)
    if by != _PAGE:
        return text
    has_slash = text.endswith("/") & (F.length(text) > 1)
    return F.when(has_slash, F.substring(text, F.lit(1), F.length(text) - 1)).otherwise(text)


def _named(by: str, name: str) -> str:
    return name.removesuffix("/") or name if by == _PAGE else name


def _side_of(nodes: DataFrame, name: str, *, after: bool) -> DataFrame:
    """The nodes from the first of this name on, or up to it; none of a session that does not have it."""
    first = F.min(F.when(F.col("_node") == name, F.struct(*_ORDER))).over(Window.partitionBy("session_id"))
    here = F.struct(*_ORDER)
    marked = nodes.withColumn("_first", first).where(F.col("_first").isNotNull())
    return marked.where(here >= F.col("_first") if after else here <= F.col("_first")).drop("_first")


def _shortened(nodes: DataFrame, length: int) -> DataFrame:
    """The nodes of ways longer than `length` with all between their two ends put together."""
    half = length // 2
    forward = Window.partitionBy("session_id").orderBy(*_ORDER)
    placed = nodes.withColumns(
        {"_place": F.row_number().over(forward), "_all": F.count(F.lit(1)).over(Window.partitionBy("session_id"))}
    )
    is_long = F.col("_all") > length
    is_middle = is_long & (F.col("_place") == half + 1)
    return (
        placed.where(~is_long | (F.col("_place") <= half + 1) | (F.col("_place") > F.col("_all") - half))
        .withColumn("_node", F.when(is_middle, F.lit(MIDDLE)).otherwise(F.col("_node")))
        .drop("_place", "_all")
    )


def _at_most(nodes: DataFrame, length: int, *, from_end: bool) -> DataFrame:
    """The nodes that are followed, each with its place on the path from 1, the next one, and whether none follows."""
    forward = Window.partitionBy("session_id").orderBy(*_ORDER)
    if from_end:
        backward = Window.partitionBy("session_id").orderBy(*(F.desc(name) for name in _ORDER))
        nodes = nodes.withColumn("_left", F.row_number().over(backward)).where(F.col("_left") <= length)
    return nodes.select(
        F.row_number().over(forward).alias("step"),
        F.col("_node").alias("from_node"),
        F.lead("_node").over(forward).alias("_next"),
        (F.lead("_at").over(forward) - F.col("_at")).alias("_took"),
    ).where(F.col("step") <= length)


def _edges(nodes: DataFrame, length: int) -> DataFrame:
    """One row a transition: from each node to the next one, to the first from the start, from the last to the end."""
    way_in = _edge(F.lit(0), F.lit(START), F.col("from_node"), F.lit(None))
    onward = _edge(F.col("step"), F.col("from_node"), F.coalesce(F.col("_next"), F.lit(END)), F.col("_took"))
    is_followed = F.col("_next").isNull() | (F.col("step") < length)
    both = F.array(F.when(F.col("step") == 1, way_in), F.when(is_followed, onward))
    return nodes.select(F.explode(both).alias("row")).where(F.col("row").isNotNull()).select("row.*")


def _edge(step: Column, from_node: Column, to_node: Column, took: Column) -> Column:
    return F.struct(
        step.cast("int").alias("step"),
        from_node.alias("from_node"),
        to_node.alias("to_node"),
        took.cast("long").alias("_took"),
    )


def _frequent(edges: DataFrame, most: int) -> DataFrame:
    counted = edges.groupBy("step", "from_node", "to_node").agg(
        F.count(F.lit(1)).alias("transitions"),
        # Summed as whole numbers, whose sum is the same in any order.
        (F.sum("_took") / F.nullif(F.count("_took"), F.lit(0)) / 1e6).alias("mean_seconds"),
    )
    place = Window.partitionBy("step").orderBy(F.desc("transitions"), "from_node", "to_node")
    return counted.withColumn("_place", F.row_number().over(place)).where(F.col("_place") <= most).drop("_place")
