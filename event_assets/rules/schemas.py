"""The JSON Schemas of the files that users own, by which an editor completes and checks them while they are written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from event_assets.rules.analysis import ANALYSIS_FILE
from event_assets.rules.anomalies import ANOMALIES_FILE
from event_assets.rules.company import COMPANY_FILE
from event_assets.rules.dashboard import DASHBOARD_FILE
from event_assets.rules.feature import FEATURE_FILE
from event_assets.rules.model import MODEL_FILE
from event_assets.rules.retention import RETENTION_FILE
from event_assets.rules.roles import ROLES_FILE
from event_assets.rules.rule_files import RuleFile
from event_assets.rules.segment import SEGMENT_FILE

_FILES: tuple[RuleFile[Any], ...] = (
    *(ANALYSIS_FILE, SEGMENT_FILE, DASHBOARD_FILE, COMPANY_FILE, ROLES_FILE),
    *(RETENTION_FILE, FEATURE_FILE, MODEL_FILE, ANOMALIES_FILE),
)


def schemas() -> dict[str, str]:
    """The text of each schema by its file's name."""
    made = {file.title: {"title": file.title.capitalize(), **file.model.json_schema()} for file in _FILES}
    for schema in made.values():
        for part in schema["$defs"].values():
            kinds = [name for name, field in part["properties"].items() if "const" in field]
            part["required"] = list(dict.fromkeys([*kinds, *part.get("required", ())]))
    return {f"{title}.schema.json": json.dumps(schema, indent=2) + "\n" for title, schema in made.items()}


def write_schemas(folder: Path) -> list[Path]:
    """Writes the schemas into a folder, which is made if it is not there, and gives their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in schemas()]
