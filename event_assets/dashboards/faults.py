"""What a visitor reads where something cannot be shown: a sentence with the way out. The log has the rest."""

from __future__ import annotations

import logging

import psycopg

_LOG = logging.getLogger(__name__)
TITLE = "It cannot be shown"


def sentence_of(error: Exception) -> str:
    """Why something is not shown, for who looks at a page."""
    if isinstance(error, psycopg.errors.QueryCanceled):
        return "The warehouse took longer than it may for this. Choose a shorter period or fewer filters."
    _LOG.error("something could not be shown", exc_info=error)
    if isinstance(error, psycopg.Error):
        why = next(iter(str(error).splitlines()), type(error).__name__)
        return f"The warehouse does not answer: {why}. Is the stack up? See event-assets status."
    return f"It could not be made ({type(error).__name__}). The log of the dashboards says where."
