"""trained_models: each model learns once a week, and when its file or its features change.

A row says what was learned then, and stays as it is: who was told a score by it can be told why. Models of a file that
cannot be used, and all of them where the extra `models` is not installed, go on as they were.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.events import CONVERSION_IDS, ENRICHED_EVENTS
from event_assets.contract.tables.features import PERSON_FEATURES, TRAINED_MODELS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.table import retry_on_conflict
from event_assets.models.scoring import read_model
from event_assets.pipeline.people import last_date
from event_assets.pipeline.report import StepReport, report_of
from event_assets.pipeline.run import Rules, Run
from event_assets.rules.condition import unknown_events
from event_assets.rules.feature import Feature
from event_assets.rules.model import AnyModel, Model, model_digest
from event_assets.transforms.attribution.conversion_ids import with_repeated
from event_assets.transforms.features.examples import GROUPS, last_sunday, moments, outcomes
from event_assets.transforms.features.person_features import features_at
from event_assets.transforms.identity.stitching import with_person
from event_assets.transforms.product.periods import day_number

if TYPE_CHECKING:
    from event_assets.models.features import Values
    from event_assets.models.training import Examples, Trained

TRAINED_MODELS_CODE = "2"
"""Version of what is learned, and how; raise it when a model of the same rows becomes another."""
TRAINED_MODELS_SOURCES = (IDENTITIES, ENRICHED_EVENTS, CONVERSION_IDS, PERSON_FEATURES)
NOT_INSTALLED = "models do not learn: install the extra models (pip install 'event-assets[models]')"
_MOST_EXAMPLES = 200_000
"""More are not held in memory: some of them are, which ones their ids say."""
Row = dict[str, Any]


def model_rules(rules: Rules) -> str:
    """The version of the rules that trained_models goes by."""
    return "-".join(model_digest(model, rules.features) for model in rules.models.usable)


def trained_models_step(run: Run) -> StepReport:
    """Has those models learn that are due."""
    return retry_on_conflict(lambda: _train(run))


def models_in_force(trained: Snapshot) -> dict[str, Row]:
    """The last row of each model, by name."""
    rows: Sequence[Row] = trained.arrow().to_pylist()
    return {row["name"]: row for row in sorted(rows, key=lambda row: row["number"])}


def _train(run: Run) -> StepReport:
    models, base = run.rules.models, run.lake.table(TRAINED_MODELS.name).snapshot()
    in_force = models_in_force(base)
    upstream = {table.name: run.lake.table(table.name).snapshot() for table in reversed(TRAINED_MODELS_SOURCES)}
    to = last_sunday(last_date(upstream[ENRICHED_EVENTS.name]))
    since = min(upstream[ENRICHED_EVENTS.name].dates(), default=str(to))
    due = [
        model
        for model in models.usable
        if dt.date.fromisoformat(since) + dt.timedelta(days=model.days) < to
        and (run.rebuild or _is_due(run, model, in_force.get(model.name), to))
    ]
    warnings = [*models.faults.values(), *unknown_events(models.usable, run.rules.cleaning.plan)]
    if due and importlib.util.find_spec("sklearn") is None:
        due, warnings = [], [*warnings, NOT_INSTALLED]
    made = _learned(run, due, upstream, in_force, to) if due and upstream[PERSON_FEATURES.name].files else []
    progress = base.progress
    for name, snapshot in upstream.items():
        progress = progress.with_consumed(name, snapshot.consumed)
    # What nothing was learned of is taken in, too: days that go would wait for it.
    add = [base.table.stage_arrow(_table(made), f"{base.version:020}", {})] if made else []
    after = base if progress == base.progress and not add else base.table.at(base.table.commit(base, progress, add=add))
    in_force = models_in_force(after)
    cards = {name: {**msgspec.json.decode(row["card"]), "why": row["why"]} for name, row in in_force.items()}
    return replace(report_of(after, add), cards=cards, warnings=tuple(warnings))


def _learned(
    run: Run, due: Sequence[AnyModel], upstream: dict[str, Snapshot], in_force: dict[str, Row], to: dt.date
) -> list[Row]:
    """The rows of models that learn now."""
    from event_assets.models.training import train, train_clusters  # slow to import, and an extra

    made = []
    with run.lake.scratch() as checkpoint:
        events, history = _read(run, upstream)
        for model in due:
            features = {**run.rules.features.usable}
            of_model = moments(events, model, _number(to)).withColumn("did", F.lit(False))
            asked = checkpoint(outcomes(of_model.drop("did"), events, model) if isinstance(model, Model) else of_model)
            known = features_at(asked, history, _of_days(events, asked), model.of_features(features))
            examples, newest = _examples(asked.join(known, ["person_id", "at"], "left"), model, features)
            row, version = in_force.get(model.name), _version(run, model)
            if isinstance(model, Model):
                trained = train(model, features, examples, version, str(to), newest)
            else:
                before = read_model(row["document"].encode()) if row else None
                trained = train_clusters(model, features, examples, version, str(to), before)
            made.append(_row(trained, row, to))
    return made


def _table(rows: Sequence[Row]) -> pa.Table:
    return pa.Table.from_pylist(rows, TRAINED_MODELS.arrow_schema())


def _is_due(run: Run, model: AnyModel, row: Row | None, to: dt.date) -> bool:
    return row is None or row["version"] != _version(run, model) or row["trained_to"] < to


def _version(run: Run, model: AnyModel) -> str:
    return f"{TRAINED_MODELS_CODE}-{model_digest(model, run.rules.features)}"


def _read(run: Run, upstream: dict[str, Snapshot]) -> tuple[DataFrame, DataFrame]:
    people, events, ids, history = (upstream[table.name].read(run.spark) for table in TRAINED_MODELS_SOURCES)
    return with_person(with_repeated(events, ids), people), history


def _of_days(events: DataFrame, asked: DataFrame) -> DataFrame:
    """The events of the persons on the days of their moments."""
    days = asked.select("person_id", "day").distinct()
    of_day = events.withColumn("day", day_number(F.col("derived_at")))
    return of_day.join(days, ["person_id", "day"], "left_semi").drop("day")


def _examples(rows: DataFrame, model: AnyModel, features: Mapping[str, Feature]) -> tuple[Examples, list[Values]]:
    """The examples of whom the model is about, in an order that is always the same; and what is known of the newest,
    whose days have not passed."""
    from event_assets.models.training import Examples

    some = rows.orderBy(F.sha2("person_id", 256), "day").limit(_MOST_EXAMPLES)
    found = some.select("person_id", "day", "is_over", "values", "did", *GROUPS).toArrow().to_pylist()
    found.sort(key=lambda row: (row["day"], row["person_id"]))
    none = dict.fromkeys(model.of_features(features))
    values = [msgspec.json.decode(row["values"]) if row["values"] else none for row in found]
    of_model = [
        place
        for place, known in enumerate(values)
        if all(each.holds(known.get(each.feature)) for each in model.population)
    ]
    kept = [at for at in of_model if found[at]["is_over"]]
    examples = Examples(
        [found[at]["day"] for at in kept],
        [values[at] for at in kept],
        [found[at]["did"] for at in kept],
        {name: [found[at][name] for at in kept] for name in GROUPS},
    )
    return examples, [values[at] for at in of_model if not found[at]["is_over"]]


def _row(trained: Trained, before: Row | None, to: dt.date) -> Row:
    model, card = trained.model, trained.card
    areas = card.areas
    return {
        "name": model.name,
        "number": before["number"] + 1 if before else 1,
        "version": model.version,
        "trained_to": to,
        "is_promoted": model.promoted,
        "why": model.why,
        "learned_from": card.learned_from,
        "tried_on": card.tried_on,
        "auc": areas["model"].value if areas else None,
        "rule_auc": areas["rule"].value if areas else None,
        "document": msgspec.json.encode(model).decode(),
        "card": msgspec.json.encode(card).decode(),
    }


def _number(date: dt.date) -> int:
    return (date - dt.date(1970, 1, 1)).days
