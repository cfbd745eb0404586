"""Who runs the embedded PostgreSQL: this user, or a stand-in for root, which PostgreSQL refuses to be.

The stand-in owns the data folder and can enter no folder above it. So root opens the data folder for it and hands on
the descriptor; and it gets a copy of the programs where it cannot reach the installed ones. No folder is opened to
anybody.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from event_assets.embedded.service import StackError, path_of_descriptor

STAND_IN = "pgserver"
COPIES = Path("/var/lib/event-assets")
"""Where programs are copied to that the stand-in cannot reach."""


def stand_in() -> str | None:
    """The user that the server runs as when this process is root; made where there is none. Raises `StackError`."""
    if os.geteuid() != 0:
        return None
    if sys.platform != "linux":
        raise StackError("The embedded PostgreSQL runs as root on Linux only: start this as an ordinary user.")
    try:
        pwd.getpwnam(STAND_IN)
    except KeyError:
        subprocess.run(["useradd", "--system", STAND_IN], check=True, capture_output=True)
    return STAND_IN


def reachable(install: Path, user: str | None) -> Path:
    """The folder of PostgreSQL's programs, or a copy of it that the user can reach."""
    if user is None or _runs(install, user):
        return install
    made = int((install / "bin" / "postgres").stat().st_mtime)
    copy = COPIES / f"{install.name}-{made}"
    if not copy.exists():
        COPIES.mkdir(parents=True, exist_ok=True)
        COPIES.chmod(0o755)  # whatever this process's umask is: the programs are nobody's secret
        draft = Path(tempfile.mkdtemp(dir=COPIES))
        shutil.copytree(install, draft / "copy", symlinks=True)
        for path in [draft / "copy", *(draft / "copy").rglob("*")]:
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(mode | 0o444 | (0o111 if mode & 0o100 else 0))
        try:
            (draft / "copy").rename(copy)
        except OSError:  # another process was first
            if not copy.exists():
                raise
        finally:
            shutil.rmtree(draft)
    if not _runs(copy, user):
        raise StackError(f"The user {user} cannot run {copy}: start this as an ordinary user, or open {COPIES} to it.")
    return copy


@contextmanager
def readable_by(user: str | None, text: str) -> Iterator[IO[str]]:
    """A file with this text for as long as the block runs, which only the user (and root) can read."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        if user is not None:
            os.fchown(file.fileno(), pwd.getpwnam(user).pw_uid, -1)
        yield file


def run_on(folder: Path, user: str | None, command: list[str], file: IO[str]) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end with `{folder}` and `{file}` as paths that the user can open."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        names = {"folder": str(folder), "file": file.name}
        if user is not None:
            names = {"folder": path_of_descriptor(descriptor), "file": path_of_descriptor(file.fileno())}
        return subprocess.run(
            [*_as(user), *(part.format(**names) for part in command)],
            pass_fds=[descriptor, file.fileno()],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(descriptor)


def _runs(install: Path, user: str) -> bool:
    command = [*_as(user), str(install / "bin" / "postgres"), "--version"]
    return subprocess.run(command, cwd="/", capture_output=True, check=False).returncode == 0


def _as(user: str | None) -> list[str]:
    """What makes a command another user's. Not `subprocess`' own way: that forks, and a fork of a process in which the
    engine has its threads may end by SIGSEGV before the command begins."""
    if user is None:
        return []
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--"]
