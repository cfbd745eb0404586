"""The settings of a process, read from its environment and from files, with a sentence on each that cannot be used."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from event_assets.settings.faults import misspelt, unusable
from event_assets.settings.model import PREFIX, Settings


class SettingsError(ValueError):
    """A setting has a value that cannot be used. The message names the variable, the value's fault and the rule."""


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process. Raises `SettingsError` with a sentence that names each wrong variable: one that is
    no setting, has a value that cannot be, or one that cannot work on this machine."""
    faults = misspelt(os.environ, PREFIX, Settings.model_fields)
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        raise SettingsError("\n".join([*faults, *(_sentence(dict(fault)) for fault in error.errors())])) from None
    for name, rule in unusable(settings):
        faults.append(_sentence({"loc": (name,), "msg": rule, "input": str(getattr(settings, name))}))
    if faults:
        raise SettingsError("\n".join(faults))
    return settings


def read_settings(path: Path) -> dict[str, Any]:
    """The settings of a YAML or JSON file, by their names in lower case: `session_timeout_minutes: 30`.

    Raises `SettingsError`. Values are not looked at yet: give them to `load_settings`. A relative path is meant from
    the file's folder.
    """
    try:
        document = yaml.safe_load(path.read_text("utf-8")) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"The settings file {path} is neither YAML nor JSON: {error}") from None
    if not isinstance(document, dict):
        raise SettingsError(f"The settings file {path} must be a mapping: one `name: value` a line")
    unknown = [str(name) for name in document if name not in Settings.model_fields]
    if unknown:
        known = ", ".join(Settings.model_fields)
        raise SettingsError(f"{path}: there is no setting {', '.join(unknown)}. The settings are: {known}")
    return {name: _from_folder(path.parent, name, value) for name, value in document.items() if value is not None}


def _from_folder(folder: Path, name: str, value: Any) -> Any:
    is_path = "Path" in str(Settings.model_fields[name].annotation)
    if is_path and isinstance(value, list):
        return [folder / str(each) for each in value]
    return folder / value if is_path and isinstance(value, str) else value


def _sentence(fault: dict[str, Any]) -> str:
    rule = str(fault["msg"]).removeprefix("Value error, ")
    if not fault["loc"]:
        return f"{rule}."
    name = str(fault["loc"][0])
    shown = "a value that is not shown" if name in SECRETS else repr(fault["input"])
    return f"{PREFIX}{name.upper()} is {shown}: {rule[:1].lower()}{rule[1:]}. It means: {_meaning(name)}"


def _meaning(name: str) -> str:
    return Settings.model_fields[name].description or ""


SECRETS = frozenset(
    name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation) or not field.repr
)
"""Names of the settings whose values are never shown."""


def settings_table() -> list[tuple[str, str, str]]:
    """One row a setting: variable, default, meaning."""
    own = Settings.__annotations__
    # What is inherited would come first, and it is of a part alone.
    fields = sorted(Settings.model_fields.items(), key=lambda field: field[0] not in own)
    return [(PREFIX + name.upper(), _default(field.default), _meaning(name)) for name, field in fields]


def _default(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return json.dumps(value) if value else ""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
