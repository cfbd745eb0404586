"""The shop among the examples gives the rows that its own log tells, counted here by hand."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
SHOP = ROOT / "examples" / "shop"


class Log:
    """What the shop's log says: each line once, in order, and which of them are orders that fit the plan."""

    def __init__(self) -> None:
        lines = [json.loads(line) for line in (SHOP / "history.ndjson").read_text().splitlines()]
        self.written = len(lines)
        self.lines = list({line["id"]: line for line in lines}.values())
        self.unfit = [line for line in self.lines if line["kind"] == "paid" and "currency" not in line["order"]]
        self.lines = [line for line in self.lines if line not in self.unfit]
        self.paid = [line for line in self.lines if line["kind"] == "paid"]
        self.rates = list(csv.DictReader((SHOP / "rates.csv").open()))

    def devices(self, kind: str) -> set[str]:
        return {line["device"] for line in self.lines if line["kind"] == kind}

    def in_euros(self, line: dict[str, Any]) -> float:
        order = line["order"]
        if order["currency"] == "EUR":
            return float(order["total"])
        day = dt.datetime.fromtimestamp(line["at"] / 1000, dt.UTC).date().isoformat()
        return float(order["total"]) * [float(rate["rate"]) for rate in self.rates if rate["date"] <= day][-1]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables that the command of the example's page makes."""
    out = tmp_path_factory.mktemp("shop") / "tables"
    [command] = re.findall(r"^```bash\n(.*)\n```", (SHOP / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert command.startswith("PYTHONPATH=. ")
    assert command.endswith("--out tables")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EVENT_ASSETS_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    script = command.replace("PYTHONPATH=.", f"PYTHONPATH=.:{ROOT}").replace("--out tables", f"--out {out}")
    done = subprocess.run(
        ["bash", "-c", script], cwd=SHOP, env={**kept, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.mark.slow
def test_the_shop_has_the_rows_that_its_log_tells(tables: Path) -> None:
    log = Log()
    events = pd.read_parquet(tables / "enriched_events")
    assert log.written == 200
    assert sorted(events["event_id"]) == sorted(line["id"] for line in log.lines)
    assert len(pd.read_parquet(tables / "quarantined_events")) == len(log.unfit) == 1
    assert not events["enrichment_failures"].notna().any()
    assert not events["plan_violations"].notna().any()
    assert_orders(events[events["event"] == "purchase"], log)
    assert_funnel(pd.read_parquet(tables / "funnels"), log)
    assert_segments(pd.read_parquet(tables / "segment_memberships"), pd.read_parquet(tables / "users"), log)
    retention = pd.read_parquet(tables / "retention")
    assert retention[retention["period"] == 0]["people"].sum() == len(log.devices("view"))


def assert_orders(orders: pd.DataFrame, log: Log) -> None:
    assert dict(zip(orders["event_id"], orders["revenue_reporting"].round(4), strict=True)) == {
        line["id"]: round(log.in_euros(line), 4) for line in log.paid
    }
    assert {line["order"]["currency"] for line in log.paid} == {"EUR", "USD"}
    baskets = Counter(json.loads(custom)["basket"] for custom in orders["custom"])
    pieces = [line["order"]["items"] for line in log.paid]
    assert baskets == {
        "single": sum(n == 1 for n in pieces),
        "few": sum(1 < n < 4 for n in pieces),
        "many": sum(n >= 4 for n in pieces),
    }


def assert_funnel(funnel: pd.DataFrame, log: Log) -> None:
    everybody = funnel[funnel["breakdown"] == "(all)"].set_index("step_name")["people"].to_dict()
    assert everybody["Looked"] == len(log.devices("view"))
    assert everybody["Filled a cart"] == len(log.devices("cart"))
    assert list(everybody) == ["Looked", "Filled a cart", "Went to the till", "Paid"]
    assert sorted(everybody.values(), reverse=True) == list(everybody.values())


def assert_segments(memberships: pd.DataFrame, users: pd.DataFrame, log: Log) -> None:
    people = {device: row.person_id for row in users.itertuples() for device in json.loads(str(row.anonymous_ids))}
    current = memberships[memberships["is_current"]]
    now = {str(name): set(rows["person_id"]) for name, rows in current.groupby("segment")}
    buyers = log.devices("paid")
    assert now == {
        "buyers": {people[device] for device in buyers},
        "hesitant": {people[device] for device in log.devices("cart") - buyers},
    }
