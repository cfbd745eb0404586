"""A page that changes by the segment that a model puts its visitor into, as the shop's example has it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Page

from event_assets.models.scoring import NumberWeight, ScoreModel, ScoreRule, ScoreSegment
from event_assets.online import MODELS_ID, open_online
from event_assets.settings import Settings
from event_assets_tests.web_sdk.conftest import Platform
from event_assets_tests.web_sdk.site import SCRIPT

ROOT = Path(__file__).parents[2]
MODEL = ScoreModel(
    "comes_back",
    "1",
    {"views": {"count": {"event": "page_view"}}},
    [NumberWeight("views", 0.0, 1.0, 1.0, 0.0)],
    -2.5,
    (1.0, 0.0),
    [ScoreSegment("likely", 0.5), ScoreSegment("unlikely", 0.0)],
    ScoreRule("views", 3),
    True,
    "",
    "2026-03-29",
)

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_the_page_of_the_shop_changes_when_its_visitor_did_enough(
    page: Page, platform: Platform, settings: Settings
) -> None:
    facts = [(MODELS_ID, MODEL.name, msgspec.json.encode(MODEL).decode())]
    ids = [("model", MODELS_ID, MODELS_ID)]
    open_online(settings, "features").replace([facts], [ids], "1", dt.datetime.now(dt.UTC))
    platform.site.documents["/welcome.html"] = (ROOT / "examples" / "shop" / "welcome.html").read_text("utf-8")
    for script in SCRIPT.parent.glob("*.js"):
        platform.site.scripts[f"/dist/{script.name}"] = script.read_text("utf-8")
    reader = platform.keys.create("front", "web", allowed_origins=(platform.site.origin,), reads=("comes_back",))
    asked = f"endpoint={platform.endpoint}&write_key={platform.key}&read_key={reader}"
    page.goto(f"{platform.site.origin}/welcome.html?{asked}")
    page.wait_for_function("document.querySelector('#why').textContent.includes('by model')")
    assert page.locator("[data-for=unlikely]").is_visible() and not page.locator("[data-for=likely]").is_visible()
    for _ in range(3):
        page.click("#look")
    page.wait_for_selector("[data-for=likely]", state="visible")
    assert page.inner_text("#why").startswith("likely by model")
