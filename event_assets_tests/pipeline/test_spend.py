"""The owner's spend file: what is read, and what is told where it is wrong."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from event_assets.enrichment.currency import Reporting, parse_rates
from event_assets.pipeline.spend import SpendError, read_spend

HEAD = "date,channel_group,campaign,spend,currency\n"
DAY = dt.date(2026, 3, 2)


def csv(folder: Path, *lines: str, head: str = HEAD) -> Path:
    path = folder / "spend.csv"
    path.write_text(head + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def fault(path: Path) -> str:
    with pytest.raises(SpendError) as error:
        read_spend(path)
    return str(error.value)


def test_campaigns_of_a_day_and_channel_group_are_added_up(tmp_path: Path) -> None:
    path = csv(
        tmp_path,
        "2026-03-02,Email,a,0.1,eur",
        "2026-03-02,Email,b,0.2,EUR",
        "2026-03-02,Email,c,0.3,EUR",
        "2026-03-01,Paid Search,,5,EUR",
    )
    assert read_spend(path).rows == (
        (dt.date(2026, 3, 1), "Paid Search", 5.0, "EUR"),
        (DAY, "Email", 0.6, "EUR"),
    )


def test_csv_parquet_and_yaml_say_the_same(tmp_path: Path) -> None:
    parquet, yaml = tmp_path / "spend.parquet", tmp_path / "spend.yaml"
    row = {"date": DAY, "channel_group": "Email", "spend": 5, "currency": "EUR"}
    pq.write_table(pa.Table.from_pylist([row]), parquet)
    yaml.write_text("- date: 2026-03-02\n  channel_group: Email\n  spend: 5\n  currency: EUR\n")
    expected = ((DAY, "Email", 5.0, "EUR"),)
    for path in (csv(tmp_path, "2026-03-02,Email,,5,EUR"), parquet, yaml):
        assert read_spend(path).rows == expected, path.suffix


def test_campaign_may_be_left_out_and_a_byte_order_mark_be_there(tmp_path: Path) -> None:
    path = csv(tmp_path, "2026-03-02,Email,5,EUR", head="\N{BOM}date,channel_group,spend,currency\n")
    assert len(read_spend(path).rows) == 1


def test_a_file_without_rows_is_no_spend(tmp_path: Path) -> None:
    empty = tmp_path / "spend.yml"
    empty.write_text("")
    assert read_spend(csv(tmp_path)).rows == read_spend(empty).rows == ()


def test_the_version_is_the_contents(tmp_path: Path) -> None:
    first = read_spend(csv(tmp_path, "2026-03-02,Email,,5,EUR")).version
    assert read_spend(csv(tmp_path, "2026-03-02,Email,,5,EUR")).version == first
    assert read_spend(csv(tmp_path, "2026-03-02,Email,,6,EUR")).version != first


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("02.03.2026,Email,,5,EUR", "date '02.03.2026' is no date such as 2026-11-22"),
        (",Email,,5,EUR", "date is missing"),
        ("2026-03-02,Mail,,5,EUR", "channel_group 'Mail' is none of Direct, Internal, Cross-network"),
        ("2026-03-02,Email,,many,EUR", "spend 'many' is no amount of 0 or more"),
        ("2026-03-02,Email,,-1,EUR", "spend '-1' is no amount of 0 or more"),
        ("2026-03-02,Email,,nan,EUR", "spend 'nan' is no amount of 0 or more"),
        ("2026-03-02,Email,,inf,EUR", "spend 'inf' is no amount of 0 or more"),
        ("2026-03-02,Email,,5,EURO", "currency 'EURO' is no ISO 4217 code such as EUR"),
        ("2026-03-02,Email,,5", "currency is missing"),
        ("2026-03-02,Email,,5,EUR,more", "a value without a column"),
    ],
)
def test_a_wrong_row_is_told_by_file_line_and_rule(tmp_path: Path, line: str, rule: str) -> None:
    path = csv(tmp_path, "2026-03-01,Email,,5,EUR", line)
    assert f"{path}: line 3: {rule}" in fault(path)


def test_every_wrong_row_is_told_up_to_ten(tmp_path: Path) -> None:
    text = fault(csv(tmp_path, *["2026-03-02,Mail,,5,EUR"] * 12))
    assert "line 2:" in text and "line 11:" in text and "line 12:" not in text and "and 2 more" in text


def test_the_same_row_twice_would_count_twice(tmp_path: Path) -> None:
    text = fault(csv(tmp_path, "2026-03-02,Email,a,5,EUR", "2026-03-02,Email,a,7,EUR"))
    assert "line 3: the same date, channel group and campaign as line 2" in text


def test_two_currencies_cannot_be_added(tmp_path: Path) -> None:
    text = fault(csv(tmp_path, "2026-03-02,Email,,5,EUR", "2026-03-02,Display,,5,USD"))
    assert "line 3: currency is USD, but EUR before" in text


RATES = Reporting("EUR", parse_rates("date,currency,rate\n2026-03-01,USD,0.5"))


def test_with_a_reporting_currency_each_row_is_converted_by_the_rate_of_its_day(tmp_path: Path) -> None:
    path = csv(tmp_path, "2026-03-02,Email,a,10,USD", "2026-03-02,Email,b,1,EUR")
    assert read_spend(path, RATES).rows == ((DAY, "Email", 6.0, "EUR"),)


def test_a_currency_without_a_rate_is_told_by_its_line(tmp_path: Path) -> None:
    path = csv(tmp_path, "2026-03-02,Email,a,10,GBP")
    with pytest.raises(SpendError, match="line 2: no rate of GBP for 2026-03-02"):
        read_spend(path, RATES)


def test_other_rates_are_another_version(tmp_path: Path) -> None:
    path = csv(tmp_path, "2026-03-02,Email,a,10,USD")
    other = Reporting("EUR", parse_rates("date,currency,rate\n2026-03-01,USD,0.6"))
    assert read_spend(path, other).version != read_spend(path, RATES).version


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    text = fault(csv(tmp_path, head="date,channel_group,cost,currency\n"))
    assert "line 1: the column spend is missing; it has date, channel_group, cost, currency" in text


def test_what_else_a_row_has_does_not_matter_but_it_must_be_a_row(tmp_path: Path) -> None:
    path = tmp_path / "spend.yaml"
    item = "- {date: 2026-03-02, channel_group: Email, spend: 5, currency: EUR, clicks: 6}\n"
    path.write_text(item)
    assert read_spend(path).rows == ((DAY, "Email", 5.0, "EUR"),)
    path.write_text(item + "- word\n")
    assert "item 2: date is missing" in fault(path)


@pytest.mark.parametrize(
    ("name", "contents", "rule"),
    [
        ("spend.txt", b"", "a spend file is .csv, .parquet, .yaml or .yml"),
        ("spend.yaml", b"a: [", "it cannot be read"),
        ("spend.yaml", b"a: 1", "it must be a list of rows"),
        ("spend.csv", b"date,channel_group\n\xff", "it cannot be read"),
        ("spend.parquet", b"no parquet", "it cannot be read"),
    ],
)
def test_a_file_that_is_none_is_told(tmp_path: Path, name: str, contents: bytes, rule: str) -> None:
    path = tmp_path / name
    path.write_bytes(contents)
    assert rule in fault(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "it cannot be read" in fault(tmp_path / "spend.csv")
