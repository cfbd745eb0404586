"""What of the settings cannot work on this machine: misspelt names, folders that are not there, a day to come.

Looks at names, files and today's date; what a value must be like is said where it is declared.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from event_assets.settings.model import Settings

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*)://(.*)$")
_BUCKET = re.compile(r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?$")
_IMPORTED = re.compile(r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$")


def misspelt(variables: Iterable[str], prefix: str, known: Iterable[str]) -> list[str]:
    """A sentence on each variable with the prefix that names no setting, with the nearest that does."""
    names = [prefix + name.upper() for name in known]
    return [
        f"There is no setting {name}{_nearest(name.upper(), names)}. `event-assets settings` lists them."
        for name in sorted(variables)
        if name.upper().startswith(prefix) and name.upper() not in names
    ]


def _nearest(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.8)
    return f"; {near[0]} is the nearest" if near else ""


def unusable(settings: Settings) -> Iterator[tuple[str, str]]:
    """Each setting that cannot work here, by name, and why."""
    if (blocked := _no_folder(settings.home)) is not None:
        yield "home", blocked
    if settings.lake_url is not None and (fault := _fault_of_lake(settings.lake_url)) is not None:
        yield "lake_url", fault
    for name in ("plan_dir", "analytics_dir", "segments_dir", "models_dir", "dashboards_dir", "company_dir"):
        folder: Path | None = getattr(settings, name)
        if folder is not None and not folder.is_dir():
            yield name, "there is no such folder"
    if settings.first_day > dt.datetime.now(dt.UTC).date():
        yield "first_day", "it lies in the future, and no event could be of such a day yet"
    for reference in settings.enrichments:
        if not _IMPORTED.match(reference):
            yield "enrichments", f"{reference!r} is not package.module:function"
    if settings.executor not in ("in_process", "multiprocess") and not _IMPORTED.match(settings.executor):
        yield "executor", f"{settings.executor!r} is none of in_process, multiprocess, package.module:name"


def _fault_of_lake(url: str) -> str | None:
    scheme = _SCHEME.match(url)
    if scheme is None:
        return _no_folder(Path(url))
    if scheme[1] != "s3":
        return "it must be a folder or s3://bucket/prefix"
    return None if _BUCKET.match(scheme[2]) else "it must name a bucket: s3://bucket/prefix"


def _no_folder(path: Path) -> str | None:
    """Why no folder can be there; None where one is, or can be made."""
    there = next((place for place in (path, *path.absolute().parents) if place.exists()), None)
    return None if there is None or there.is_dir() else f"{there} is no folder"
