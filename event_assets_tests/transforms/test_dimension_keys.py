"""Keys that dimensions and facts carry."""

from __future__ import annotations

import hashlib

from hypothesis import example, given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from event_assets.transforms.dimension_keys import key_of
from event_assets_tests.examples import examples

Pair = tuple[str | None, str | None]
TEXTS = st.none() | st.text(max_size=3) | st.text("1:a(none)", max_size=6)


def key(*values: str | None) -> str:
    """What anybody who has the columns can tell."""
    texts = ["(none)" if value is None else value for value in values]
    return hashlib.md5("".join(f"{len(text)}:{text}" for text in texts).encode()).hexdigest()


@examples(5)
@given(pairs=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=40))
@example(pairs=[("a1:b", ""), ("a", "b"), ("ä\x1f", "\x1fb"), ("", "😀"), (None, "(none)"), ("1:a", "a")])
def test_a_key_follows_from_its_columns_alone_and_no_two_combinations_have_the_same(
    spark: SparkSession, pairs: list[Pair]
) -> None:
    rows = spark.createDataFrame(pairs, "one STRING, other STRING").select("*", key_of("one", "other").alias("key"))
    found = {(row["one"], row["other"]): row["key"] for row in rows.collect()}
    assert found == {pair: key(*pair) for pair in pairs}
    told = {tuple("(none)" if value is None else value for value in pair) for pair in pairs}
    assert len(set(found.values())) == len(told)
