"""The simulator on AWS Lambda; `handler` is what Lambda calls, for instance on a schedule.

The event says where the traffic goes and what it is:
`{"endpoint": "https://…", "write_key": "…", "events": 20000, "seconds": 30, "seed": 7, "rates": {"duplicate": 0.05}}`.
In the place of `write_key`, `"write_key_secret"` names a secret of AWS Secrets Manager that holds it. A function's disk
is not kept: the truth is written under `EVENT_ASSETS_HOME` (`/tmp/…`) and, where the event names
`"truth_url": "s3://bucket/key"`, copied there for `event-assets verify --truth`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from event_assets.settings import Settings, load_settings, secret_text
from event_assets.simulator.run import run_simulation
from event_assets.simulator.traffic import Traffic, TrafficError


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Sends the traffic that the event asks for and gives what `run_simulation` gives, as plain values.

    Raises `TrafficError` for an event that asks for what there is not, `SettingsError` for a secret that cannot be
    read, `SendError` where the API refuses the key.
    """
    asked = dict(event)
    settings = load_settings()
    endpoint = _text(asked, "endpoint")
    truth_url = _text(asked, "truth_url") if "truth_url" in asked else None
    if "write_key_secret" in asked:
        key = secret_text(_text(asked, "write_key_secret"), settings.aws_region).strip()
    else:
        key = _text(asked, "write_key")
    result = run_simulation(settings, endpoint, key, None, **Traffic.of(asked).arguments())
    if truth_url is not None:
        _keep(settings, result.truth, truth_url)
    return result.as_dict() | {"truth_url": truth_url}


def _text(asked: dict[str, Any], name: str) -> str:
    value = asked.pop(name, None)
    if not isinstance(value, str) or not value:
        raise TrafficError(f"{name} is {value!r}: the event must name it as a text.")
    return value


def _keep(settings: Settings, truth: Path, url: str) -> None:
    import boto3

    place = urlsplit(url)
    client = boto3.client("s3", region_name=settings.aws_region, endpoint_url=settings.s3_endpoint_url)
    client.upload_file(str(truth), place.netloc, place.path.lstrip("/"))
