"""Keys of the dimensions of the star schema, as dimensions and facts carry them.

A key follows from what its row is of and from nothing else, so that it is the same for ever, in every lake, and known
without the dimension.
"""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

NONE = "(none)"
"""The value of a dimension where there is none: rows are found by their dimensions, so none of these is null."""

OF_PAGE = ("kind", "page")
OF_CAMPAIGN = ("source", "medium", "campaign", "channel_group")
OF_DEVICE = ("device_type", "os", "browser", "platform")
OF_PLACE = ("country", "region", "city")
"""The columns that the dimensions are combinations of."""


def page_of() -> Column:
    """What a view is of: the page's path, else the screen's name."""
    return F.coalesce("path", "screen_name")


def known(name: str) -> Column:
    """The column's text; `(none)` where there is none."""
    return F.coalesce(F.col(name), F.lit(NONE)).alias(name)


def key_of(*columns: Column | str) -> Column:
    """The MD5 of the columns' texts, `(none)` where there is none, each after its length in characters and a colon.

    `4:page5:/blog` for the page /blog: no two combinations are the same text, whatever characters they have.
    """
    texts = [F.coalesce(column, F.lit(NONE)) for column in columns]
    pieces = (piece for text in texts for piece in (F.length(text).cast("string"), F.lit(":"), text))
    return F.md5(F.concat(*pieces).cast("binary"))


def page_key() -> Column:
    """The page or screen of a view."""
    return key_of("kind", page_of())


def campaign_key() -> Column:
    """What a session came by."""
    return key_of(*OF_CAMPAIGN)


def device_key() -> Column:
    """What a session is of."""
    return key_of(*OF_DEVICE)


def country_key() -> Column:
    """The country of a session or view, as a place."""
    nothing = F.lit(None).cast("string")
    return key_of("country", nothing, nothing)
