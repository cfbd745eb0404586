"""Templates of every variant, synthesised once a session, and what is called of AWS."""

from __future__ import annotations

import importlib.util
import os
import shutil
from typing import Any

import botocore.client
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


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every call of botocore in this process, as an action of IAM names it."""
    made: set[str] = set()
    call = botocore.client.BaseClient._make_api_call

    def noted(client: Any, operation: str, arguments: Any) -> Any:
        made.add(f"{client.meta.service_model.service_name}:{operation}")
        return call(client, operation, arguments)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", noted)
    return made
