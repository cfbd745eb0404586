"""The version of rules: what tells whether rows were made by others."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any


def version_of(rules: Any) -> str:
    """What the rules, a dataclass, have other than by default, as text: a rule that comes to it makes no other version
    of those that leave it at its default.

    >>> from event_assets.transforms.attribution.attribution import AttributionRules
    >>> version_of(AttributionRules()), version_of(AttributionRules(lookback_days=7))
    ('default', 'lookback_days=7')
    """
    others = []
    for field in fields(rules):
        default = field.default if field.default is not MISSING else None
        value = getattr(rules, field.name)
        if value != default:
            others.append(f"{field.name}={value!r}")
    return ",".join(others) or "default"
