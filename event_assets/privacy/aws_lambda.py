"""Retention on AWS Lambda, on a schedule; `handler` is what Lambda calls.

It does what `event-assets retention apply` does, by the same gates. Lifecycle rules of a bucket know nothing of them:
they take only the versions that this has deleted.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from event_assets.audit import audit_log
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.lake.tombstones import ErasureRules
from event_assets.privacy.expiring import apply_retention
from event_assets.rules.retention import read_retention
from event_assets.settings import Settings, function_settings, secret_text
from event_assets.warehouse.warehouse import Warehouse


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Takes away what is due. Gives the rows that went by table, and what waits. A second call at once changes nothing
    twice: every commit is conditional."""
    settings = function_settings()
    lake = Lake(Storage(settings.lake, settings.aws_region, settings.s3_endpoint_url))
    warehouse = Warehouse.from_settings(settings, _url(settings))
    run = apply_retention(
        lake,
        read_retention(settings.retention),
        ErasureRules.of(settings),
        dt.datetime.now(dt.UTC),
        warehouse,
        audit_log(settings),
    )
    return {
        "rows": {name: each.rows for name, each in run.tables.items() if each.rows},
        "waits": {name: each.waits for name, each in run.tables.items() if each.waits},
        "warehouse_days": run.warehouse,
    }


def _url(settings: Settings) -> str:
    """The warehouse's address, with the password of its secret where one is named."""
    assert settings.warehouse_url is not None  # the profile aws has one
    url = urlsplit(settings.warehouse_url.get_secret_value())
    if settings.warehouse_secret is None:
        return urlunsplit(url)
    told = json.loads(secret_text(settings.warehouse_secret, settings.aws_region))
    user, _, rest = url.netloc.rpartition("@")
    return urlunsplit(url._replace(netloc=f"{user.partition(':')[0]}:{quote(told['password'], safe='')}@{rest}"))
