"""Formulas are worked out as Python would, and what is none is told with its place."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.rules.formula import letters, parsed, worked_out

NODES = st.recursive(
    st.sampled_from(["A", "B", "2", "0.5"]),
    lambda inner: st.builds(
        lambda left, sign, right, opens: f"({left}) {sign} {right}" if opens else f"{left}{sign}({right})",
        inner,
        st.sampled_from("+-*/"),
        inner,
        st.booleans(),
    ),
    max_leaves=8,
)


@given(NODES, st.floats(0.5, 9), st.floats(0.5, 9))
def test_a_formula_is_what_python_makes_of_it(text: str, a: float, b: float) -> None:
    try:
        expected = eval(text, {"__builtins__": {}}, {"A": a, "B": b})
    except ZeroDivisionError:
        return
    found = worked_out(parsed(text), {"A": a, "B": b}, float, lambda left, right: left / right if right else math.nan)
    assert math.isnan(found) or math.isclose(found, expected, rel_tol=1e-9)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it must go on with a number, the letter of a series or a ("),
        ("A +", "it must go on with a number"),
        ("A B", "an operator (+ - * /) at 'B'"),
        ("(A", "a )"),
        ("a", "a number, the letter of a series or a ( at 'a'"),
        ("A.__class__", "an operator (+ - * /) at '.__class__'"),
        ("A ** 2", "at '* 2'"),
        ("(" * 60 + "A" + ")" * 60, "at most 50 inside each other"),
        ("A" * 201, "at most 200 characters"),
    ],
)
def test_what_is_no_formula_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as fault:
        parsed(text)
    assert said in str(fault.value)


def test_a_formula_names_letters() -> None:
    assert letters(parsed("-A / (B + 2)")) == {"A", "B"}
