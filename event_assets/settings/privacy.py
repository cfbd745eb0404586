"""The settings of privacy: addresses, pseudonyms, the installation's key, and how soon people's requests are done."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings

from event_assets.contract.personal_data import wrong_at_collector
from event_assets.settings.values import File, Names, replaceable

PREFIX = "EVENT_ASSETS_"


class PrivacySettings(BaseSettings):
    """What `Settings` has for what is kept of people, and what they may ask for."""

    ip_privacy: Literal["keep", "truncate", "mask", "hash"] = Field(
        "truncate",
        description="What the first write does with IP addresses: keep, truncate, mask (x for the same part) or hash.",
    )
    ip_hash_key: SecretStr | None = Field(
        None, min_length=1, description="Key of the IP hash; required when `ip_privacy` is `hash`."
    )
    pii_fields: Annotated[Names, AfterValidator(replaceable)] = Field(
        (),
        description="Fields that are replaced by pseudonyms (HMAC-SHA-256): columns, and "
        "fields of properties, traits and extra such as `traits.email` (a dot in a name is `\\.`); "
        "with commas between.",
    )
    pii_key: SecretStr | None = Field(
        None,
        min_length=1,
        description="Key of the pseudonyms, or a JSON list of keys, the oldest first; required when `pii_fields` are "
        "named.",
    )
    pii_key_secret: str | None = Field(
        None,
        min_length=1,
        description="Secret of AWS Secrets Manager (name or ARN) that holds `pii_key`, for functions on AWS Lambda. "
        "Others get the key itself.",
    )
    pii_at: Literal["clean", "collector"] = Field(
        "clean",
        description="Where that is done: `clean`, when events are cleaned, so that the stream and `raw_events` have "
        "them as they came; or `collector`, before the first write, so that nothing has.",
    )
    privacy_key: SecretStr | None = Field(
        None,
        min_length=16,
        description="Key by which erased people are remembered as hashes, and receipts signed: one for all processes "
        "of an installation. Default: `<home>/privacy.key`, which the first request makes.",
    )
    privacy_key_secret: str | None = Field(None, min_length=1, description="The same of `privacy_key`.")
    audit_anchor_url: str | None = Field(
        None,
        min_length=1,
        description="Folder or `s3://` prefix where each entry of the audit log is named, so that `event-assets audit "
        "verify` notices those that were cut off: on another machine's disk, or in a bucket that lets nobody delete.",
    )
    retention_file: File = Field(
        None,
        description="File that says how many days each kind of table keeps. Without one nothing goes by itself, and "
        "`event-assets retention` goes by the one that is shipped.",
    )
    privacy_deadline_days: int = Field(30, ge=1, le=3650, description="Days in which a request of a person is done.")

    def require_privacy(self) -> None:
        """Raises `ValueError` where these settings do not go together."""
        if self.ip_privacy == "hash" and self.ip_hash_key is None:
            raise ValueError(f"{PREFIX}IP_HASH_KEY is missing: it is required when {PREFIX}IP_PRIVACY is 'hash'")
        for name in ("pii_key", "privacy_key"):
            if getattr(self, f"{name}_secret") and getattr(self, name) is None:
                key = f"{PREFIX}{name.upper()}"
                raise ValueError(f"{key}_SECRET is read by functions on AWS Lambda alone: give others {key} itself")
        if self.pii_fields and self.pii_key is None:
            raise ValueError(f"{PREFIX}PII_KEY is missing: it is required when {PREFIX}PII_FIELDS names fields")
        if self.pii_at == "collector":
            self._require_collector()

    def _require_collector(self) -> None:
        if not self.pii_fields:
            raise ValueError(f"{PREFIX}PII_FIELDS is missing: {PREFIX}PII_AT is 'collector', and no field is named")
        wrong = wrong_at_collector(self.pii_fields)
        if wrong:
            raise ValueError(f"{PREFIX}PII_FIELDS with {PREFIX}PII_AT=collector: {'; '.join(wrong)}")
        if self.ip_privacy == "keep":
            raise ValueError(
                f"{PREFIX}IP_PRIVACY is 'keep' and {PREFIX}PII_AT 'collector': addresses would be written as they are. "
                "Set truncate or mask, by which the country is found still, or hash, by which it is not"
            )

    @property
    def retention(self) -> Path:
        """File of the retention in force."""
        return self.retention_file or Path(__file__).parents[1] / "rules" / "retention.yaml"


def privacy_key_file(home: Path) -> Path:
    """Where the key is kept that no setting names."""
    return home / "privacy.key"
