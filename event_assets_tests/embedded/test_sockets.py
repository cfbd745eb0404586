"""Sockets are in a folder that only their user may enter, and Dagster's code server is behind one."""

from __future__ import annotations

import stat
from pathlib import Path

import psutil
import pytest

from event_assets.embedded.service import Service, StackError
from event_assets.embedded.sockets import socket_of, socket_path
from event_assets.stack.services import code_server
from event_assets_tests.processes import eventually, family


def test_a_service_of_a_home_has_the_same_socket_each_time_and_homes_have_others(tmp_path: Path) -> None:
    first = socket_of(tmp_path, "spark")
    assert first == socket_of(tmp_path, "spark")
    assert len({first, socket_of(tmp_path, "code"), socket_of(tmp_path / "other", "spark")}) == 3
    assert len(str(socket_of(tmp_path / ("long" * 60), "spark"))) < 100


@pytest.mark.parametrize("mode", [0o755, 0o770])
def test_a_folder_that_others_may_enter_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: int) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert socket_path("x").parent.stat().st_mode & 0o777 == 0o700
    socket_path("x").parent.chmod(mode)
    with pytest.raises(StackError, match="yours alone"):
        socket_path("x")


@pytest.mark.slow
def test_the_code_server_and_all_its_processes_listen_on_no_port(tmp_path: Path) -> None:
    socket = socket_of(tmp_path, "dagster-code")
    environment = {"DAGSTER_HOME": str(tmp_path)}
    service = Service(code_server(socket, "event_assets_tests.stack.idle_definitions", environment), tmp_path)
    try:
        assert eventually(service.check, 300)
        ports = [each for process in family(service.pid) for each in process.net_connections("tcp")]
        assert [each for each in ports if each.status == psutil.CONN_LISTEN] == []
        assert not stat.S_IMODE(socket.stat().st_mode) & 0o077
    finally:
        service.ask_to_stop()
        service.wait_stopped()
