"""The settings of privacy: the installation's key, and how soon people's requests are done."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from event_assets.settings.values import File


class PrivacySettings(BaseSettings):
    """What `Settings` has for what people may ask for."""

    privacy_key: SecretStr | None = Field(
        None,
        min_length=16,
        description="Key by which erased people are remembered as hashes, and receipts signed: one for all processes "
        "of an installation. Default: `<home>/privacy.key`, which the first request makes.",
    )
    retention_file: File = Field(
        None,
        description="File that says how many days each kind of table keeps. Without one nothing goes by itself, and "
        "`event-assets retention` goes by the one that is shipped.",
    )
    privacy_deadline_days: int = Field(30, ge=1, le=3650, description="Days in which a request of a person is done.")

    @property
    def retention(self) -> Path:
        """File of the retention in force."""
        return self.retention_file or Path(__file__).parents[1] / "rules" / "retention.yaml"


def privacy_key_file(home: Path) -> Path:
    """Where the key is kept that no setting names."""
    return home / "privacy.key"
