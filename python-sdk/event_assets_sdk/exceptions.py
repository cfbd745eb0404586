"""An exception as the properties of `app_error`, and hearing of those that nobody catches."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

_MESSAGE, _CODE, _STACK = 2_000, 64, 16_000
"""Characters that the shipped tracking plan allows."""


def properties_of(error: BaseException) -> dict[str, Any]:
    """Its words, its type as code, and its stack; of a stack that is too long, the end, where it happened."""
    stack = "".join(traceback.format_exception(error))
    return {
        "message": (str(error) or type(error).__name__)[:_MESSAGE],
        "code": type(error).__name__[:_CODE],
        "severity": "error",
        "stack": stack[-_STACK:],
    }


def follow_uncaught(capture: Callable[[BaseException], object]) -> None:
    """Has `capture` told of exceptions that nobody catches, of this thread and others, before Python prints them."""
    before, before_in_threads = sys.excepthook, threading.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        if isinstance(error, Exception):
            capture(error)
        before(kind, error, trace)

    def in_threads(arguments: threading.ExceptHookArgs) -> None:
        if isinstance(arguments.exc_value, Exception):
            capture(arguments.exc_value)
        before_in_threads(arguments)

    sys.excepthook, threading.excepthook = hook, in_threads
