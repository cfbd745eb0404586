"""The steps of what is learned from, and learned: tables in the order in which they are made of each other."""

from __future__ import annotations

from collections.abc import Callable

from event_assets.contract.tables.features import PERSON_FEATURES, TRAINED_MODELS
from event_assets.contract.tables.schema import Table
from event_assets.pipeline.domains import Pace
from event_assets.pipeline.person_features import (
    PERSON_FEATURES_CODE,
    PERSON_FEATURES_SOURCES,
    feature_rules,
    person_features_step,
)
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Rules, Run
from event_assets.pipeline.trained_models import (
    TRAINED_MODELS_CODE,
    TRAINED_MODELS_SOURCES,
    model_rules,
    trained_models_step,
)

Learning = tuple[Table, str, Callable[[Rules], str], tuple[Table, ...], Callable[[Run], StepReport], Pace]

LEARNING: tuple[Learning, ...] = (
    (PERSON_FEATURES, PERSON_FEATURES_CODE, feature_rules, PERSON_FEATURES_SOURCES, person_features_step, "minutes"),
    (TRAINED_MODELS, TRAINED_MODELS_CODE, model_rules, TRAINED_MODELS_SOURCES, trained_models_step, "pauses"),
)
"""Table, version of its code, version of its rules, what it is made of, how, how soon it follows new events."""
