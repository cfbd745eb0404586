"""A file of events becomes tables of Parquet, the same every time; what cannot be modelled is said in a sentence."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from typer.testing import CliRunner

from event_assets.cli import app
from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.definitions import build_defs
from event_assets.pipeline.registry import STEPS
from event_assets.settings import Settings, SettingsError
from event_assets.stack import modelling
from event_assets.stack.modelling import ModelInputError, model_file, with_receipt
from event_assets_tests.modelling import DATA, NOON, Model, event, write_lines

pytestmark = pytest.mark.slow

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
CENTURY = "2126-03-01T10:00:00Z"
WRONG_CLOCKS: list[dict[str, str]] = [
    {"occurred_at": CENTURY},
    {"occurred_at": CENTURY, "sent_at": CENTURY},
    {"derived_at": CENTURY},
    {"received_at": CENTURY},
    {"received_at": CENTURY, "derived_at": CENTURY},
    {"occurred_at": "1970-01-21T12:15:59.200Z"},
]
RULES = {
    "analyses": {
        "active": "{kind: active_users, name: active}",
        "buying": "{kind: funnel, name: buying, days: 30, steps: [{event: signup}, {event: purchase}]}",
        "coming_back": "{kind: retention, name: coming_back, period: day, periods: 3}",
        "stages": "{kind: lifecycle, name: stages, period: day}",
        "sticking": "{kind: stickiness, name: sticking, days: null}",
    },
    "segments": {"buyers": "{name: buyers, who: {did: {event: purchase}, last: 30 days}}"},
}


@pytest.fixture
def model(spark: SparkSession, tmp_path: Path) -> Model:
    return Model(spark, tmp_path)


def visits() -> list[dict[str, Any]]:
    """Two devices and a user, a purchase, a copy and a line that breaks a rule."""
    purchase = event("purchase", user_id="u1", occurred_at="2024-05-01T12:05:00Z", properties={"revenue": 12.5})
    return [
        event(page_view_id="p1", page={"url": "https://shop.example/?utm_source=news&utm_medium=email"}),
        event("identify", user_id="u1", occurred_at="2024-05-01T12:01:00Z", traits={"plan": "free"}),
        purchase,
        purchase,
        event(anonymous_id="a2", page_view_id="p2", occurred_at="2024-05-02T12:00:00Z"),
        event(platform="toaster"),
    ]


# Tables --------------------------------------------------------------------------------------------------------------


def test_every_table_is_written_with_exactly_the_columns_of_the_contract(model: Model) -> None:
    modelled = model.run(visits())
    for table in LAKE_TABLES:
        found = pq.read_table(model.out / table.name)
        assert found.schema == table.arrow_schema(), table.name
        assert found.num_rows == modelled.rows[table.name] == len(pd.read_parquet(model.out / table.name))
    assert modelled.reconciliation.reasons == {"invalid_value": 1}
    assert (modelled.reconciliation.landed, modelled.reconciliation.enriched, modelled.reconciliation.duplicates) == (
        6,
        4,
        1,
    )


def test_people_who_saw_no_page_have_sessions_a_path_and_credit(model: Model) -> None:
    lines = [event("click", anonymous_id=f"a{n}", platform="ios" if n % 2 else "web") for n in range(4)]
    paid = {"properties": {"revenue": 30}, "occurred_at": "2024-05-01T12:05:00Z"}
    model.run([*lines, *(event("purchase", anonymous_id=f"a{n}", **paid) for n in range(2))])
    for table in ("visitors", "users"):
        assert [row["sessions"] for row in model.rows(table)] == [1] * 4
    days = model.rows("daily_metrics")
    assert {name: sum(row[name] for row in days) for name in ("sessions", "visitors", "revenue")} == {
        "sessions": 4,
        "visitors": 4,
        "revenue": 60,
    }
    assert [row["path"] for row in model.rows("conversion_paths")] == ["Direct"] * 4
    credits = {(row["channel_group"], row["conversions"], row["revenue"]) for row in model.rows("attribution")}
    assert credits == {("Direct", 2, 60)}


def test_a_servers_order_takes_no_credit_from_the_visit_that_led_to_it(model: Model) -> None:
    visit = event(user_id="u1", page={"url": "https://shop.example/?utm_source=google&utm_medium=cpc"})
    signed = event("identify", user_id="u1")
    order = event("purchase", anonymous_id=None, user_id="u1", platform="server", occurred_at="2024-05-03T12:00:00Z")
    model.run([visit, signed, order])
    assert {row["path"] for row in model.rows("conversion_paths")} == {"Paid Search"}


def test_views_count_with_an_id_or_without_of_pages_or_screens(model: Model) -> None:
    def views(who: str, count: int, **fields: Any) -> list[dict[str, Any]]:
        times = (f"2024-05-01T12:{2 * n:02}:00Z" for n in range(count))
        return [event(anonymous_id=who, occurred_at=at, **fields) for at in times]

    model.run([*views("ann", 3), *views("ben", 1), *views("mia", 5, name="screen_view", platform="ios")])
    names = ("anonymous_id", "page_views", "is_engaged", "is_bounce")
    assert sorted(tuple(row[name] for name in names) for row in model.rows("sessions")) == [
        ("ann", 3, True, False),
        ("ben", 1, False, True),
        ("mia", 5, True, False),
    ]
    places = [(row["anonymous_id"], row["index_in_session"]) for row in model.rows("page_views")]
    assert sorted(places) == [*(("ann", n) for n in (1, 2, 3)), ("ben", 1), *(("mia", n) for n in range(1, 6))]
    assert sum(row["page_views"] for row in model.rows("daily_metrics")) == 9


def test_an_order_that_is_sent_twice_is_one_conversion_and_one_revenue_everywhere(model: Model) -> None:
    sold = {"properties": {"order_id": "O-1", "revenue": 50.1, "currency": "EUR"}}
    again = [event("purchase", occurred_at=f"2024-05-0{day}T12:01:00Z", **sold) for day in (1, 1, 2)]
    for ids, count, earned in ({"purchase": "order_id"}, 1, 50.1), ({}, 3, 150.3):
        model.run([event(), *again], conversion_ids=ids)
        for table in ("sessions", "users", "daily_metrics", "conversions", "conversion_paths"):
            rows = model.rows(table)
            assert sum(row.get("conversions", 1) for row in rows) == count, table
            assert round(sum(row["revenue"] for row in rows), 6) == earned, table
        assert {row["revenue"] for row in model.rows("attribution")} == {earned}


def test_sessions_can_start_with_pages_only(model: Model) -> None:
    model.run([event("click"), event(anonymous_id="a2")], session_starts_with="page")
    assert [row["anonymous_id"] for row in model.rows("sessions")] == ["a2"]


def test_a_file_gives_the_same_rows_every_time_in_place_of_those_before(model: Model) -> None:
    lines = visits()
    of_arrival = {"arrival_date", "minute"}
    tables = [table.name for table in LAKE_TABLES if of_arrival.isdisjoint(table.column_names)]
    model.run(lines)
    first = {name: model.rows(name) for name in tables}
    model.run([*lines, event(anonymous_id="a3")])
    assert len(model.rows("visitors")) == len(first["visitors"]) + 1
    model.run(lines)
    assert {name: model.rows(name) for name in tables} == first


def test_all_steps_together_make_every_table_once_and_so_do_the_assets() -> None:
    made = [table.name for step in STEPS for table in step.tables]
    assert sorted(made) == sorted(table.name for table in LAKE_TABLES)
    specs = build_defs(Settings()).resolve_all_asset_specs()
    assert {spec.key.to_user_string() for spec in specs} >= set(made)


def test_analyses_that_a_setting_names_are_made_too(model: Model, tmp_path: Path) -> None:
    (tmp_path / "analyses").mkdir()
    file = tmp_path / "analyses" / "buying.yaml"
    file.write_text("{kind: funnel, name: buying, steps: [{event: page_view}, {event: purchase}]}")
    model.run(visits(), analytics_dir="analyses")
    assert sorted((row["step"], row["people"]) for row in model.rows("funnels")) == [(1, 2), (2, 1)]
    file.write_text("{kind: funnel, name: buying}")
    with pytest.raises(SettingsError, match=r"buying\.yaml:1: analysis buying: steps: it is required"):
        model.run(visits(), analytics_dir="analyses")


def test_segments_that_a_setting_names_are_made_too(model: Model, tmp_path: Path) -> None:
    (tmp_path / "segments").mkdir()
    file = tmp_path / "segments" / "buyers.yaml"
    file.write_text("{name: buyers, who: {did: {event: purchase}}}")
    model.run(visits(), segments_dir="segments")
    [row] = model.rows("segment_memberships")
    [sale] = [row for row in model.rows("enriched_events") if row["event"] == "purchase"]
    assert (row["segment"], row["from_date"], row["to_date"]) == ("buyers", sale["event_date"], None)
    file.write_text("{name: buyers, who: {did: {evnt: purchase}}}")
    with pytest.raises(
        SettingsError,
        match=r"buyers\.yaml:1: segment buyers: who\.did\.evnt: there is no such field, did you mean event",
    ):
        model.run(visits(), segments_dir="segments")


# What is taken as given ----------------------------------------------------------------------------------------------


def test_ids_and_times_of_the_file_are_taken(model: Model) -> None:
    given: dict[str, Any] = {
        "event_id": "x",
        "session_id": "s",
        "page_view_id": "p",
        "received_at": "2024-05-03T00:00:00Z",
        "derived_at": "1999-12-31T23:59:59.5Z",
        "ip": "8.8.8.8",
        "device": {"user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"},
    }
    model.run([event(**given)], ip_privacy="keep", first_day="1990-01-01")
    [row] = model.rows("enriched_events")
    assert row["received_at"] == dt.datetime(2024, 5, 3, tzinfo=dt.UTC)
    assert row["derived_at"] == dt.datetime(1999, 12, 31, 23, 59, 59, 500_000, dt.UTC)
    assert (row["ip"], row["session_id"], row["browser"], row["country"]) == ("8.8.8.8", "s", "Firefox", "US")
    assert [(view["page_view_id"], view["session_id"]) for view in model.rows("page_views")] == [("p", "s")]


@pytest.mark.parametrize(
    ("times", "received"),
    [
        ({"received_at": "2024-05-01T00:00:00Z", "sent_at": NOON}, "2024-05-01T00:00:00Z"),
        ({"sent_at": "2024-05-01T12:00:02Z", "occurred_at": NOON}, "2024-05-01T12:00:02Z"),
        ({"occurred_at": "2024-05-01T14:00:00+02:00"}, NOON),
        ({"occurred_at": NOON, "derived_at": "2024-05-01T11:00:00Z"}, NOON),
        ({"occurred_at": "2015-01-01T00:00:00Z", "derived_at": NOON}, NOON),
        ({"received_at": None, "occurred_at": NOON}, NOON),
        ({"occurred_at": "2016-12-31T23:59:60Z"}, "2017-01-01T00:00:00Z"),
        ({}, "2026-01-01T00:00:00Z"),
    ],
)
def test_an_event_without_a_receipt_is_received_when_it_was_sent_else_when_it_happened(
    times: dict[str, Any], received: str
) -> None:
    filled = json.loads(with_receipt(json.dumps({"event": "x", **times}).encode(), NOW))
    assert dt.datetime.fromisoformat(filled["received_at"]) == dt.datetime.fromisoformat(received)


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"nonsense", b'{"sent_at": 5}', b'{"occurred_at": "2024-05-01T12:00:00"', b""]
)
def test_a_line_that_is_no_event_stays_as_it_is(line: bytes) -> None:
    assert with_receipt(line, NOW) == line


def test_of_copies_received_at_the_same_moment_the_first_of_the_file_counts(model: Model) -> None:
    copies = [event(event_id="same", anonymous_id=f"a{number}", properties={"n": number}) for number in (3, 1, 2)]
    modelled = model.run(copies)
    assert [row["anonymous_id"] for row in model.rows("enriched_events")] == ["a3"]
    assert modelled.reconciliation.conflicts == 2


def test_history_is_taken_back_to_the_first_day(model: Model) -> None:
    lines = [event(occurred_at=f"{year}-01-01T00:00:00Z") for year in (1970, 1999, Settings().first_day.year)]
    assert model.run(lines).reconciliation.reasons == {"past": 2}
    assert model.run(lines, first_day="1970-01-01").reconciliation.enriched == 3


def test_a_word_for_none_joins_nobody_and_cuts_no_common_session(model: Model) -> None:
    """Six phones say the user and session `null` before two of them say who they are."""
    said = {"user_id": "null", "session_id": "null"}
    lines = [event("identify", anonymous_id=f"phone-{n}", **said) for n in range(6)]
    for number, (user, revenue) in enumerate([("ann", 10), ("ben", 20)]):
        who = {"anonymous_id": f"phone-{number}", "user_id": user, "session_id": "null"}
        lines += [
            event("identify", **who, occurred_at="2024-05-01T12:20:00Z"),
            event("purchase", **who, occurred_at="2024-05-01T12:22:00Z", properties={"revenue": revenue}),
        ]
    modelled = model.run(lines)
    assert modelled.reconciliation.reasons == {}
    people = {(row["user_ids"], row["anonymous_ids"], row["revenue"]) for row in model.rows("users")}
    assert people == {('["ann"]', '["phone-0"]', 10), ('["ben"]', '["phone-1"]', 20)} | {
        ("[]", f'["phone-{n}"]', 0) for n in range(2, 6)
    }
    assert not [
        row for table in ("identities", "visitors", "users") for row in model.rows(table) if "'null'" in str(row)
    ]
    assert len(model.rows("sessions")) == len({row["session_id"] for row in model.rows("sessions")}) == 6


def test_a_wrong_clock_changes_no_other_row(model: Model) -> None:
    for folder, files in RULES.items():
        (model.folder / folder).mkdir()
        for name, text in files.items():
            (model.folder / folder / f"{name}.yaml").write_text(text)
    who = [{"anonymous_id": f"p{number}", "occurred_at": f"2024-05-{number + 1:02}T12:00:00Z"} for number in range(9)]
    lines = [event(name, **fields) for fields in who for name in ("signup", "purchase")]
    tables = ("funnels", "active_users", "retention", "lifecycle", "stickiness", "segment_memberships", "user_segments")
    model.run(lines, analytics_dir="analyses", segments_dir="segments")
    before = {name: model.rows(name) for name in tables}
    assert all(before.values())
    wrong = [event(**times) for times in WRONG_CLOCKS]
    modelled = model.run([*lines, *wrong], analytics_dir="analyses", segments_dir="segments")
    assert modelled.reconciliation.reasons == {"future": 5, "past": 1}
    assert {name: model.rows(name) for name in tables} == before


def test_without_a_plan_nothing_is_held_against_one(model: Model) -> None:
    sale = event("purchase", properties={"revenue": "9.5"})
    model.run([sale, event("alias", user_id="u1")])
    assert [row["plan_violations"] for row in model.rows("enriched_events")] == [None, None]
    assert [row["revenue"] for row in model.rows("users") if row["conversions"]] == [9.5]
    shipped = Path(modelling.__file__).parents[1] / "contract/plans"
    assert model.run([sale], plan_dir=str(shipped)).reconciliation.reasons == {"plan_violation": 1}


def test_properties_may_have_64_kb_whatever_they_hold(model: Model) -> None:
    full = {f"k{number}": number for number in range(600)}
    text = {"text": "x" * (65_536 - len('{"text": ""}'))}
    too_large = {"text": text["text"] + "x"}
    modelled = model.run([event(properties=value) for value in (full, text, too_large)])
    assert (modelled.reconciliation.clean, modelled.reconciliation.reasons) == (2, {"too_large": 1})


# Settings and faults -------------------------------------------------------------------------------------------------


def test_settings_of_the_file_go_before_the_environment(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_ASSETS_SESSION_TIMEOUT_MINUTES", "5")
    monkeypatch.setenv("EVENT_ASSETS_PROFILE", "aws")
    views = [event(page_view_id="p1"), event(page_view_id="p2", occurred_at="2024-05-01T12:20:00Z")]
    model.run(views)
    assert len(model.rows("sessions")) == 2
    model.run(views, session_timeout_minutes=30, conversion_events=["page_view"])
    assert [row["conversions"] for row in model.rows("sessions")] == [2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("session_timeout: 30", "there is no setting session_timeout. The settings are: "),
        ("session_timeout_minutes: soon", "EVENT_ASSETS_SESSION_TIMEOUT_MINUTES is 'soon'"),
        ("- 30", "must be a mapping"),
        ("{", "neither YAML nor JSON"),
        ("plan_dir: nowhere", "there is no such folder"),
        ("geo_databases: [nowhere.mmdb]", "nowhere.mmdb"),
        ("currency_rates: nowhere.csv", "nowhere.csv"),
        ("enrichments: ['nowhere:nothing']", "nowhere:nothing"),
        ("analytics_dir: nowhere", "nowhere"),
        ("segments_dir: nowhere", "EVENT_ASSETS_SEGMENTS_DIR"),
    ],
)
def test_a_wrong_setting_is_said_in_a_sentence(tmp_path: Path, spark: SparkSession, text: str, said: str) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text(text)
    with pytest.raises(SettingsError, match=said.replace(".", r"\.")):
        model_file(write_lines(tmp_path / "e.ndjson", [event()]), tmp_path / "out", settings, spark=spark)


def test_a_spend_file_that_cannot_be_used_is_said_in_a_sentence(model: Model) -> None:
    (model.folder / "spend.csv").write_text("nonsense")
    with pytest.raises(SettingsError, match="spend"):
        model.run([event()], spend_file="spend.csv")


def test_what_cannot_be_read_is_said_in_a_sentence(tmp_path: Path, spark: SparkSession) -> None:
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b'{"event_id": "1"}\n' * 1000)[:40])
    for events in (tmp_path / "none.ndjson", tmp_path, broken):
        with pytest.raises(ModelInputError, match=events.name):
            model_file(events, tmp_path / "out", spark=spark)
    with pytest.raises(SettingsError, match="cannot be read"):
        model_file(write_lines(tmp_path / "e.ndjson", []), tmp_path / "out", tmp_path / "none.yaml", spark=spark)
    with pytest.raises(ModelInputError, match="there is no mapping 'none'"):
        model_file(tmp_path / "e.ndjson", tmp_path / "out", mapping="none", spark=spark)


def test_the_command_prints_the_reconciliation_and_ends_with_its_status(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = b"".join(json.dumps(line).encode() + b"\n" for line in visits())
    arguments = ["model", "-", "--out", str(tmp_path / "out"), "--json"]
    result = CliRunner().invoke(app, arguments, input=lines)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["reconciliation"]["landed"] == 6
    forgetful = [step for step in STEPS if step.tables[-1].name != "quarantined_events"]
    monkeypatch.setattr(modelling, "STEPS", forgetful)
    result = CliRunner().invoke(app, arguments[:-1], input=lines)
    assert (result.exit_code, "does NOT balance" in result.stdout) == (1, True)
    assert CliRunner().invoke(app, ["model", str(tmp_path / "none"), "--out", str(tmp_path)]).exit_code == 2


# Real data -----------------------------------------------------------------------------------------------------------


def real(name: str) -> Path:
    if not (DATA / name).exists():
        pytest.skip(f"there is no {DATA / name}")
    return DATA / name


ECOM_MAPPING = """
fields:
  event_id: {hash: line}
  event: event
  user_id: user_id
  platform: {value: server}
  derived_at: {path: timestamp, timestamp: "%Y-%m-%d %H:%M:%S"}
  received_at: {path: timestamp, timestamp: "%Y-%m-%d %H:%M:%S"}
"""


def test_a_shop_of_600_users_has_exactly_its_sessions(model: Model, tmp_path: Path) -> None:
    with gzip.open(real("ecom/ecom.csv.gz"), "rt") as file:
        lines = [{**row, "line": number} for number, row in enumerate(csv.DictReader(file))]
    mapping = tmp_path / "ecom.yaml"
    mapping.write_text(ECOM_MAPPING)
    modelled = model.run(lines, mapping)
    theirs = {(line["user_id"], line["session_id"]) for line in lines}
    assert len(theirs) == len(model.rows("sessions")) == 3605
    assert (modelled.reconciliation.enriched, modelled.rows["users"]) == (31_106, 600)


def test_sixteen_years_of_public_development(spark: SparkSession, tmp_path: Path) -> None:
    events = real("git_activity/git_activity.ndjson.gz")
    modelled = model_file(events, tmp_path / "out", mapping="git_activity", spark=spark)
    assert modelled.reconciliation.balance
    assert (modelled.reconciliation.enriched, modelled.rows["sessions"], modelled.rows["users"]) == (
        610_735,
        84_802,
        5_975,
    )


LOG_LINE = re.compile(r'(\S+) \S+ \S+ \[([^]]+)\] "(\S+) (\S+) [^"]*" (\d+) \S+ "([^"]*)" "([^"]*)')


def requests() -> Iterator[dict[str, Any]]:
    """The lines of a web server's log as page views by address and user agent."""
    with gzip.open(real("access_logs/semicomplete_apache_logs.log.gz"), "rt", encoding="utf-8") as file:
        for number, line in enumerate(file):
            found = LOG_LINE.match(line.rstrip("\n"))
            assert found, line
            address, at, _, path, _, referrer, agent = found.groups()
            page = {"url": f"http://www.semicomplete.com{path}", "referrer": None if referrer == "-" else referrer}
            yield event(
                event_id=f"line{number}",
                anonymous_id=hashlib.sha256(f"{address} {agent}".encode()).hexdigest()[:32],
                page_view_id=f"view{number}",
                page=page,
                ip=address,
                device={"user_agent": agent},
                occurred_at=dt.datetime.strptime(at, "%d/%b/%Y:%H:%M:%S %z").isoformat(),
            )


def test_ten_thousand_real_requests_are_read_by_agent_and_referrer(model: Model) -> None:
    lines = list(requests())
    modelled = model.run(lines, own_hosts=["semicomplete.com"], ip_privacy="keep")
    assert (modelled.reconciliation.landed, modelled.reconciliation.enriched, modelled.rows["page_views"]) == (
        10_000,
    ) * 3
    rows = model.rows("enriched_events")
    assert len({row["ip"] for row in rows}) == 1_753
    assert len({row["device_user_agent"] for row in rows}) == 559
    assert all(row["is_bot"] and row["bot_reason"] for row in rows if "bot" in row["device_user_agent"].lower())
    media = {row["page_referrer"]: row["referrer_medium"] for row in rows}
    assert {media[url] for url in media if url and url.startswith("http://www.google.")} == {"search"}
    own = {media[url] for url in media if url and url.startswith("http://www.semicomplete.com/")}
    assert own == {"internal"}
    firefox = [row for row in rows if re.search(r" Gecko/\d+ Firefox/\d+\.0$", row["device_user_agent"])]
    assert len(firefox) > 500 and {row["browser"] for row in firefox} == {"Firefox"}
