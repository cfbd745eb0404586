"""A pattern for JavaScript: what it is made of, and what is refused."""

from __future__ import annotations

import re

import pytest

from event_assets.contract.plan_code.patterns import PatternError, typescript_pattern


@pytest.mark.parametrize(
    ("python", "javascript"),
    [
        (r"^o_\d{1,3}$", "^o_[0-9]{1,3}$"),
        (r"[\w\-.]+@[^@/]+", r"[A-Za-z0-9_\-\.]+@[^@\/]+"),
        (r"(?:a|b)\.c{,2}?", r"(?:a|b)\.c{0,2}?"),
        (r"a{x}]", r"a\{x\}\]"),
        (r"[]a]", r"[\]a]"),
        (r"\_\#", "_#"),
    ],
)
def test_the_same_is_said(python: str, javascript: str) -> None:
    assert typescript_pattern(python) == javascript
    re.compile(python)


@pytest.mark.parametrize(
    "pattern", [r"(?i)x", r"(?=x)", r"(?P<n>x)\1", r"\bx", r"\D", r"[^\d]", r"\Z", r"x++", r"x{2}+"]
)
def test_what_is_read_otherwise_is_refused(pattern: str) -> None:
    re.compile(pattern)
    with pytest.raises(PatternError):
        typescript_pattern(pattern)
