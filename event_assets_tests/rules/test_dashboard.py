"""A dashboard file is a dashboard, or the sentence that says on which line it is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from event_assets.rules.dashboard import DASHBOARD_FILE, dashboard_of
from event_assets.rules.rule_files import RuleError
from event_assets.settings import Settings

SOUND = """\
name: mine
title: Mine
tables:
  sessions: {table: fct_sessions, time: start_at, dimensions: {country: Country}}
metrics:
  sessions: {title: Sessions, kind: count, table: sessions, description: Sessions.}
  revenue: {title: Revenue, kind: sum, column: revenue, table: sessions, description: Revenue.}
  each: {title: Each, kind: ratio, numerator: revenue, denominator: sessions, table: sessions, description: Each.}
pages:
  - id: first
    title: First
    filters: [period]
    rows:
      - [{kind: number, metric: each}, {kind: table, by: country, metrics: [sessions, revenue]}]
"""


def written(folder: Path, *changes: tuple[str, str]) -> Path:
    text = SOUND
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "mine.yaml"
    path.write_text(text)
    return path


def test_the_shipped_dashboard_is_one_and_has_the_pages_that_people_open_first() -> None:
    dashboard = dashboard_of(Settings().dashboards)
    ids = [page.id for page in dashboard.pages]
    first = ["overview", "acquisition", "engagement", "retention", "funnels", "devices", "companies", "segments"]
    assert ids == [*first, "models", "anomalies"]
    assert all(metric.description for metric in dashboard.metrics.values())


def test_a_sound_file_is_read(tmp_path: Path) -> None:
    dashboard = DASHBOARD_FILE.read(written(tmp_path))
    assert dashboard.page("first") is not None and dashboard.page("second") is None
    assert dashboard.source_of("each").column("revenue").type == "double"


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("table: fct_sessions", "table: fct_session", 4, "there is no table 'fct_session'; there are fct_events"),
        ("time: start_at", "time: began", 4, "fct_sessions has no column 'began'"),
        ("time: start_at", "time: country", 4, "fct_sessions.country is no time"),
        ("kind: count,", "kind: many,", 6, "does not match any of the expected tags"),
        ("title: First", "titel: First", 11, "no such field, did you mean title?"),
        ("kind: number, metric: each", "kind: number", 14, "number needs metric, one"),
        ("filters: [period]", "filters: [mood]", 12, "Input should be 'period'"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    path = written(tmp_path, (old, new))
    with pytest.raises(RuleError) as told:
        DASHBOARD_FILE.read(path)
    assert [told for told in str(told.value).splitlines() if told.startswith(f"{path}:{line}: ") and words in told]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("column: revenue", "column: revenues", "fct_sessions has no column 'revenues'"),
        ("column: revenue", "column: country", "fct_sessions.country is no number"),
        ("numerator: revenue", "numerator: profit", "'profit' is no metric of sessions"),
        ("by: country", "by: browser", "'browser' is no dimension of sessions: country"),
        ("metric: each", "metric: all", "there is no metric 'all'; there are sessions, revenue, each"),
    ],
)
def test_names_that_do_not_fit_together_are_told(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(RuleError, match=words.replace(".", r"\.")):
        DASHBOARD_FILE.read(written(tmp_path, (old, new)))


def test_what_is_no_yaml_is_told_with_its_line_and_a_folder_has_one_file(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="there is none"):
        dashboard_of(tmp_path)
    path = written(tmp_path, ("title: Mine", "title: [Mine"))
    with pytest.raises(RuleError, match=rf"{path}:\d+: "):
        dashboard_of(tmp_path)
    (tmp_path / "other.yaml").write_text(SOUND)
    with pytest.raises(RuleError, match=r"mine\.yaml, other\.yaml"):
        dashboard_of(tmp_path)


def test_the_json_schema_names_every_kind_of_metric() -> None:
    [metric] = DASHBOARD_FILE.model.json_schema()["properties"]["metrics"]["patternProperties"].values()
    assert set(metric["discriminator"]["mapping"]) == {
        "count",
        "count_distinct",
        "sum",
        "avg",
        "share_where",
        "ratio",
        "percentile",
    }


DIGEST = """
digests:
  weekly: {pages: [first], cron: "0 8 * * 1", time_zone: Europe/Berlin, to: [ann@example.org]}
"""


def test_a_digest_is_of_pages_that_there_are_and_goes_somewhere(tmp_path: Path) -> None:
    path = written(tmp_path)
    sound = path.read_text() + DIGEST
    path.write_text(sound)
    assert DASHBOARD_FILE.read(path).digests["weekly"].to == ("ann@example.org",)
    personal = ("{country: Country}", "{country: Country, user_id: User}"), ("by: country", "by: user_id")
    for changes, words in (
        ([("pages: [first]", "pages: [second]")], "there is no page 'second'; there are first"),
        ([("to: [ann@example.org]", "to: [ann]")], "should match pattern"),
        ([(", to: [ann@example.org]", "")], "it goes nowhere"),
        ([("0 8 * * 1", "mondays")], "should match pattern"),
        ([("Europe/Berlin", "Berlin")], "there is no time zone 'Berlin'"),
        (personal, "page 'first' goes by user_id, which is personal, and is not sent"),
    ):
        text = sound
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path.write_text(text)
        with pytest.raises(RuleError) as told:
            DASHBOARD_FILE.read(path)
        assert words in str(told.value)
