"""Pytest plugin: `kinesis_emulator` and `s3_emulator`, the endpoint URLs of services that live as long as the session.

No stream and no bucket is made here.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture(scope="session")
def aws_credentials() -> Iterator[None]:
    """Credentials that no real AWS account takes, in the environment of this process and its children."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def kinesis_emulator(aws_credentials: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a durable Kinesis with split and merge."""
    if shutil.which("node") is None:
        _absent("Kinesis tests need Node.js; then run: npm ci --prefix event_assets_tests/emulators")
    if not (HERE / "node_modules" / "kinesalite").exists():
        _absent("Kinesis tests need their emulator; run: npm ci --prefix event_assets_tests/emulators")
    with _serving(["node", str(HERE / "kinesalite.js"), str(tmp_path_factory.mktemp("kinesis"))]) as url:
        yield url


@pytest.fixture(scope="session")
def s3_emulator(aws_credentials: None) -> Iterator[str]:
    """URL of an S3 that honours conditional writes."""
    if importlib.util.find_spec("moto") is None or importlib.util.find_spec("flask") is None:
        _absent("S3 tests need their emulator; run: pip install -e '.[dev]'")
    with _serving([sys.executable, "-m", "event_assets_tests.emulators.s3_server"]) as url:
        yield url


def _absent(sentence: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)


@contextlib.contextmanager
def _serving(command: list[str]) -> Iterator[str]:
    """Run a server that prints its URL first and ends when its standard input does."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE.parent.parent
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), f"{command} did not start"
        yield url
        process.stdin.close()
