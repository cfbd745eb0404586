"""A request that is refused as a whole, and how it is answered. Verdicts on single events are in `verdicts`."""

from __future__ import annotations


class RequestRefused(Exception):
    """Ends a request with a status, a code for programs and a sentence for people."""

    def __init__(self, status: int, code: str, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
