"""Rows do not change unless their step's code version does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from event_assets_tests.pipeline.golden import FILE, codes, digests

pytestmark = pytest.mark.slow


def test_where_the_rows_of_a_table_change_its_code_version_does_too(spark: SparkSession, tmp_path: Path) -> None:
    golden, made, code = json.loads(FILE.read_text()), digests(spark, tmp_path), codes()
    forgotten = [
        name
        for name in made
        if name in golden and golden[name]["code"] == code[name] and golden[name]["rows"] != made[name]
    ]
    assert forgotten == [], "raise the CODE of the steps that make these tables: their rows changed"
    old = [name for name in made if golden.get(name) != {"code": code[name], "rows": made[name]}]
    assert old == [], "record the rows anew: python -m event_assets_tests.pipeline.golden"
