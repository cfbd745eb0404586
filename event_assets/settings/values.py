"""What a setting's value may be where its type alone does not say it: lists, JSON objects, files, addresses.

Each takes a value, and gives it or raises `ValueError` with the rule.
"""

from __future__ import annotations

import base64
import difflib
import ipaddress
import json
import re
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, SecretStr, ValidationInfo
from pydantic_settings import NoDecode

from event_assets.contract.personal_data import JSON_COLUMNS, PII_COLUMNS, wrong_fields
from event_assets.contract.site_zones import UTC

MARKETING_FIELDS = ("source", "medium", "campaign", "term", "content", "click_ids")
"""What `marketing_parameters` can name the parameters of."""
_NO_ZONES = {"Factory", "localtime"}
"""What a system may list beside the zones, and no engine knows."""
_FEWEST_SECRET_BYTES = 24
DYNAMODB, SAGEMAKER = "dynamodb://", "sagemaker://"
_WAREHOUSES = ("postgresql://", "postgres://", "redshift://")
Files = TypeVar("Files", Path | None, tuple[Path, ...])


def split(value: Any) -> Any:
    """Names with commas between, or a JSON list."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [name.strip() for name in value.split(",") if name.strip()]


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split)]


def replaceable(value: tuple[str, ...]) -> tuple[str, ...]:
    """Fields that a pseudonym can replace."""
    wrong = wrong_fields(value)
    if wrong:
        raise ValueError(
            f"{'; '.join(wrong)}. What can be: {', '.join(PII_COLUMNS)}, and fields inside "
            f"{', '.join(JSON_COLUMNS)}, like traits.email"
        )
    return value


def existing(value: Files) -> Files:
    """Files that are there."""
    for path in value if isinstance(value, tuple) else filter(None, [value]):
        if not path.is_file():
            raise ValueError(f"there is no file {path}")
    return value


File = Annotated[Path | None, AfterValidator(existing)]
"""A file that is there."""


def locale(value: str | None) -> str | None:
    """A locale that the CLDR has; where no dashboards are installed, any."""
    if value is None:
        return None
    try:
        from babel import Locale, UnknownLocaleError
    except ImportError:
        return value
    try:
        Locale.parse(value, sep="-" if "-" in value else "_")
    except (ValueError, UnknownLocaleError):
        raise ValueError(f"there is no locale {value!r}; one is de, another en-GB") from None
    return value


def json_object(value: Any, info: ValidationInfo) -> Any:
    """An object, or the JSON text of one."""
    try:
        told = json.loads(value) if isinstance(value, str) else value
    except json.JSONDecodeError:
        told = None
    if not isinstance(told, dict):
        example = {
            "time_zones": '{"shop": "Europe/Berlin"}',
            "conversion_ids": '{"purchase": "order_id"}',
            "segment_webhooks": '{"crm": "https://crm.example.org/hook"}',
            "segment_webhook_secrets": '{"crm": "whsec_…"}',
            "dashboard_role_urls": '{"analyst": "postgresql://analyst:password@host:5432/db"}',
        }
        such = example.get(str(info.field_name), '{"source": ["mtm_source", "utm_source"]}')
        raise ValueError(f"it must be a JSON object, such as {such}")
    return told


def zone(value: str) -> str:
    """The IANA name of a time zone."""
    if value != UTC and value not in (known := available_timezones() - _NO_ZONES):
        by_name = {name.lower(): name for name in known}
        near = difflib.get_close_matches(value.strip().lower(), by_name, n=1, cutoff=0.6)
        meant = f"; {by_name[near[0]]} is the nearest" if near else ""
        raise ValueError(f"there is no time zone {value!r}{meant}. It must be an IANA name, such as Europe/Berlin")
    return value


def zones_by_app(value: dict[str, Any]) -> dict[str, str]:
    """The time zone of each app that has one of its own."""
    for app, name in value.items():
        if not app or not isinstance(name, str):
            raise ValueError('it must name apps and their zones, such as {"shop": "Europe/Berlin"}')
        zone(name)
    return value


def parameters(value: dict[str, Any]) -> dict[str, Any]:
    """Names of campaign parameters, and click ids with their network, source and medium."""
    for name, given in value.items():
        if name not in MARKETING_FIELDS:
            raise ValueError(f"{name!r} is none of {', '.join(MARKETING_FIELDS)}")
        if name == "click_ids":
            _require_click_ids(given)
        elif not _are_texts(given):
            raise ValueError(f'{name} must be a list of names, such as ["utm_{name}"]')
    return value


def warehouse_address(value: SecretStr | None) -> SecretStr | None:
    """The address of a warehouse of a kind that there is."""
    if value is not None and not value.get_secret_value().startswith(_WAREHOUSES):
        raise ValueError(f"it must start with {', '.join(_WAREHOUSES)}")
    return value


def online_address(value: SecretStr | None) -> SecretStr | None:
    """The address of a PostgreSQL, `dynamodb://` and a table's name, or `sagemaker://` and that of feature groups."""
    if value is not None and (url := value.get_secret_value()).startswith(DYNAMODB):
        if not re.fullmatch(r"[A-Za-z0-9_.-]{3,255}", url.removeprefix(DYNAMODB)):
            raise ValueError(
                f"the name of a table in DynamoDB is 3 to 255 letters, digits, _ . and -: {DYNAMODB}segments"
            )
        return value
    if value is not None and (url := value.get_secret_value()).startswith(SAGEMAKER):
        if not re.fullmatch(r"[A-Za-z0-9](-*[A-Za-z0-9]){0,53}", url.removeprefix(SAGEMAKER)):
            raise ValueError(f"the name of a feature group is 1 to 54 letters, digits and -: {SAGEMAKER}people")
        return value
    if value is not None and not value.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise ValueError(f"it must start with postgresql://, {DYNAMODB} or {SAGEMAKER}")
    return value


def keys_address(value: str | None) -> str | None:
    """An object of a bucket, or a table of DynamoDB."""
    if value is not None and not re.fullmatch(
        rf"s3://[a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9]/\S+|{DYNAMODB}[A-Za-z0-9_.-]{{3,255}}", value
    ):
        raise ValueError(f"it must be s3://bucket/key of an object, or {DYNAMODB} and the name of a table")
    return value


def networks(value: tuple[str, ...]) -> tuple[str, ...]:
    """Addresses and networks."""
    for each in value:
        ipaddress.ip_network(each)
    return value


def webhook_address(value: SecretStr | None) -> SecretStr | None:
    """An address that a message can be posted to unread: https, or this machine's own."""
    if value is not None:
        address = urlsplit(value.get_secret_value())
        if not address.hostname or not (
            address.scheme == "https" or (address.scheme == "http" and is_loopback(address.hostname))
        ):
            raise ValueError("it must start with https://")
    return value


def signing_secret(value: SecretStr) -> SecretStr:
    """A secret that messages can be signed with: `whsec_` and base64 of 24 bytes or more."""
    secret = value.get_secret_value()
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith("whsec_") or len(key) < _FEWEST_SECRET_BYTES:
        raise ValueError(
            f"it must be whsec_ and base64 of {_FEWEST_SECRET_BYTES} bytes or more; "
            'echo "whsec_$(openssl rand -base64 32)" makes one'
        )
    return value


def is_loopback(host: str) -> bool:
    """Whether an address or name is this machine's own, so that nobody else reaches what listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _are_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(each, str) and each for each in value)


def _require_click_ids(value: Any) -> None:
    if not isinstance(value, dict) or not all(_are_texts(told) and len(told) == 3 for told in value.values()):
        raise ValueError('click_ids must be such as {"yclid": ["Yandex", "yandex", "cpc"]}: network, source, medium')
