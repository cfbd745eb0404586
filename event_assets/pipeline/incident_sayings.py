"""What people said of incidents by command: what one was, and of which series nobody is to be told.

Each is a file beside the lake's tables that nothing changes; of the same incident, or series, the last holds, and
before what the users' file says. Tables are a function of both.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.pipeline.run import Rules
from event_assets.rules.anomalies import Anomalies, Feedback, Mute

FOLDER = "anomalies/said"
_Said = TypeVar("_Said", Feedback, Mute)


class IncidentError(ValueError):
    """What is said cannot be meant. The message says why, and what could be."""


def watched(lake: Lake, rules: Rules) -> Anomalies:
    """What is watched: the users' file with what was said by command. Raises `RuleError` where the file cannot be
    used."""
    file, said = rules.anomalies, _said(lake.storage)
    if not said:
        return file
    feedback = [Feedback.model_validate(each["feedback"]) for each in said if "feedback" in each]
    mutes = [Mute.model_validate(each["mute"]) for each in said if "mute" in each]
    return file.model_copy(
        update={
            "feedback": _last((*file.feedback, *feedback), lambda each: each.incident),
            "mutes": _last((*file.mutes, *mutes), lambda each: (each.metric, each.dimension, each.value)),
        }
    )


def say_what_it_was(lake: Lake, now: dt.datetime, incident: str, was: bool, note: str = "") -> Feedback:
    """Keeps what an incident was."""
    said = Feedback(incident=incident, was=was, note=note)
    _keep(lake.storage, now, {"feedback": said.model_dump(mode="json")})
    return said


def mute(lake: Lake, rules: Rules, now: dt.datetime, said: Mute) -> None:
    """Keeps that nobody is to be told of these series. Raises `IncidentError` where there is no such metric."""
    metrics = rules.anomalies.metrics
    if said.metric is not None and said.metric not in metrics:
        raise IncidentError(f"There is no metric {said.metric!r}; there are {', '.join(sorted(metrics))}.")
    _keep(lake.storage, now, {"mute": said.model_dump(mode="json")})


def _last(every: Sequence[_Said], of: Callable[[_Said], object]) -> tuple[_Said, ...]:
    return tuple({of(each): each for each in every}.values())


def _said(storage: Storage) -> list[dict[str, Any]]:
    paths = sorted(path for path, _ in storage.walk(FOLDER) if path.endswith(".json"))
    return [json.loads(storage.read(path)) for path in paths]


def _keep(storage: Storage, now: dt.datetime, said: dict[str, Any]) -> None:
    name = f"{FOLDER}/{now:%Y%m%dT%H%M%S.%f}-{secrets.token_hex(4)}.json"
    storage.create(name, json.dumps({"at": now.isoformat(timespec="seconds"), **said}, ensure_ascii=False).encode())
