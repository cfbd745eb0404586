"""The file of keys as an object of a bucket: of any size, and no one's change is lost to another's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from event_assets.collector.key_store import ATTEMPTS, NO_KEYS, AwsClient, KeyStoreError, fault_of

_CHANGED = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}


class KeyObject:
    """The object of an address `s3://bucket/key`; the first key makes it."""

    def __init__(self, url: str, region: str, endpoint: str | None = None) -> None:
        self._url = url
        self._bucket, _, self._key = url.removeprefix("s3://").partition("/")
        self._client = AwsClient("s3", region, endpoint)

    def read(self) -> bytes:
        """What the object holds now; no keys where it is not there yet."""
        return self._read()[0]

    def change(self, change: Callable[[bytes], bytes]) -> bytes:
        """Puts what this makes of it in its place, if it still is what that was made of; else it is done again."""
        for _ in range(ATTEMPTS):
            before, condition = self._read()
            data = change(before)
            try:
                self._client().put_object(
                    Bucket=self._bucket, Key=self._key, Body=data, ContentType="application/json", **condition
                )
                return data
            except Exception as error:
                if fault_of(error) not in _CHANGED:
                    raise KeyStoreError(
                        f"{self._url} of write keys cannot be written ({error}): whoever makes keys has to be allowed "
                        "s3:PutObject on it and kms:GenerateDataKey on its key."
                    ) from error
        raise KeyStoreError(f"{self._url} of write keys is changed by others all the time: try again.")

    def _read(self) -> tuple[bytes, dict[str, Any]]:
        """The object, and the condition that it still is so."""
        try:
            found = self._client().get_object(Bucket=self._bucket, Key=self._key)
            return bytes(found["Body"].read()), {"IfMatch": found["ETag"]}
        except Exception as error:
            if fault_of(error) == "NoSuchKey":
                return NO_KEYS, {"IfNoneMatch": "*"}
            raise KeyStoreError(
                f"{self._url} of write keys cannot be read ({error}): see that it is there (`event-assets keys create` "
                "makes it), and that this role may call s3:GetObject on it and kms:Decrypt on its key."
            ) from error
