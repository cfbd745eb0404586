"""The file of keys in a secret of AWS Secrets Manager: what reads it is told by its name, and every version is kept."""

from __future__ import annotations

from collections.abc import Callable

from event_assets.collector.key_store import AwsClient, KeyStoreError

SECRET_BYTES = 65_536
"""What a secret holds at most: keys for some hundred sources."""


class KeySecret:
    """The secret `name` (or its ARN). AWS_ENDPOINT_URL_SECRETS_MANAGER names an emulator. Of two who change it at once,
    the later one's stays: there is no putting under a condition."""

    def __init__(self, name: str, region: str) -> None:
        self._name, self._client = name, AwsClient("secretsmanager", region)

    def read(self) -> bytes:
        """What the secret holds now."""
        try:
            return bytes(self._client().get_secret_value(SecretId=self._name)["SecretString"].encode())
        except Exception as error:
            raise KeyStoreError(
                f"The secret {self._name} of write keys cannot be read ({error}): see that it is there, and that this "
                "role may call secretsmanager:GetSecretValue on it and kms:Decrypt on its key."
            ) from error

    def change(self, change: Callable[[bytes], bytes]) -> bytes:
        """Puts what this makes of it in the place of what it holds."""
        data = change(self.read())
        if len(data) > SECRET_BYTES:
            raise KeyStoreError(
                f"The secret {self._name} holds {SECRET_BYTES:,} bytes, and the keys need {len(data):,}: keep them in "
                "a bucket or a table (EVENT_ASSETS_KEYS_URL)."
            )
        try:
            self._client().put_secret_value(SecretId=self._name, SecretString=data.decode())
        except Exception as error:
            raise KeyStoreError(
                f"The secret {self._name} of write keys cannot be written ({error}): whoever makes keys has to be "
                "allowed secretsmanager:PutSecretValue on it and kms:GenerateDataKey on its key."
            ) from error
        return data
