"""Models: what is foretold of people, from which features, and in which segment a score puts them. One YAML file each,
owned by the users.

How a model learns is in models/training.py, how it scores in models/scoring.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, Self

import msgspec
from pydantic import Discriminator, Field, Tag, TypeAdapter, model_validator

from event_assets.rules.condition import GROUP, PERSON, RuleName, Step
from event_assets.rules.duration import duration
from event_assets.rules.feature import Feature, Features
from event_assets.rules.rule_files import Fault, RuleFile, RuleModel, fault_key, nearest
from event_assets.rules.segment import Days, Events

Moment = Literal["first_day", "weekly"]
SegmentName = Annotated[str, Field(min_length=1, max_length=64)]
Share = Annotated[float, Field(ge=0, le=1)]


class ScoredSegment(RuleModel):
    """A segment: of whoever scores at least so much, and not enough for one before it."""

    segment: SegmentName
    at_least: Share = 0.0


class Rule(RuleModel):
    """What a model has to be better than: one feature that is a number, and from how much on it puts somebody into the
    first segment; else into the last."""

    feature: RuleName
    at_least: float


class Among(RuleModel):
    """Of whom a feature is between these, or one of these."""

    feature: RuleName
    at_least: float | None = None
    at_most: float | None = None
    is_: Annotated[list[str] | None, Field(alias="is")] = None

    @model_validator(mode="after")
    def _says_something(self) -> Among:
        if self.at_least is None and self.at_most is None and self.is_ is None:
            raise Fault("it holds of everybody; say at_least, at_most or is")
        return self

    def holds(self, value: float | str | None) -> bool:
        """Whether it holds of a value; of none it does not."""
        if isinstance(value, str) or value is None:
            return self.is_ is not None and value in self.is_
        above = self.at_least is None or value >= self.at_least
        return self.is_ is None and above and (self.at_most is None or value <= self.at_most)


class _Learned(RuleModel):
    """What every model has."""

    name: RuleName
    moment: Moment = "first_day"
    features: Annotated[list[RuleName], Field(min_length=1, max_length=200)]
    population: list[Among] = Field(default_factory=list)
    """All of these hold of whom it is about, at the moment."""
    least_people: Annotated[int, Field(ge=20)] = 200
    """With fewer to learn from or to be tried on, nothing is learned."""
    description: str = ""

    @property
    def days(self) -> int:
        """The days after a moment that it learns from."""
        return 0

    @property
    def _named(self) -> list[str]:
        """The features that it names."""
        return [*self.features, *(each.feature for each in self.population)]

    def of_features(self, features: Mapping[str, Feature]) -> dict[str, Feature]:
        """The features that it takes to score somebody, by name."""
        return {name: features[name] for name in sorted(set(self._named))}

    def faults(self, features: Mapping[str, Feature]) -> Iterator[str]:
        """A sentence for each feature that it names and is not there, or is of no use for it."""
        for name in dict.fromkeys(self._named):
            if name not in features:
                yield f"there is no feature {name!r}{nearest(name, features)}"

    def steps_named(self) -> Iterator[Step]:
        """The steps that it names."""
        yield from ()

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        twice = sorted({name for name in self.features if self.features.count(name) > 1})
        if twice:
            raise Fault(f"{twice[0]} is there twice", "features")
        return self


class Clusters(_Learned):
    """Groups of people who are alike at the moment, by features that are numbers: at `most` so many."""

    kind: Literal["clusters"]
    most: Annotated[int, Field(ge=2, le=12)] = 8

    def faults(self, features: Mapping[str, Feature]) -> Iterator[str]:
        yield from super().faults(features)
        for name in self.features:
            if name in features and not features[name].is_number:
                yield f"features: {name} is a text; groups are found by numbers"


class Model(_Learned):
    """What is foretold: whether somebody does `target` `within` so many days of a moment: the end of their first day,
    or of each Sunday on which they were seen in the days before (`weekly`)."""

    kind: Literal["classifier"] = "classifier"
    target: Events
    within: Days
    rule: Rule
    segments: Annotated[list[ScoredSegment], Field(min_length=2, max_length=20)]
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.3
    """The last of the moments, by time, that the model is tried on and learns nothing from."""

    @model_validator(mode="after")
    def _fits(self) -> Model:
        if isinstance(self.target, Step):
            for name in self.target.fields():
                if name.startswith((PERSON, GROUP)):
                    raise Fault(f"events have no {name} in a target", "target")
        bounds = [each.at_least for each in self.segments]
        if bounds != sorted(set(bounds), reverse=True) or bounds[-1] != 0:
            raise Fault("they go from the highest score down, and the last has no at_least", "segments")
        if len({each.segment for each in self.segments}) != len(self.segments):
            raise Fault("a segment is there twice", "segments")
        return self

    @property
    def days(self) -> int:
        """The days in which the target counts."""
        length = duration(self.within)
        assert length is not None
        return length.days

    @property
    def _named(self) -> list[str]:
        return [*super()._named, self.rule.feature]

    def faults(self, features: Mapping[str, Feature]) -> Iterator[str]:
        yield from super().faults(features)
        rule = features.get(self.rule.feature)
        if rule is not None and not rule.is_number:
            yield f"rule.feature {self.rule.feature} is a text; say one that is a number"

    def steps_named(self) -> Iterator[Step]:
        if isinstance(self.target, Step):
            yield self.target

    def segment_of(self, score: float) -> str:
        """The segment that a score puts somebody into."""
        return next(each.segment for each in self.segments if score >= each.at_least)


AnyModel = Model | Clusters
MODEL_FILE: RuleFile[AnyModel] = RuleFile(
    "model",
    TypeAdapter(
        Annotated[
            Annotated[Model, Tag("classifier")] | Annotated[Clusters, Tag("clusters")],
            Discriminator(
                lambda given: given.get("kind", "classifier") if isinstance(given, dict) else given.kind,
                custom_error_type="kind",
                custom_error_message="kind is classifier or clusters",
            ),
        ]
    ),
    "the fields kind, name and features",
)


@dataclass(frozen=True)
class Models:
    """The models of a folder, and for each file that cannot be used the reason."""

    usable: tuple[AnyModel, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def load(directory: Path) -> Models:
        """Reads a folder, with the features in it. One file's fault does not touch the other models. Raises `RuleError`
        where there is no such folder, or its features cannot be used."""
        features = Features.of_models(directory).usable
        found, faults = MODEL_FILE.read_folder(directory, "EVENT_ASSETS_MODELS_DIR names the models")
        usable = []
        for name, (path, model) in sorted(found.items()):
            wrong = [f"{path}: model {name}: {words}" for words in model.faults(features)]
            if wrong:
                faults[fault_key(path, name)] = "\n".join(wrong)
            else:
                usable.append(model)
        return Models(tuple(usable), faults)


def model_digest(model: AnyModel, features: Features) -> str:
    """Changes when, and only when, what the model learns changes; words for people do not count."""
    learns = model.model_dump(by_alias=True, exclude={"description"})
    what = msgspec.json.encode([learns, features.digest])
    return hashlib.sha256(what).hexdigest()[:12]
