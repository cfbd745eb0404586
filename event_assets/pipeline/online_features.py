"""person_features_online: what features were of every day, and the models that score by them, put where requests find
them.

A fact a person and day, as far as a model counts it, so that memory does not grow with how many people there are; and
under an id that nobody can have a document a model. Who refused personalisation has none: there is a hash of each of
their ids alone, by which the answer knows that they did.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

import msgspec

from event_assets.contract.tables.features import PERSON_FEATURES, TRAINED_MODELS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.lake.lake import Lake
from event_assets.lake.snapshot import Snapshot
from event_assets.models.scoring import ClusterModel, Document, ScoreModel, ScoreRule, ScoreSegment, read_model
from event_assets.online import MODELS_ID, REFUSED, OnlineTable, refusal_id
from event_assets.pipeline.online import Published, id_rows
from event_assets.pipeline.refusals import digest_of, refused, without
from event_assets.pipeline.trained_models import models_in_force
from event_assets.rules.feature import Feature, Features
from event_assets.rules.model import AnyModel, Clusters, Models, model_digest

NAME = "person_features_online"
CODE = "2"
"""Version of what is published; raise it when it gives other rows."""
_PERIODS = 2
"""A lifecycle looks at the period that ends and the one before."""


def publish_features(
    lake: Lake, online: OnlineTable, features: Features, models: Models, now: dt.datetime, *, anew: bool = False
) -> Published:
    """Makes the online table of features what the lake says now. One that is of the same already is left as it is, but
    for `anew`."""
    names = (PERSON_FEATURES.name, IDENTITIES.name)
    if not all(lake.table(name).exists() for name in names):
        return Published(0, "", is_new=False)
    history, ids = (lake.table(name).snapshot() for name in names)
    trained = lake.table(TRAINED_MODELS.name).snapshot()
    rules = "-".join(model_digest(model, features) for model in models.usable)
    unwilling = refused(lake, (REFUSED,))
    made_of = (history.id, history.version, ids.id, ids.version, trained.version, rules, digest_of(unwilling))
    version = "-".join(map(str, (CODE, *made_of)))
    if not anew and online.version() == version:
        return Published(0, version, is_new=False)
    documents = documents_of(models, features, models_in_force(trained))
    facts = chain(_facts(history, _counted(models, features), unwilling, now.date()), _of_nobody(documents, unwilling))
    count = online.replace(facts, chain(id_rows(ids), _ids_of_nobody(unwilling)), version, now)
    return Published(count - len(unwilling) - bool(documents), version, is_new=True)


def documents_of(models: Models, features: Features, in_force: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    """By model the document that counts: the last that was learned, as long as its features are what they were; else
    the rule."""
    documents = {}
    for model in models.usable:
        by_rule = rule_document(model, features.usable)
        row = in_force.get(model.name)
        learned = read_model(row["document"].encode()) if row else by_rule
        documents[model.name] = msgspec.json.encode(learned if learned.features == by_rule.features else by_rule)
    return documents


def rule_document(model: AnyModel, features: Mapping[str, Feature]) -> Document:
    """A model that learned nothing yet: the rule of its file; without one, everybody is in one segment."""
    needed = {name: feature.as_document() for name, feature in model.of_features(features).items()}
    why = "it has learned nothing of these features yet"
    if isinstance(model, Clusters):
        return ClusterModel(model.name, "", needed, [], [], False, why, "")
    return ScoreModel(
        model.name,
        "",
        needed,
        [],
        0.0,
        (1.0, 0.0),
        [ScoreSegment(each.segment, each.at_least) for each in model.segments],
        ScoreRule(model.rule.feature, model.rule.at_least),
        False,
        why,
        "",
    )


def _counted(models: Models, features: Features) -> dict[str, Feature]:
    """The features that a model counts."""
    return {name: each for model in models.usable for name, each in model.of_features(features.usable).items()}


def _facts(
    history: Snapshot, features: Mapping[str, Feature], unwilling: frozenset[str], today: dt.date
) -> Iterator[list[tuple[str, str, str]]]:
    for file in history.files if features else ():
        rows = without(history.arrow([file], ("person_id", "from_date", "of_day")), unwilling)
        facts = []
        for person, date, of_day in zip(*(rows[name].to_pylist() for name in rows.column_names), strict=True):
            part = _part(of_day, features, (today - date).days) if of_day else None
            if part:
                facts.append((person, date.isoformat(), part))
        yield facts


def _of_nobody(documents: Mapping[str, bytes], unwilling: frozenset[str]) -> Iterator[list[tuple[str, str, str]]]:
    yield [(MODELS_ID, name, text.decode()) for name, text in documents.items()]
    yield [(refusal_id(id_), REFUSED, "refused") for id_ in sorted(unwilling)]


def _part(of_day: str, features: Mapping[str, Feature], age: int) -> str | None:
    """What the day added to features that may count it yet."""
    part = {
        name: added
        for name, added in msgspec.json.decode(of_day).items()
        if name in features and _counts(features[name].window, age)
    }
    return msgspec.json.encode(part).decode() if part else None


def _counts(window: int | None, age: int) -> bool:
    return window is None or age <= _PERIODS * window


def _ids_of_nobody(unwilling: frozenset[str]) -> Iterator[list[Any]]:
    yield [("model", MODELS_ID, MODELS_ID)]
    yield [("refusal", known, known) for known in map(refusal_id, sorted(unwilling))]
