from __future__ import annotations

import math
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from event_assets.transforms.identity.components import TooManyRounds, connected_components
from event_assets_tests.examples import examples
from event_assets_tests.transforms.incremental import kept

Edges = list[tuple[str, str]]


def roots(spark: SparkSession, edges: Edges, max_rounds: int = 60) -> tuple[dict[str, str], int]:
    rows = spark.createDataFrame(edges, "left string, right string")
    found = connected_components(rows, partial(kept, spark), max_rounds)
    members = [(row["node"], row["root"]) for row in found.members.collect()]
    assert len(members) == len({node for node, _ in members})
    return dict(members), found.rounds


def by_search(edges: Edges) -> dict[str, str]:
    root = {node: node for edge in edges for node in edge if edge[0] != edge[1]}
    for _ in root:
        for left, right in edges:
            if left != right:
                root[left] = root[right] = min(root[left], root[right])
    return root


@examples(6)
@given(edges=st.lists(st.tuples(*[st.sampled_from("abcdefghijklmnop")] * 2), max_size=20))
def test_every_node_is_hung_to_the_smallest_of_its_component(spark: SparkSession, edges: Edges) -> None:
    assert roots(spark, edges)[0] == by_search(edges)


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 7919], ids=["in order", "mixed"])
def test_a_chain_of_ten_thousand_takes_as_many_rounds_as_its_length_can_be_halved(
    spark: SparkSession, step: int
) -> None:
    names = [f"{number * step % 10_007:05}" for number in range(10_000)]
    found, rounds = roots(spark, list(pairwise(names)))
    assert set(found.values()) == {min(names)} and len(found) == 10_000
    assert rounds <= math.ceil(math.log2(10_000))


def test_stars_take_no_round_at_all(spark: SparkSession) -> None:
    assert roots(spark, [("b", "a"), ("a", "c"), ("e", "d"), ("f", "f")]) == (
        {"a": "a", "b": "a", "c": "a", "d": "d", "e": "d"},
        0,
    )


def test_a_bound_that_is_too_low_is_an_error_that_says_so(spark: SparkSession) -> None:
    chain = [(f"{number:03}", f"{number + 1:03}") for number in range(200)]
    with pytest.raises(TooManyRounds, match="2 rounds"):
        roots(spark, chain, max_rounds=2)
