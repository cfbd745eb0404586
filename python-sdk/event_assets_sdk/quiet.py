"""No call of the SDK raises into the application."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from event_assets_sdk.report import Report

M = TypeVar("M", bound=Callable[..., Any])


class _Reporting(Protocol):
    _report: Report


def quiet(method: M) -> M:
    """The method, that tells the report of its own faults instead of raising them, and then gives None."""

    @functools.wraps(method)
    def told(self: _Reporting, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except Exception as error:
            self._report.problem("internal", f"{method.__name__} failed: {type(error).__name__}: {error}")
            return None

    return cast("M", told)
