"""checkov finds nothing in any template but what is excused beside the resource, each with its reason.

checkov needs other versions than the platform: it has an environment of its own, which `make build/checkov` makes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from event_assets_tests.infra.templates import ROOT, Synthesised

CHECKOV = ROOT / "build" / "checkov" / "bin" / "checkov"


@pytest.mark.slow
@pytest.mark.release
def test_checkov_fails_nothing_and_every_excuse_has_a_reason(variants: dict[str, Synthesised], tmp_path: Path) -> None:
    if not CHECKOV.exists():
        pytest.skip("run: make build/checkov")
    for name, made in variants.items():
        (tmp_path / name).mkdir()
        for file in made.folder.glob("*.template.json"):
            shutil.copy(file, tmp_path / name)
    command = [str(CHECKOV), "--skip-download", "--framework", "cloudformation", "--compact", "--output", "json"]
    quiet = {**os.environ, "LOG_LEVEL": "CRITICAL"}
    done = subprocess.run(
        [*command, "--directory", str(tmp_path)], capture_output=True, text=True, check=False, env=quiet
    )
    found = json.loads(done.stdout)
    reports = found if isinstance(found, list) else [found]
    failed = {
        f"{each['check_id']} {each['resource']}: {each['check_name']}"
        for report in reports
        for each in report["results"]["failed_checks"]
    }
    skipped = [each for report in reports for each in report["results"]["skipped_checks"]]
    assert failed == set()
    assert skipped and all(each["check_result"]["suppress_comment"].strip() for each in skipped)
    assert sum(report["summary"]["passed"] for report in reports) > 500
