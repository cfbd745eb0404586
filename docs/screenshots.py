"""Pictures of the dashboards' pages for the documentation, of the demo that runs: `make screenshots`.

`make demo` in another shell comes first; analyses are made some minutes after its first events. The pictures are small:
one screen of a desk, or of a phone in the dark, in few colours.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from event_assets.embedded.record import read_record
from event_assets.settings import load_settings

DOCS = Path(__file__).parent
_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
_FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_COLORS, _PATIENCE_MS, _DRAWING_MS = 256, 60_000, 2_500


class Picture(NamedTuple):
    """A file of the documentation: of which page, how wide and high, in which colours."""

    file: str
    path: str
    width: int = 1280
    height: int = 860
    scheme: str = "light"


PICTURES = (
    Picture("dashboards.png", "overview?period=7d"),
    Picture("dashboards-acquisition.png", "acquisition?period=7d"),
    Picture("dashboards-engagement.png", "engagement?period=7d"),
    Picture("dashboards-funnels.png", "funnels", height=640),
    Picture("dashboards-pipeline.png", "pipeline"),
    Picture("dashboards-dark.png", "realtime", scheme="dark", height=760),
    Picture("dashboards-phone.png", "overview?period=7d", 390, 844, "dark"),
)


def take(browser: Browser, address: str, picture: Picture) -> bytes:
    """The picture as a PNG of few colours."""
    how: dict[str, Any] = {"color_scheme": picture.scheme, "locale": "en-GB"}
    page = browser.new_page(viewport={"width": picture.width, "height": picture.height}, **how)
    page.goto(f"{address}/{picture.path}")
    page.locator("#page h2").first.wait_for(timeout=_PATIENCE_MS)
    page.wait_for_function("!document.querySelector('#page .waiting')", timeout=_PATIENCE_MS)
    page.wait_for_timeout(_DRAWING_MS)
    taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(_COLORS)
    page.close()
    out = io.BytesIO()
    taken.save(out, "PNG", optimize=True)
    return out.getvalue()


def main() -> int:
    """Takes all of them; gives the exit status."""
    record = read_record(load_settings().home)
    if record is None or record.dashboard_url is None:
        print("No dashboards run here: start `make demo` in another shell first.", file=sys.stderr)
        return 1
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        for picture in PICTURES:
            (DOCS / picture.file).write_bytes(take(browser, record.dashboard_url, picture))
            print(DOCS / picture.file)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
