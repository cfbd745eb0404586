"""How many examples Hypothesis tries: few in the fast round, many in `make prove`, and never against the clock.

The one place that sets Hypothesis. A test that names a number names it as `@examples(number)`.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

FAST = "fast"
PROVE = "prove"
_FAST_EXAMPLES = 20
_PROVE_EXAMPLES = 250
_SHARE_OF = 50


def register_profiles() -> None:
    """Registers both profiles and loads the fast one; `--hypothesis-profile prove` takes the other.

    Neither has a deadline nor a health check that asks how long something took: a slow machine finds what a quick one
    finds. In CI a commit is tried with the same examples each time.
    """
    settings.register_profile(
        FAST,
        max_examples=_FAST_EXAMPLES,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
        derandomize="CI" in os.environ,
        print_blob=True,
    )
    settings.register_profile(PROVE, settings.get_profile(FAST), max_examples=_PROVE_EXAMPLES)
    settings.load_profile(FAST)


def examples(count: int) -> settings:
    """A decorator for a property whose examples cost more or less than others': this many where others get fifty, one
    at least."""
    return settings(max_examples=in_proportion(count))


def in_proportion(count: int) -> int:
    """How often something dear is done in this round: this many times where a property gets fifty examples, one at
    least."""
    return max(1, count * settings().max_examples // _SHARE_OF)


def texts(min_size: int = 0, max_size: int | None = None) -> st.SearchStrategy[str]:
    """What `st.text()` draws, drawn cheaply: its own alphabet asks of a million characters whether UTF-8 has them,
    which takes seconds before the first text."""
    return st.text(st.characters(exclude_categories=["Cs"]), min_size=min_size, max_size=max_size)
