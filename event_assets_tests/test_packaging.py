"""What is installed is what the repository says: one lock file, every data file, no wrong turn for a newcomer."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
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


def asked_for(*, by_users: bool = False) -> set[str]:
    """The direct dependencies, those of all extras too; or only of what users install, not of what developers do."""
    text = (ROOT / "setup.py").read_text()
    wanted = text.partition('    "docs": [')[0] if by_users else text
    return set(re.findall(r'^ +"([a-z0-9-]+)(?:[\[><=~][^"]*)?",', wanted, re.MULTILINE))


def test_every_direct_dependency_is_locked() -> None:
    wanted = asked_for()
    assert {"dagster", "boto3", "ruff"} <= wanted
    assert wanted <= locked().keys()


def test_every_package_that_is_imported_is_asked_for() -> None:
    of_another = {"botocore": "boto3", "grpc": "dagster", "grpc-health": "dagster", "pydantic-core": "pydantic"}
    distributions = packages_distributions()
    wanted = asked_for(by_users=True)
    for file in sorted((ROOT / "event_assets").rglob("*.py")):
        for name in imported(file) - sys.stdlib_module_names - {"event_assets"}:
            asked = {distribution.lower().replace("_", "-") for distribution in distributions[name]}
            assert asked & wanted or of_another.get(name.replace("_", "-")) in wanted, f"{name}, imported by {file}"


def imported(file: Path) -> set[str]:
    """The top-level packages that a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


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


def test_no_file_of_the_package_is_longer_than_a_reader_takes_in_at_once() -> None:
    files = [*ROOT.glob("event_assets/**/*.py"), *ROOT.glob("python-sdk/**/*.py"), *ROOT.glob("web-sdk/src/**/*.ts")]
    lines = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in files}
    assert {name: count for name, count in lines.items() if count > 350} == {}
