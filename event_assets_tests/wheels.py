"""The wheels that are published: built of copies of this checkout, in which nothing is left of builds before."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")


def platform_wheel(folder: Path) -> Path:
    """`event-assets`, by way of its source distribution, as a release is."""
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in ("event_assets", "python-sdk"):
        shutil.copytree(ROOT / name, folder / name, ignore=NOT_COPIED)
    return _built(folder)


def sdk_wheel(folder: Path) -> Path:
    """`event-assets-sdk`."""
    copy = folder / "python-sdk"
    shutil.copytree(ROOT / "python-sdk", copy, ignore=NOT_COPIED)
    return _built(copy)


def _built(source: Path) -> Path:
    subprocess.run(["uv", "build", "--quiet", "--out-dir", source / "out", source], check=True)
    [wheel] = (source / "out").glob("*.whl")
    return wheel
