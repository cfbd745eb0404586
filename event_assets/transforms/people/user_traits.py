"""The rows of `user_traits`: what is known of a person by name, and from when to when.

How what is said follows each other is decided in trait_history.py, which ids are one person in identities.py. What a
`group` event says is the group's.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.people import USER_TRAITS
from event_assets.transforms.identity.stitching import with_person
from event_assets.transforms.people.trait_history import SAID_COLUMNS, trait_history

TRAIT_COLUMNS = ("anonymous_id", "user_id", "event", *SAID_COLUMNS)
"""The columns of enriched events that traits are made of."""


def with_traits(events: DataFrame) -> DataFrame:
    """The events that say something of a person, in `TRAIT_COLUMNS`."""
    return events.where(is_said()).select(*TRAIT_COLUMNS)


def is_said() -> Column:
    """Whether an event says something of a person."""
    return F.coalesce("traits", "traits_once").isNotNull() & (F.col("event") != "group")


def user_traits(identities: DataFrame, events: DataFrame, before: DataFrame | None = None) -> DataFrame:
    """The traits of persons with their history, in the columns of `USER_TRAITS`.

    Whose an event is, is as for `users`. For some persons only, give the events that carry their ids, and take only
    their rows. `before` is what was said beside, in `SAID_COLUMNS` with `person_id`.
    """
    said = with_person(with_traits(events), identities).where(F.col("person_id").isNotNull())
    said = said.select("person_id", *SAID_COLUMNS)
    if before is not None:
        said = said.unionByName(before)
    return trait_history(said, "person_id").select(*USER_TRAITS.column_names)
