"""What requests are answered by is what the lake says: the same values, to the bit, for the same person and instant."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pyspark.sql import SparkSession

from event_assets.collector.scores import answer
from event_assets.contract.tables.features import PERSON_FEATURES
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.models.scoring import NumberWeight, TextWeight, read_model, score
from event_assets.online import MODELS_ID, open_online, refusal_id
from event_assets.pipeline.identities import identities_step
from event_assets.pipeline.online_features import documents_of, publish_features
from event_assets.pipeline.person_features import person_features_step
from event_assets.rules.model import Models
from event_assets.settings import Settings
from event_assets.transforms.features.person_features import features_at
from event_assets.transforms.identity.stitching import with_person
from event_assets_tests.factories import at, enriched_event, frame, rows_of
from event_assets_tests.pipeline.runs import a_run
from event_assets_tests.pipeline.test_people import FEATURES, People

pytestmark = pytest.mark.slow
MODELS = Models.load(Settings().models)
[MODEL] = MODELS.usable
WIDE = MODEL.model_copy(
    update={"features": [name for name in FEATURES.usable if FEATURES.usable[name].kind != "trait"]}
)
NOON = at()


class Online(People):
    """A lake of people, and the online table of their features."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        super().__init__(spark, folder / "lake")
        self.folder = folder
        self.table = open_online(Settings(home=folder), "features")

    def publish(self, models: Models, now: dt.datetime = NOON, *, anew: bool = False) -> Any:
        run = a_run(self.lake, self.spark, features=FEATURES, models=models)
        identities_step(run)
        person_features_step(run)
        return publish_features(self.lake, self.table, FEATURES, models, now, anew=anew)


@pytest.fixture
def online(spark: SparkSession, tmp_path: Path) -> Online:
    return Online(spark, tmp_path)


@pytest.mark.representative
def test_a_request_and_a_training_set_say_the_same_of_the_same_person_at_the_same_instant(online: Online) -> None:
    rows = [
        enriched_event(
            ("page_view", "purchase", "click")[number % 3] if number else "identify",  # which makes d0 and u0 one
            at(days=number * 1.8, hours=number % 5),
            anonymous_id=f"d{number % 4}",
            user_id="u0" if number % 4 == 0 else None,
            properties=json.dumps({"revenue": 0.1 * number}),
            platform=("web", "ios")[number % 2],
        )
        for number in range(60)
    ]
    online.change(rows)
    assert online.publish(Models((WIDE,)), at(days=100)).ids == 5
    events = with_person(
        frame(online.spark, online.events), online.lake.table(IDENTITIES.name).snapshot().read(online.spark)
    )
    history = online.lake.table(PERSON_FEATURES.name).snapshot().read(online.spark)
    instants = [at(days=day, hours=hour) for day, hour in ((100, 0), (102, 11), (104, 2), (110, 0))]
    persons = {**{f"d{n}": f"d{n}" for n in range(1, 4)}, "u0": "d0", "d0": "d0", "nobody": "nobody"}
    asked = online.spark.createDataFrame(
        [(person, each) for person in sorted(set(persons.values())) for each in instants],
        "person_id STRING, at TIMESTAMP",
    )
    features = WIDE.of_features(FEATURES.usable)
    known = {
        (row["person_id"], row["at"]): json.loads(row["values"]) if row["values"] else {}
        for row in rows_of(features_at(asked, history, events, features))
    }
    document = _weighted(read_model(documents_of(Models((WIDE,)), FEATURES, {})[WIDE.name]))
    found = online.table.find([*persons, MODELS_ID])
    compared = 0
    for id_, person in persons.items():
        for instant in instants:
            today = Counter(
                row["event"]
                for row in rows
                if persons.get(row["anonymous_id"]) == person
                and row["derived_at"].date() == instant.date()
                and row["derived_at"] <= instant
            )
            _, online_says = answer(document, found.facts[id_], today, instant.date())
            batch_says = score(read_model(document.encode()), known[person, instant])
            assert (online_says.score, online_says.segment) == (batch_says.score, batch_says.segment)
            compared += online_says.score is not None
    assert compared == len(persons) * len(instants)
    assert any(len(each) > 5 for each in found.facts.values())


def test_what_is_of_the_same_lake_and_the_same_files_is_not_published_again(online: Online) -> None:
    online.change([enriched_event()])
    first = online.publish(MODELS)
    assert first.is_new and not online.publish(MODELS).is_new and online.publish(MODELS, anew=True).is_new
    changed = MODEL.model_copy(update={"within": "7 days"})
    assert online.publish(Models((changed,))).is_new
    online.change([enriched_event(when=at(5))])
    assert online.publish(Models((changed,))).is_new


def test_a_model_whose_features_are_others_now_is_not_used_before_it_learned_again() -> None:
    [document] = documents_of(MODELS, FEATURES, {}).values()
    learned = msgspec.structs.replace(read_model(document), promoted=True, version="7")
    row = {"comes_back": {"document": msgspec.json.encode(learned).decode()}}
    assert read_model(documents_of(MODELS, FEATURES, row)["comes_back"]) == learned
    renamed = msgspec.structs.replace(learned, features={**learned.features, "views_7d": {"count": "anything"}})
    row = {"comes_back": {"document": msgspec.json.encode(renamed).decode()}}
    assert not read_model(documents_of(MODELS, FEATURES, row)["comes_back"]).promoted


def _weighted(document: Any) -> str:
    """A promoted model in which every feature counts otherwise."""
    weights: list[NumberWeight | TextWeight] = []
    for place, name in enumerate(WIDE.features):
        if FEATURES.usable[name].is_number:
            weights.append(NumberWeight(name, 1.0, 2.0, 0.01 * (place + 1), -0.3, log=True))
        else:
            weights.append(TextWeight(name, {"web": 0.2, "new": -0.1, "inactive": 0.3}, 0.05, -0.2, 0.0))
    return msgspec.json.encode(msgspec.structs.replace(document, weights=weights, promoted=True)).decode()


def test_of_who_refused_personalisation_no_byte_is_put_where_requests_find_it_but_that_they_did(online: Online) -> None:
    def events(who: str, willing: bool, day: float) -> list[dict[str, Any]]:
        told = {"anonymous_id": f"device-{who}", "user_id": f"user-{who}"}
        rows = [enriched_event(name, at(days=day), **told) for name in ("identify", "page_view")]
        return [*rows, enriched_event("consent_changed", at(days=day + 1), **told, consent_personalisation=willing)]

    online.change([*events("ann", True, 0), *events("bob", False, 0)])
    online.run(without=("user_history",))
    assert publish_features(online.lake, online.table, FEATURES, MODELS, at(days=3)).ids == 2
    stored = b"".join(path.read_bytes() for path in online.folder.glob("features*"))
    assert b"device-ann" in stored and b"user-ann" in stored
    assert b"device-bob" not in stored and b"user-bob" not in stored
    known = online.table.find([*map(refusal_id, ("user-bob", "device-bob", "user-ann")), "user-bob"]).facts
    assert [len(facts) for facts in known.values()] == [1, 1, 0, 0]
    online.change(events("bob", True, 2))  # who changes their mind is known again
    online.run(without=("user_history",))
    assert publish_features(online.lake, online.table, FEATURES, MODELS, at(days=5)).ids == 4
    known = online.table.find([refusal_id("user-bob"), "user-bob"]).facts
    assert [bool(facts) for facts in known.values()] == [False, True]
