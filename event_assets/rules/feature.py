"""Features: what is known of a person at an instant, as numbers and texts that a model can learn from. YAML files,
owned by the users.

How a feature follows from what somebody did is in models/features.py, which models use features in rules/model.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field, TypeAdapter, model_validator

from event_assets.contract.paths import parts_of
from event_assets.rules.condition import GROUP, PERSON, FieldName, RuleName, Step
from event_assets.rules.duration import duration
from event_assets.rules.rule_files import Fault, RuleError, RuleFile, RuleModel, fault_key
from event_assets.rules.segment import Days, Events, UserText

TextColumn = Literal[
    "platform",
    "app_id",
    "app_version",
    "country",
    "device_type",
    "os",
    "browser",
    "device_locale",
    "channel_group",
    "source",
    "medium",
    "campaign",
]
_KINDS = (
    *("count", "days", "sum", "days_since", "days_since_first", "sessions"),
    *("first", "latest", "first_touch", "trait", "lifecycle"),
)
_OF_PERIODS = ("count", "days", "sum", "sessions")
_TEXTS = ("first", "latest", "first_touch", "lifecycle")


class Feature(RuleModel):
    """One of these, and what it is of. Robots' events do not count, and a conversion that is told again counts once."""

    count: Events | None = None
    """How many such events."""
    days: Events | None = None
    """On how many days there were any."""
    sum: FieldName | None = None
    """The sum of a column or property that is a number, of the events `of`; of any, where that is not said."""
    days_since: Events | None = None
    """Days since the last such event."""
    days_since_first: Events | None = None
    """Days since the first."""
    sessions: Literal["all"] | None = None
    """How many sessions began."""
    first: TextColumn | None = None
    """A column of the first event that has it."""
    latest: TextColumn | None = None
    """A column of the last event that has it."""
    first_touch: UserText | None = None
    """Where the person's first session came from."""
    trait: FieldName | None = None
    """What the person said of themselves: a text, or a number where `as` says so."""
    lifecycle: Days | None = None
    """new, returning, resurrecting, dormant or inactive, by a period of so many days and the one before it."""
    of: Step | None = None
    last: Days | None = None
    """Of the last days, the one that is asked about included; without it, ever."""
    as_: Annotated[Literal["text", "number"] | None, Field(alias="as")] = None
    description: str = ""

    @model_validator(mode="after")
    def _is_one(self) -> Feature:
        kinds = [name for name in _KINDS if getattr(self, name) is not None]
        if len(kinds) != 1:
            raise Fault(f"it has {' and '.join(kinds) or 'none'}; a feature is one of {', '.join(_KINDS)}")
        if self.last is not None and self.kind not in _OF_PERIODS:
            raise Fault(f"last is for {', '.join(_OF_PERIODS)}; leave it out", "last")
        if self.of is not None and self.kind != "sum":
            raise Fault(f"of is for sum; say the events in {self.kind}", "of")
        if self.as_ is not None and self.kind != "trait":
            raise Fault("as is for trait; leave it out", "as")
        for step in self.steps_named():
            for name in step.fields():
                if name.startswith((PERSON, GROUP)):
                    raise Fault(f"events have no {name} in a feature; make what is known of the person another one")
        return self

    @cached_property
    def kind(self) -> str:
        """Which kind it is: the name of the field that says so."""
        return next(name for name in _KINDS if getattr(self, name) is not None)

    @cached_property
    def window(self) -> int | None:
        """The days that count; None: all."""
        words = self.lifecycle or self.last
        length = duration(words) if words else None
        return length.days if length else None

    @property
    def is_number(self) -> bool:
        """A number; else a text."""
        return self.kind not in _TEXTS and (self.kind != "trait" or self.as_ == "number")

    @cached_property
    def events(self) -> Events | None:
        """The events that it is of; None where it is of none."""
        if self.kind == "sum":
            return self.of or "anything"
        if self.kind == "lifecycle":
            return "anything"
        return self.count or self.days or self.days_since or self.days_since_first

    @cached_property
    def is_by_name(self) -> bool:
        """Whether names of events are all that it takes to tell what an event adds: then the events of a page that is
        open count at once."""
        if self.kind in ("sum", *_TEXTS) and self.kind != "lifecycle":
            return False
        return self.events is not None and not any(
            each.where for step in self.steps_named() for each in step.alternatives
        )

    def adds(self, event: str) -> bool:
        """Whether an event of that name counts, of a feature that is by name."""
        return self.events == "anything" or event in self._names or None in self._names

    @cached_property
    def _names(self) -> frozenset[str | None]:
        return frozenset(each.event for step in self.steps_named() for each in step.alternatives)

    @property
    def path(self) -> tuple[str, ...]:
        """The trait, and where in it."""
        return parts_of(self.trait or "")

    def as_document(self) -> dict[str, Any]:
        """Its rule, as it is kept with what was learned of it; without words for people."""
        return self.model_dump(by_alias=True, exclude_none=True, exclude={"description"})

    @staticmethod
    def of_document(document: Mapping[str, Any]) -> Feature:
        """The feature of such a document."""
        return Feature.model_validate(document, by_alias=True, by_name=False)

    def steps_named(self) -> Iterator[Step]:
        """The steps that it names."""
        if isinstance(self.events, Step):
            yield self.events


class FeatureSet(RuleModel):
    """Features that belong together, by name."""

    name: RuleName
    features: Annotated[dict[RuleName, Feature], Field(min_length=1)]
    description: str = ""

    def steps_named(self) -> Iterator[Step]:
        """The steps that its features name."""
        for feature in self.features.values():
            yield from feature.steps_named()


FEATURE_FILE: RuleFile[FeatureSet] = RuleFile("features", TypeAdapter(FeatureSet), "the fields name and features")


@dataclass(frozen=True)
class Features:
    """The features of a folder, by name, and the sets that they are in."""

    usable: Mapping[str, Feature] = field(default_factory=dict)
    sets: tuple[FeatureSet, ...] = ()

    @staticmethod
    def load(directory: Path) -> Features:
        """Reads a folder. Raises `RuleError`, with a line for each fault, where there is no such folder or one of its
        files cannot be used: with a part of the features all rows would be made again."""
        found, faults = FEATURE_FILE.read_folder(directory, "EVENT_ASSETS_MODELS_DIR names the models")
        usable: dict[str, Feature] = {}
        sets = []
        for name, (path, features) in sorted(found.items()):
            taken = sorted(features.features.keys() & usable.keys())
            if taken:
                words = f"{path}: features {name}: {', '.join(taken)} is in another file, too; give it another name"
                faults[fault_key(path, name)] = words
            usable |= features.features
            sets.append(features)
        if faults:
            raise RuleError("\n".join(faults.values()))
        return Features(dict(sorted(usable.items())), tuple(sets))

    @staticmethod
    def of_models(directory: Path) -> Features:
        """Those of a folder of models, which are in its folder `features`; none where there is no such folder in it."""
        folder = directory / "features"
        return Features.load(folder) if folder.is_dir() or not directory.is_dir() else Features()

    def told(self) -> dict[str, str]:
        """What each is, in the words of its file, as far as it has some, and its rule."""
        rules = {name: msgspec.json.encode(feature.as_document()).decode() for name, feature in self.usable.items()}
        return {name: f"{self.usable[name].description} {rule}".strip() for name, rule in rules.items()}

    @property
    def digest(self) -> str:
        """Changes when, and only when, what a feature is changes; words for people do not count."""
        rules = {name: feature.as_document() for name, feature in sorted(self.usable.items())}
        return hashlib.sha256(msgspec.json.encode(rules)).hexdigest()[:12]
