"""A warehouse on the embedded PostgreSQL, shared by processes of which each thinks that it is the only one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.embedded.postgres import PostgresCluster

_USER = """
import sys
from pathlib import Path
from event_assets.settings import Settings
from event_assets.embedded.postgres import open_postgres
from event_assets.warehouse.warehouse import Warehouse

with open_postgres(Path(sys.argv[1])) as url:
    made = Warehouse.from_settings(Settings(), url)
    made.ensure()
    print("there", flush=True)
    sys.stdin.read()
    with made.connect() as session:
        tables = session.execute("SELECT * FROM pg_tables WHERE schemaname = 'analytics'").fetchall()
    print(len(tables), flush=True)
"""


def start(home: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _USER, str(home)]
    root = Path(__file__).parents[2]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root)


def leave(process: subprocess.Popen[str]) -> str:
    """What the process says about its tables when it is told to go."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.close()
    return process.stdout.readline()


@pytest.mark.slow
def test_processes_share_one_server_that_ends_with_the_last(postgres_home: Path) -> None:
    with start(postgres_home) as first, start(postgres_home) as second:
        assert first.stdout is not None and second.stdout is not None
        assert [first.stdout.readline(), second.stdout.readline()] == ["there\n"] * 2
        assert [leave(first), leave(second)] == [f"{len(WAREHOUSE_TABLES) + 2}\n"] * 2
    assert PostgresCluster(postgres_home).running_port() is None
