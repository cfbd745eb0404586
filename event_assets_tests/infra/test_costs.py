"""The bill is made of the sizes and of one table of prices, and the page shows what the command prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.costs import Line, bill, bill_table, stream_bill, stream_table, table
from infra.sizes import SIZES, Size

ON_KAFKA = Path(__file__).parents[2] / "docs/how-to/run-on-kafka.md"
PAGE = Path(__file__).parents[2] / "docs/how-to/run-on-aws.md"


def together(lines: list[Line]) -> float:
    return sum(line.dollars for line in lines)


def test_the_page_shows_what_the_command_prints_and_names_source_and_date() -> None:
    text = PAGE.read_text("utf-8")
    assert bill_table() in text
    assert table().date in text and table().source in text


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
def test_the_budget_of_a_size_holds_its_bill_at_both_edges(size: Size) -> None:
    for edge in ("alb", "lambda"):
        assert together(bill(size, edge)) < size.budget < 2 * together(bill(size, edge))


def test_parts_of_the_bill_are_what_the_price_list_says_of_them() -> None:
    """Reckoned by hand."""
    small = {line.part: line.dollars for line in bill(SIZES["small"], "alb")}
    # two m7g.large and two disks of 200 GiB
    assert small["PostgreSQL"] == pytest.approx(2 * (0.168 * 730 + 200 * 0.115))
    # two shards, kept beyond a day; 30.4 M events of 120 B in records of 12,000 B
    assert small["stream"] == pytest.approx(2 * (0.015 + 0.02) * 730 + 0.3042 * 0.014, rel=1e-3)
    large = {line.part: line.dollars for line in bill(SIZES["large"], "alb")}
    assert large["Redshift"] == pytest.approx(64 * 16 * 365 / 12 * 0.375 + 365e9 * 250 / 1e9 * 0.024, rel=1e-3)


def test_more_events_never_cost_less() -> None:
    for edge in ("alb", "lambda"):
        for size in SIZES.values():
            more = size._replace(events_per_day=size.events_per_day * 2)
            assert together(bill(more, edge)) > together(bill(size, edge))


def test_the_page_on_kafka_shows_what_the_stream_costs_of_each_kind() -> None:
    assert stream_table() in ON_KAFKA.read_text("utf-8")


def test_the_stream_s_bill_is_what_the_price_list_says_of_its_parts() -> None:
    """Reckoned by hand, for a billion events of 120 B a day: 120 GB a day, 3.5 MB/s at the peak."""
    bill = stream_bill(1_000_000_000)
    assert bill["Kinesis, shards"] == pytest.approx(5 * 0.035 * 730 + 120e9 * 365 / 12 / 12_000 / 1e6 * 0.014, rel=1e-3)
    disks, month = 120 * 7 * 3 / 0.67, 120 * 365 / 12
    assert bill["Amazon MSK"] == pytest.approx(3 * 0.204 * 730 + disks * 0.10 + month * 4 / 3 * 0.02, rel=1e-3)
    assert bill["Kafka on EC2"] == pytest.approx(3 * 0.0816 * 730 + disks * 0.08 + month * (4 / 3 + 2) * 0.02, rel=1e-3)
