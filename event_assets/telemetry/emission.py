"""Where metrics go: lines in CloudWatch's embedded metric format (EMF), to standard output or to files of a folder.

ECS and Lambda hand standard output to CloudWatch Logs, which makes metrics of such lines without an agent:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from event_assets.settings import Settings
from event_assets.telemetry.meter import Emit, Meter, Told
from event_assets.telemetry.metrics import INSTALLATION, METRICS, NAMESPACE

log = logging.getLogger(__name__)

KEPT_DAYS = 7
_TAIL_BYTES = 4_000_000


def open_meter(settings: Settings, service: str) -> Meter:
    """A meter whose lines go where the settings say."""
    return Meter(_emit_of(settings, service), time.time)


def _emit_of(settings: Settings, service: str) -> Emit:
    if settings.metrics_to == "none":
        return lambda at, told, notes: None

    def emit(at: float, told: Told, notes: Mapping[str, Mapping[str, float]]) -> None:
        text = line_of(at, told, notes, settings.installation, service)
        try:
            if settings.metrics_to == "stdout":
                sys.stdout.write(text)
                sys.stdout.flush()
            else:
                append(settings.metrics_folder, at, text)
        except OSError as error:  # what is told of the work must not stop it
            log.warning("metrics are not written: %s", error)

    return emit


def line_of(at: float, told: Told, notes: Mapping[str, Mapping[str, float]], installation: str, service: str) -> str:
    """One line in the embedded metric format. `at`: seconds since 1970."""
    metrics = [{"Name": name, "Unit": METRICS[name].unit} for name in told]
    described = {"Namespace": NAMESPACE, "Dimensions": [[INSTALLATION]], "Metrics": metrics}
    header = {"Timestamp": round(at * 1000), "CloudWatchMetrics": [described]}
    return json.dumps({"_aws": header, INSTALLATION: installation, "Service": service, **notes, **told}) + "\n"


def append(folder: Path, at: float, text: str) -> None:
    """Adds a line to the day's file, which several processes write to; a new day's removes those that are old."""
    day = dt.datetime.fromtimestamp(at, dt.UTC).date()
    file = folder / f"{day}.jsonl"
    is_new = not file.exists()
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, text.encode())  # at once, so that lines of two processes do not mix
    finally:
        os.close(descriptor)
    if is_new:
        kept = str(day - dt.timedelta(days=KEPT_DAYS))
        for old in folder.glob("????-??-??.jsonl"):
            if old.stem < kept:
                old.unlink(missing_ok=True)


def lines_since(folder: Path, since: float) -> Iterator[dict[str, Any]]:
    """The lines of a folder from a moment on (seconds since 1970); what is no whole line is left out."""
    first = str(dt.datetime.fromtimestamp(since, dt.UTC).date())
    for file in sorted(folder.glob("????-??-??.jsonl")):
        if file.stem < first:
            continue
        with file.open("rb") as lines:
            lines.seek(max(0, file.stat().st_size - _TAIL_BYTES))
            yield from (line for line in map(_read, lines) if line and line["_aws"]["Timestamp"] >= since * 1000)


def _read(text: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) and "_aws" in line else None
