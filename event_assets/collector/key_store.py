"""Where the file of keys is kept where no disk is shared by all who serve, and this machine's copy of it.

A store is a secret, an object or a table of AWS, each in a module of its own. What the file says is not known here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

log = logging.getLogger(__name__)

REFRESH_SECONDS = 30.0
NO_KEYS = b'{"keys":[]}'
"""The file before the first key is made."""
ATTEMPTS = 20
"""Times that a change is made anew where others change the file at the same time."""


class KeyStoreError(Exception):
    """The store cannot be read or written. The message names it, and what to do."""


class KeyStore(Protocol):
    """The file of keys, shared by every machine. Safe to use from several threads."""

    def read(self) -> bytes:
        """The file as it is now. Raises `KeyStoreError`."""

    def change(self, change: Callable[[bytes], bytes]) -> bytes:
        """Puts what this makes of the file in its place, and gives it. It may be called again, with what another has
        made of the file meanwhile. Raises `KeyStoreError`."""


class KeyCopy:
    """A file of this machine that is what a store holds, as of half a minute ago at most."""

    def __init__(self, store: KeyStore, path: Path, put: Callable[[Path, bytes], None]) -> None:
        self._store, self._path, self._put = store, path, put
        self._next = 0.0
        self._was_read = False
        self._reading = threading.Lock()

    def change(self, change: Callable[[bytes], bytes]) -> None:
        """Changes the file in the store, and then here. Raises `KeyStoreError`."""
        self._put(self._path, self._store.change(change))

    def follow(self) -> None:
        """Sees to it that the file is what the store holds.

        The first time it waits for that and raises `KeyStoreError`; after that a thread asks, so that no request
        waits, and a store that is out of reach leaves the file as it is.
        """
        if not self._was_read:
            self._bring()
            self._was_read = True
        elif time.monotonic() >= self._next and self._reading.acquire(blocking=False):
            threading.Thread(target=self._bring_quietly, daemon=True).start()

    def _bring(self) -> None:
        self._next = time.monotonic() + REFRESH_SECONDS
        data = self._store.read()
        if not self._path.exists() or self._path.read_bytes() != data:
            self._put(self._path, data)

    def _bring_quietly(self) -> None:
        try:
            self._bring()
        except Exception as error:
            log.error("the write keys cannot be read", extra={"reason": str(error)})
        finally:
            self._reading.release()


class AwsClient:
    """A client of one of AWS's services, made when it is first asked for."""

    def __init__(self, service: str, region: str, endpoint: str | None = None) -> None:
        self._service, self._region, self._endpoint = service, region, endpoint
        self._made: Any = None

    def __call__(self) -> Any:
        if self._made is None:
            import boto3  # the extra aws: who has the keys in a file needs it not
            from botocore.config import Config

            config = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3, "mode": "standard"})
            session = boto3.session.Session()
            self._made = session.client(
                self._service, region_name=self._region, endpoint_url=self._endpoint, config=config
            )
        return self._made


def fault_of(error: Exception) -> str:
    """The code by which AWS names what is wrong; empty where it answered nothing."""
    answer: dict[str, Any] = getattr(error, "response", {})
    return str(answer.get("Error", {}).get("Code", ""))
