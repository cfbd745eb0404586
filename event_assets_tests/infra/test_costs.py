"""The bill is made of the sizes and of one table of prices, and the page shows what the command prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.costs import Line, bill, bill_table, stream_bill, stream_table, table
from infra.costs_of_choices import choices_bill, choices_table
from infra.sizes import SIZES, Size

ON_KAFKA = Path(__file__).parents[2] / "docs/how-to/run-on-kafka.md"
PAGE = Path(__file__).parents[2] / "docs/how-to/run-on-aws.md"


def together(lines: list[Line]) -> float:
    return sum(line.dollars for line in lines)


def test_the_page_shows_what_the_command_prints_and_names_source_and_date() -> None:
    text = PAGE.read_text("utf-8")
    assert bill_table() in text
    assert choices_table() in text
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


def test_brokers_are_paid_by_their_class_and_disks_and_a_stream_on_kafka_needs_no_endpoint_of_kinesis() -> None:
    """Reckoned by hand, for a billion events of 120 B a day, who writes and who reads in other zones."""
    large = SIZES["large"]._replace(stream="kafka")
    parts = {line.part: line.dollars for line in bill(large, "alb")}
    month_gb = 120 * 365 / 12
    assert parts["stream"] == pytest.approx(3 * (0.204 * 730 + 1_300 * 0.10) + month_gb * 4 / 3 * 0.02, rel=1e-3)
    usual = {line.part: line.dollars for line in bill(SIZES["large"], "alb")}
    endpoint = 3 * 0.01 * 730
    assert usual["network"] - parts["network"] == pytest.approx(endpoint + 2 * month_gb * 0.01, rel=1e-3)


def test_what_a_choice_adds_is_the_bill_with_it_less_the_one_without() -> None:
    """Reckoned by hand."""
    small, large = choices_bill(SIZES["small"]), choices_bill(SIZES["large"])
    assert large["`spark=cluster`"] == large["`warehouse=redshift`"] == 0, "the size has it already"
    assert small["`pages`"] == pytest.approx((0.0225 + 0.5 * 0.008) * 730)
    dashboards = (0.5 * 0.03238 + 2 * 0.00356) * 730 + 25 * 0.30
    assert small["`dashboards`, beside pages"] == pytest.approx(dashboards)
    assert large["`online=on`"] == pytest.approx(1e9 / 20 * 0.1 * 365 / 12 / 1e6 * 0.625)
    with_it = together(bill(SIZES["small"]._replace(stream="kafka"), "alb"))
    assert small["`stream=kafka`"] == pytest.approx(with_it - together(bill(SIZES["small"], "alb")))
    assert all(added >= 0 for size in SIZES.values() for added in choices_bill(size).values())
