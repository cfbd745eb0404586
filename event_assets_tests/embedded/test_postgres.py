"""The embedded PostgreSQL is one server for all processes of a home, and ends with the last that uses it."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from event_assets.embedded import postgres, postgres_user
from event_assets.embedded.ports import free_port
from event_assets.embedded.postgres import PostgresCluster, open_postgres, sole_postgres
from event_assets.embedded.service import StackError
from event_assets_tests.processes import eventually

ROOT = Path(__file__).parents[2]
HOLD = """
import sys
from pathlib import Path
from event_assets.embedded.postgres import open_postgres
with open_postgres(Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


def holder(home: Path) -> tuple[subprocess.Popen[str], str]:
    """Another process that has the warehouse open until its input closes, and the URL that it got."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_what_is_written_is_there_when_the_server_is_started_again(tmp_path: Path) -> None:
    with open_postgres(tmp_path) as url, psycopg.connect(url, autocommit=True) as session:
        session.execute("CREATE TABLE kept AS SELECT 'ünï' AS word")
    assert PostgresCluster(tmp_path).running_port() is None
    with open_postgres(tmp_path) as url, psycopg.connect(url) as session:
        assert session.execute("SELECT word FROM kept").fetchall() == [("ünï",)]


@pytest.mark.slow
def test_a_port_that_was_taken_between_the_look_and_the_start_is_left_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as taken:

        def looked(host: str, preferred: int) -> int:
            looks.append(preferred)
            return free_port(host) if len(looks) > 1 else int(taken.getsockname()[1])

        monkeypatch.setattr(postgres, "free_port", looked)
        with open_postgres(tmp_path) as url:
            psycopg.connect(url).close()
    assert looks == [postgres.PREFERRED_PORT, 0]


@pytest.mark.slow
def test_two_processes_share_a_server_and_the_first_waits_for_the_second_to_leave(tmp_path: Path) -> None:
    first, url = holder(tmp_path)
    second, same = holder(tmp_path)
    assert url == same
    assert first.stdin is not None and second.stdin is not None
    first.stdin.close()
    with psycopg.connect(url) as session:
        assert session.execute("SELECT 1").fetchall() == [(1,)]
    assert first.poll() is None
    second.stdin.close()
    assert first.wait(300) == 0
    assert PostgresCluster(tmp_path).running_port() is None


@pytest.mark.slow
def test_a_server_ends_when_its_process_is_killed_and_starts_again(tmp_path: Path) -> None:
    process, _ = holder(tmp_path)
    process.kill()
    process.wait()
    assert eventually(lambda: PostgresCluster(tmp_path).running_port() is None)
    with open_postgres(tmp_path) as url, psycopg.connect(url) as session:
        assert session.execute("SELECT 1").fetchall() == [(1,)]


def test_nobody_gets_in_without_the_password(tmp_path: Path) -> None:
    with open_postgres(tmp_path) as url:
        place = url.rpartition("@")[2]
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"postgresql://event_assets:guess@{place}")


@pytest.mark.slow
def test_a_stack_does_not_start_on_a_cluster_that_another_process_runs(tmp_path: Path) -> None:
    process, _ = holder(tmp_path)
    with pytest.raises(StackError, match="Another process runs PostgreSQL"), sole_postgres(tmp_path, wait_seconds=0.1):
        pass
    process.communicate()
    with sole_postgres(tmp_path, wait_seconds=10):
        pass


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="PostgreSQL needs a stand-in only for root")


@as_root
def test_as_root_no_folder_is_opened_for_the_server(tmp_path: Path) -> None:
    home = tmp_path / "private" / "home"
    home.mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "private", home):
        folder.chmod(0o700)
    before = {folder: folder.stat().st_mode for folder in home.parents}
    with open_postgres(home) as url, psycopg.connect(url) as session:
        assert session.execute("SELECT 1").fetchall() == [(1,)]
    assert {folder: folder.stat().st_mode for folder in home.parents} == before
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "postgres").stat().st_mode) == 0o700


@as_root
def test_as_root_programs_that_nobody_else_can_reach_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install = tmp_path / "private" / "install"
    (install / "bin").mkdir(parents=True)
    program = install / "bin" / "postgres"
    program.write_text("#!/bin/sh\necho 18\n")
    program.chmod(0o700)
    (tmp_path / "private").chmod(0o700)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setattr(postgres_user, "COPIES", Path(folder) / "copies")
        user = postgres_user.stand_in()
        before = os.umask(0o077)  # as the stack's own
        try:
            first = postgres_user.reachable(install, user)
        finally:
            os.umask(before)
        assert first.is_relative_to(folder)
        assert postgres_user.reachable(install, user) == first
        assert postgres_user.reachable(first, user) == first
        assert os.listdir(Path(folder) / "copies") == [first.name]
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o700
