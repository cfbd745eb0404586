"""Lengths of time as people write them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated

from pydantic import AfterValidator, Field

_WINDOW = re.compile(r"([1-9][0-9]{0,8}) (second|minute|hour|day|week)s?")
LONGEST_WINDOW = dt.timedelta(days=36_500)


def duration(words: str) -> dt.timedelta | None:
    """So many seconds, minutes, hours, days or weeks; None of other words, and of more than `LONGEST_WINDOW`."""
    found = _WINDOW.fullmatch(words)
    if found is None:
        return None
    try:
        length = dt.timedelta(**{f"{found[2]}s": int(found[1])})
    except OverflowError:
        return None
    return length if length <= LONGEST_WINDOW else None


def _is_duration(words: str) -> str:
    if duration(words) is None:
        raise ValueError(
            "it must be a number of seconds, minutes, hours, days or weeks, such as 14 days, and at most "
            f"{LONGEST_WINDOW.days} days"
        )
    return words


Duration = Annotated[str, AfterValidator(_is_duration), Field(json_schema_extra={"pattern": _WINDOW.pattern})]
