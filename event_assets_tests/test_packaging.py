"""What is installed is what the repository says: one lock file, every data file, no wrong turn for a newcomer."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]


def locked() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return dict(line.split(" ;")[0].split("==") for line in lines)


def test_the_lock_file_names_exact_versions_and_no_registry() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    assert all(re.match(r"^[a-z0-9-]+==[0-9][^ ]*( ; .*)?$", line) for line in text.splitlines())


def test_every_direct_dependency_is_locked() -> None:
    wanted = set(re.findall(r'^        ?"([a-z0-9-]+)[\[><=~]', (ROOT / "setup.py").read_text(), re.MULTILINE))
    assert len(wanted) > 10
    assert wanted <= locked().keys()


def test_every_data_file_of_the_package_is_installed_with_it() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "event_assets"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    listed = re.findall(r'"(event_assets[a-z_.]*)": \[([^\]]*)\]', (ROOT / "setup.py").read_text())
    for path in (Path(name) for name in tracked if not name.endswith(".py")):
        package = next(
            str(parent).replace("/", ".") for parent in path.parents if (ROOT / parent / "__init__.py").exists()
        )
        folder = ROOT / package.replace(".", "/")
        patterns = [p for name, patterns in listed if name == package for p in re.findall(r'"([^"]+)"', patterns)]
        assert any(ROOT / path in folder.glob(pattern) for pattern in patterns), f"{path} is not in setup.py"


def test_the_workspace_names_the_module_that_holds_the_definitions() -> None:
    (entry,) = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    module = entry["python_module"]["module_name"]
    assert (ROOT / (module.replace(".", "/") + ".py")).exists()
