"""An analysis that somebody just wrote, made over the lake as it is: no asset, nothing kept."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from event_assets.lake.lake import Lake
from event_assets.pipeline.analysing import Lakeside, rows_of, sources_of
from event_assets.rules.analysis import ANALYSIS_FILE, Analysis
from event_assets.rules.rule_files import RuleError
from event_assets.transforms.parts import cores_of
from event_assets.transforms.sessions.sessionise import SessionRules


class ExploreError(ValueError):
    """An analysis cannot be made of the lake as it is. The message says why, and what to do."""


def analysis_of(text: str) -> Analysis:
    """The analysis that a YAML text says. Raises `RuleError`, with a line for each fault."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "analysis.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            return ANALYSIS_FILE.read(path)
        except RuleError as fault:
            raise RuleError(str(fault).replace(f"{folder}/", "")) from None


def explore(lake: Lake, spark: SparkSession, analysis: Analysis, rules: SessionRules) -> list[Mapping[str, Any]]:
    """The rows of an analysis, in the columns and the order of the key of its table, without `analysis`. Raises
    `ExploreError` where the lake has not what it asks for."""
    sources = sources_of(analysis)
    missing = [source.name for source in sources if not lake.table(source.name).exists()]
    if missing:
        raise ExploreError(f"The lake has no {missing[0]} yet: send events, and let their tables follow.")
    tables = {source.name: lake.table(source.name).snapshot() for source in sources}
    with lake.scratch() as checkpoint:
        rows = rows_of(analysis, Lakeside(spark, tables, rules, cores_of(spark), checkpoint)).toArrow().to_pylist()
    names = [name for name in analysis.table.column_names if name != "analysis"]
    key = [name for name in analysis.table.key if name != "analysis"]
    ordered = sorted(rows, key=lambda row: [row[name] for name in key])
    return [{name: row[name] for name in names} for row in ordered]
