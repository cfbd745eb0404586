"""The plan as TypeScript: what its compiler finds in it, and that no plan refuses what its functions make."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.plan import PlanError, TrackingPlan
from event_assets.contract.plan_code.typescript import typescript_code
from event_assets_tests.contract.plan_code.plans import GOOD, awkward, keeps, values

ROOT = Path(__file__).parents[3]
WEB_SDK = ROOT / "web-sdk"
TSC = WEB_SDK / "node_modules" / "typescript" / "bin" / "tsc"

PROGRAM = """
import { createInterface } from "node:readline";
import { EventClient } from "event-assets-web/core";
import { event2Off, import_, orderCompleted } from "./events.js";

const made: string[] = [];
const client = new EventClient(
  { endpoint: "http://127.0.0.1:9", writeKey: "k", beforeSend: (event) => void made.push(JSON.stringify(event)) },
);
const who = { user_id: "u", page: { url: "https://shop.example" } };
const numbers: Record<string, number> = { nan: NaN, inf: Infinity, "-inf": -Infinity };
console.warn = () => undefined;
for await (const line of createInterface({ input: process.stdin })) {
  const properties = JSON.parse(line, (_, value) =>
    Object.hasOwn(value ?? {}, "at") ? new Date(value.at) : value?.number ? numbers[value.number] : value);
  made.length = 0;
  orderCompleted(client, properties, who);
  console.log(JSON.stringify(made));
}
import_(client, { note: null });
import_(client);
event2Off(client);
orderCompleted(client, { "order-id": "o_1", currency: "EUR", step: 1, paid_at: new Date() }, who);
// @ts-expect-error a property is missing
orderCompleted(client, { currency: "EUR" }, who);
// @ts-expect-error it is none of those that are listed
orderCompleted(client, { "order-id": "o_1", currency: "GBP" }, who);
// @ts-expect-error a field is missing
orderCompleted(client, { "order-id": "o_1", currency: "EUR" }, { user_id: "u" });
// @ts-expect-error another type
import_(client, { note: 5 });
// @ts-expect-error a property that the plan does not have
import_(client, { nate: "x" });
client.close();
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package with the code of the plans, which was compiled strictly."""
    if not TSC.exists() or shutil.which("node") is None or not (WEB_SDK / "dist" / "planned.js").exists():
        pytest.skip("needs the built web SDK: make web-sdk, which needs npm")
    folder = tmp_path_factory.mktemp("typescript")
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "event-assets-web").symlink_to(WEB_SDK)
    (folder / "node_modules" / "@types").symlink_to(WEB_SDK / "node_modules" / "@types")
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "plans").mkdir()
    shipped = TrackingPlan.load(ROOT / "event_assets" / "contract" / "plans")
    (folder / "shipped.ts").write_text(typescript_code(shipped), encoding="utf-8")
    (folder / "events.ts").write_text(typescript_code(awkward(folder / "plans")), encoding="utf-8")
    (folder / "program.ts").write_text(PROGRAM, encoding="utf-8")
    checked = compiled(folder, "--noEmit")
    assert checked == ""
    assert compiled(folder) == ""
    return folder


def compiled(folder: Path, *more: str) -> str:
    options = ["--strict", "--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom", "--types", "node"]
    files = ["shipped.ts", "program.ts"]
    done = subprocess.run(
        ["node", TSC, *options, *more, *files], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stdout


@pytest.fixture(scope="module")
def made_of(folder: Path) -> Iterator[Callable[[dict[str, Any]], list[str]]]:
    """What the function makes of properties: a program in Node that is asked line by line."""
    process = subprocess.Popen(
        ["node", "program.js"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    assert process.stdin is not None and process.stdout is not None
    asked, answered = process.stdin, process.stdout

    def ask(properties: dict[str, Any]) -> list[str]:
        asked.write(json.dumps({name: sayable(value) for name, value in properties.items()}) + "\n")
        asked.flush()
        made: list[str] = json.loads(answered.readline())
        return made

    yield ask
    asked.close()
    assert process.wait(300) == 0
    answered.close()


def sayable(value: Any) -> Any:
    """What JSON has no word for, as the program reads it."""
    if isinstance(value, float) and value not in (value, float("inf"), float("-inf")):
        return {"number": "nan"}
    if value in (float("inf"), float("-inf")):
        return {"number": str(value)}
    if isinstance(value, dt.datetime):
        return {"at": value.replace(tzinfo=dt.UTC).timestamp() * 1000 + 1e12}
    return value


def test_the_compiler_takes_the_code_and_finds_what_would_break_the_plan(folder: Path) -> None:
    assert {"events.js", "shipped.js", "program.js"} <= {path.name for path in folder.iterdir()}


def test_an_event_is_made_of_what_keeps_the_plan(
    made_of: Callable[[dict[str, Any]], list[str]], tmp_path: Path
) -> None:
    plan = awkward(tmp_path)
    [text] = made_of(GOOD)
    assert keeps(plan, text.encode()) and '"schema_version":2' in text
    for wrong in (
        {"from": 101},
        {"from": 1.5},
        {"order-id": "o_x"},
        {"items": [1, 2, 3]},
        {"step": 3},
        {"currency": None},
    ):
        assert made_of({**GOOD, **wrong}) == []


def test_what_a_function_makes_is_never_refused_by_the_plan(
    made_of: Callable[[dict[str, Any]], list[str]], tmp_path: Path
) -> None:
    plan = awkward(tmp_path)

    @given(values(times=st.datetimes()))
    def never(properties: dict[str, Any]) -> None:
        made = made_of(properties)
        assert all(keeps(plan, text.encode("utf-8", "replace")) for text in made), made

    never()


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{type: string, pattern: '(?i)x'}", "'p': the pattern"),
        ("{type: integer, maximum: 9007199254740993}", "counts to"),
    ],
)
def test_what_javascript_reads_otherwise_is_an_error(rule: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "e.yaml").write_text(f"event: e\nversions: {{1: {{properties: {{p: {rule}}}}}}}")
    with pytest.raises(PlanError, match=said):
        typescript_code(TrackingPlan.load(tmp_path))
