"""A secret of AWS Secrets Manager that holds the file of keys, where no disk is shared by all who serve.

What the file says is not known here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

REFRESH_SECONDS = 30.0
SECRET_BYTES = 65_536
"""What a secret holds at most: keys for some hundred sources."""


class KeySecretError(Exception):
    """The secret cannot be read or written. The message names it, and what to do."""


class KeySecret:
    """The secret `name` (or its ARN). `client` replaces boto3's; AWS_ENDPOINT_URL_SECRETS_MANAGER names an emulator."""

    def __init__(self, name: str, region: str, client: Any = None) -> None:
        self._name = name
        self._region = region
        self._made_client = client
        self._next = 0.0
        self._was_read = False
        self._reading = threading.Lock()

    def read(self) -> bytes:
        """What the secret holds now. Raises `KeySecretError`."""
        try:
            return bytes(self._client().get_secret_value(SecretId=self._name)["SecretString"].encode())
        except Exception as error:
            raise KeySecretError(
                f"The secret {self._name} of write keys cannot be read ({error}): see that it is there, and that this "
                "role may call secretsmanager:GetSecretValue on it and kms:Decrypt on its key."
            ) from error

    def write(self, data: bytes) -> None:
        """Puts this in the place of what it holds. Of two who write at once, the later one's stays. Raises
        `KeySecretError`."""
        if len(data) > SECRET_BYTES:
            raise KeySecretError(
                f"The secret {self._name} holds {SECRET_BYTES:,} bytes, and the keys need {len(data):,}: take keys out "
                "that were revoked, or share a file."
            )
        try:
            self._client().put_secret_value(SecretId=self._name, SecretString=data.decode())
        except Exception as error:
            raise KeySecretError(
                f"The secret {self._name} of write keys cannot be written ({error}): whoever makes keys has to be "
                "allowed secretsmanager:PutSecretValue on it and kms:GenerateDataKey on its key."
            ) from error

    def follow(self, path: Path, put: Callable[[Path, bytes], None]) -> None:
        """Sees to it that the file is what the secret holds, as of half a minute ago at most.

        The first time it waits for that and raises `KeySecretError`; after that a thread asks, so that no request
        waits, and a secret that is out of reach leaves the file as it is.
        """
        if not self._was_read:
            self._bring(path, put)
            self._was_read = True
        elif time.monotonic() >= self._next and self._reading.acquire(blocking=False):
            threading.Thread(target=self._bring_quietly, args=(path, put), daemon=True).start()

    def _bring(self, path: Path, put: Callable[[Path, bytes], None]) -> None:
        self._next = time.monotonic() + REFRESH_SECONDS
        data = self.read()
        if not path.exists() or path.read_bytes() != data:
            put(path, data)

    def _bring_quietly(self, path: Path, put: Callable[[Path, bytes], None]) -> None:
        try:
            self._bring(path, put)
        except Exception as error:
            log.error("the write keys cannot be read", extra={"reason": str(error)})
        finally:
            self._reading.release()

    def _client(self) -> Any:
        if self._made_client is None:
            import boto3  # the extra aws: who has the keys in a file needs it not
            from botocore.config import Config

            config = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3, "mode": "standard"})
            session = boto3.session.Session()
            self._made_client = session.client("secretsmanager", region_name=self._region, config=config)
        return self._made_client
