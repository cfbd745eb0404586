"""The documentation is a site too: with every page in it, and every public name told from its docstring."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import event_assets_sdk
from event_assets_tests.transforms.test_public_names import PUBLIC

ROOT = Path(__file__).parents[1]
TOLD = re.findall(r"^::: ([\w.]+)$", (ROOT / "docs/reference/python.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_every_public_name_is_told_and_can_be_imported() -> None:
    assert {f"{module}.{name}" for name, module in PUBLIC.items()} <= set(TOLD)
    assert {f"event_assets_sdk.{name}" for name in event_assets_sdk.__all__ if name != "__version__"} <= set(TOLD)
    for path in TOLD:
        module, _, name = path.rpartition(".")
        assert getattr(import_module(module), name).__doc__, path


def test_every_page_is_in_the_navigation() -> None:
    listed = set(re.findall(r"^ *- ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE))
    assert listed == {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    reference = (tmp_path / "site" / "reference" / "python.html").read_text(encoding="utf-8")
    assert all(f'id="{path}"' in reference for path in TOLD)
    assert not list((tmp_path / "site").rglob("*.py"))
    loaded = re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="(https?://[^"]+)"', reference)
    assert loaded == []
