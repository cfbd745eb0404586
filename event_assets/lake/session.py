"""The Spark session that the rows of a lake go through: what is set in it, and whether it still is the same.

A client goes on with a server that was started again on its address, in a session that knows nothing of the first: not
its time zone, so that dates and the types of times are others. So every session is marked when it is made, and what was
set is asked for again before rows are written and before they are committed. Who makes sessions is not known here.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SESSION_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}
"""What every session must have set: what dates and times mean, and how they are written."""

_CALL_SITES = "spark.python.sql.dataFrameDebugging.enabled"
"""Whether PySpark looks for the line of Python that each call on a column or frame was made in, to say it in errors: a
sixth of the processor time of a run."""

_MARK = "spark.event_assets.session"


class SessionLost(RuntimeError):
    """The engine has gone, or its session is not the one that was prepared. Start again with a new session."""


def prepare_session(spark: SparkSession) -> None:
    """Sets what a session must have, and marks it. Raises `SessionLost` where the engine does not answer.

    Call it before any row is made: PySpark reads once in a process whether it looks for call sites.
    """
    with suppress(Exception):  # Apache Spark takes it from its own configuration alone
        spark.conf.set(_CALL_SITES, "false")
    for name, value in _wanted(spark).items():
        try:
            spark.conf.set(name, value)
        except Exception as fault:
            raise SessionLost(f"The Spark engine does not answer: {_first_line(fault)}") from fault


def require_session(spark: SparkSession) -> None:
    """Returns where the session is as `prepare_session` left it, and raises `SessionLost` else."""
    try:
        found = spark.conf.getAll
    except Exception as fault:
        raise SessionLost(f"The Spark engine has gone: {_first_line(fault)}") from fault
    for name, value in _wanted(spark).items():
        if found.get(name) == value:
            continue
        if name == _MARK:
            raise SessionLost("The Spark engine was started again: what was set in this session is lost.")
        raise SessionLost(f"The Spark session has {name} = {found.get(name)}, where rows need {value}.")


class SessionsInUse:
    """The sessions that rows of a lake were read or written with. One that is lost may have given wrong rows, so that
    nothing more can be committed to that lake: open it again."""

    def __init__(self) -> None:
        self._sessions: dict[int, SparkSession] = {}

    def use(self, spark: SparkSession) -> None:
        """Take note that rows go through this session."""
        self._sessions[id(spark)] = spark

    def require(self) -> None:
        """`require_session` of each session in use."""
        for spark in list(self._sessions.values()):
            require_session(spark)


def _wanted(spark: SparkSession) -> dict[str, str]:
    return {_MARK: _id(spark), **SESSION_SETTINGS}


def _id(spark: SparkSession) -> str:
    # Of Spark Connect's session only, which is the one that can be lost.
    return str(getattr(spark, "session_id", "classic"))


def _first_line(fault: Exception) -> str:
    return next((line.strip() for line in str(fault).splitlines() if line.strip()), type(fault).__name__)
