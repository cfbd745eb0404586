"""Templates of every variant, synthesised once a session."""

from __future__ import annotations

import importlib.util
import os
import shutil

import pytest

from event_assets_tests.infra.templates import Synthesised, synthesised


@pytest.fixture(scope="session")
def variants(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Synthesised]:
    """Every size and both edges, by name."""
    if importlib.util.find_spec("aws_cdk") is None or shutil.which("node") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CDK is not installed: the extra infra, and Node.js")
        pytest.skip("CDK needs the extra infra, and Node.js")
    return synthesised(tmp_path_factory.mktemp("cdk"))
