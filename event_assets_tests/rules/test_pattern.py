"""Patterns of rules find the same on every engine."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from event_assets.rules.pattern import pattern_of
from event_assets_tests.examples import examples

PATTERNS = (
    "^/docs/",
    r"\.html?$",
    r"^\d{3}-[\w.]+$",
    "(?:a|b)+?c",
    r"[^\s/]+/$",
    "a.c",
    r"[a\-z\]^]",
    r"\W",
    "x|",
    r"\$\(\)",
    "é+",
)
TEXTS = (
    "/docs/1",
    "a.htm",
    "a.html\n",
    "123-a_b.c",
    "٣٣٣-x",
    "abac",
    "/a b/",
    "a\nc",
    "a\u2028c",
    "-",
    "]",
    "^",
    "é",
    "",
    "$()",
    "\u017f",
    "a\rc",
    "x\x0by",
)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(", "it is no regular expression"),
        ("(?i)a", "leave look-around, names and flags out"),
        ("(?=a)", "leave look-around"),
        (r"\bword", r"\b is not there"),
        (r"(a)\1", r"\1 is not there"),
        ("a++", "possessive"),
        ("[a&&b]", "inside of"),
        ("[[:alpha:]]", "inside of"),
        ("[a", "a [ has no ]"),
        ("[]", "inside of [ ] there is something"),
        ("a\\", "is not there"),
        ("a" * 1001, "at most 1000"),
        ("a{5000}", "up to 1000"),
        ("a{", "write \\{ for the sign"),
    ],
)
def test_what_not_every_engine_has_is_refused_in_a_sentence(pattern: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        pattern_of(pattern)


def test_every_engine_finds_what_the_pattern_says(spark_engine: SparkSession) -> None:
    rows = spark_engine.createDataFrame([(text,) for text in TEXTS], "text string")
    found = rows.select("text", *(F.col("text").rlike(pattern_of(each)).alias(each) for each in PATTERNS)).collect()
    for row in found:
        for each in PATTERNS:
            assert row[each] == bool(re.search(pattern_of(each, end=r"\Z"), row["text"])), (each, row["text"])


@examples(50)
@given(pattern=st.text(list(r"ab.^$*+?()[]|\dw-{}1,&"), max_size=12))
def test_a_pattern_is_taken_by_python_or_refused(pattern: str) -> None:
    try:
        made = pattern_of(pattern, end=r"\Z")
    except ValueError as refused:
        made = ""
        assert str(refused)  # noqa: PT017
    assert re.compile(made)
