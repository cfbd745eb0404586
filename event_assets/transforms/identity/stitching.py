"""Whose a session is: its device's user and its person, also where these became known only later.

Which ids are one person, and which user a device's is, is decided in identities.py.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from event_assets.contract.tables.sessions import SESSIONS

IDENTITY_COLUMNS = ("id_type", "id", "person_id", "is_shared", "user_id")
"""The columns of identities that sessions are stitched to."""
PERSON_COLUMNS = ("id_type", "id", "person_id", "is_shared")
"""The columns of identities that tell whose a row is."""


def stitch(sessions: DataFrame, identities: DataFrame) -> DataFrame:
    """The session rows with `stitched_user_id` and `person_id`, in the columns of `SESSIONS`.

    The stitched user is the device's last user, for its whole past; without one it is the device's id; without a device
    there is none. `identities` are all, or those of the sessions' ids.
    """
    devices = identities.where("id_type = 'anonymous'").select(
        F.col("id").alias("anonymous_id"), F.col("user_id").alias("device_user")
    )
    known = with_person(sessions, identities).join(devices, "anonymous_id", "left")
    stitched = known.withColumn("stitched_user_id", F.coalesce("device_user", "anonymous_id"))
    return stitched.select(*SESSIONS.column_names)


def with_person(rows: DataFrame, identities: DataFrame) -> DataFrame:
    """Rows with `anonymous_id` and `user_id`, and whose `person_id` they are.

    The person is the device's; on a shared device, and without one, the user's. An id that is not among the identities
    is a person of its own, as it is there while it met nobody.
    """
    by_device = identities.where("id_type = 'anonymous'").select(
        F.col("id").alias("anonymous_id"), F.col("person_id").alias("device_person"), "is_shared"
    )
    by_user = identities.where("id_type = 'user'").select(
        F.col("id").alias("user_id"), F.col("person_id").alias("user_person")
    )
    user = F.coalesce("user_person", "user_id")
    device = F.coalesce("device_person", "anonymous_id")
    return (
        rows.join(by_device, "anonymous_id", "left")
        .join(by_user, "user_id", "left")
        .withColumn("person_id", F.coalesce(_unless_shared(device), user, device))
        .drop("device_person", "user_person", "is_shared")
    )


def reassigned_ids(changed: DataFrame) -> DataFrame:
    """The ids (column `id`) whose sessions may become another person's, of identities that came or went.

    An id that is a person of its own and has no user says the same as one that is not there.
    """
    return changed.where(_says_more() | F.col("user_id").isNotNull()).select("id").distinct()


def regrouped(changed: DataFrame) -> DataFrame:
    """Those of the identities that came or went by which a row may be another person's than it was.

    One that says that an id is a person of its own says the same as one that is not there, and one that came as it went
    says nothing.
    """
    times = F.count(F.lit(1)).over(Window.partitionBy(*PERSON_COLUMNS))
    return changed.where(_says_more()).withColumn("_times", times).where("_times = 1").drop("_times")


def _says_more() -> Column:
    return (F.col("person_id") != F.col("id")) | F.col("is_shared")


def _unless_shared(device: Column) -> Column:
    return F.when(~F.coalesce("is_shared", F.lit(False)), device)
