"""What models learn from: features of persons."""

from __future__ import annotations

from event_assets.contract.tables.schema import Column, InWarehouse, Table, required

PERSON_FEATURES = Table(
    "person_features",
    "The features of persons, as their files say, and from when to when each was so: one row a person and time in "
    "which no feature changed.",
    (
        required("person_id", "string", "The person, as who is who is known now.", pii=True),
        required(
            "from_date",
            "date",
            "First UTC day at whose end it was so. It may lie in the future: what will be so if nothing else happens, "
            "since events leave the period that is counted.",
        ),
        Column(
            "to_date",
            "date",
            "First UTC day after it at whose end something was not so any more; null where nothing is to come.",
            definition="so at the end of a day: from_date <= day and (to_date is null or day < to_date)",
        ),
        required(
            "features",
            "string",
            "The features that have a value, as a JSON object. Instead of days since something, the date of it.",
            pii=True,
        ),
        Column(
            "of_day",
            "string",
            "What the first of these days added to each feature, as a JSON object: from it those of any other instant "
            "follow.",
            pii=True,
        ),
    ),
    key=("person_id", "from_date"),
    clustered_by="person_id",
    warehouse=InWarehouse(
        "dim_person_features", dist_key="person_id", sort_key=("person_id", "from_date"), leaves_out=("of_day",)
    ),
)

TRAINED_MODELS = Table(
    "trained_models",
    "What models learned: one row a model and week, or change of its file. It names nobody.",
    (
        required("name", "string", "Name of the model, as its file says."),
        required("number", "long", "Which of its trainings it is, from 1: the last one counts."),
        required("version", "string", "Version of the code and of the files that it was trained by."),
        required("trained_to", "date", "Last day, a Sunday, of what it learned from and was tried on."),
        required(
            "is_promoted",
            "boolean",
            "It takes the place of the rule of its file.",
            definition="auc > the upper end of the interval of rule_auc",
        ),
        required("why", "string", "Why it does, or does not."),
        required("learned_from", "long", "People at moments that it learned from."),
        required("tried_on", "long", "People at later moments that it was tried on."),
        Column("auc", "double", "Area under the curve of those that it was tried on; null where there were too few."),
        Column("rule_auc", "double", "The same of the feature of the rule."),
        required("document", "string", "The model, as JSON: scales, weights, calibration, segments."),
        required("card", "string", "What is to be known of it, as JSON: intervals, calibration, importance, groups."),
    ),
    key=("name", "number"),
    warehouse=InWarehouse("dim_trained_models", sort_key=("name",), leaves_out=("document",)),
)

TABLES: tuple[Table, ...] = (PERSON_FEATURES, TRAINED_MODELS)
