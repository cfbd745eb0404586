"""Formulas over series, which go by letters: `A / B * 100`.

What may be said is numbers, letters of series, `+ - * /` and brackets; nothing is ever run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import add, mul, sub
from typing import Any, TypeVar

T = TypeVar("T")
_TOKENS = re.compile(r"\s*(?:([0-9]+(?:\.[0-9]+)?)|([A-Z])|([-+*/()]))")
_DEEPEST, LONGEST_FORMULA = 50, 200


@dataclass(frozen=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True)
class Letter:
    """A series."""

    name: str


@dataclass(frozen=True)
class Operation:
    """Two formulas, and what is made of them: `+`, `-`, `*` or `/`."""

    sign: str
    left: Node
    right: Node


Node = Number | Letter | Operation


def parsed(text: str) -> Node:
    """The formula of a text. Raises `ValueError`, in a sentence that names the place, of what is none.

    >>> parsed("A / 2")
    Operation(sign='/', left=Letter(name='A'), right=Number(value=2.0))
    """
    if len(text) > LONGEST_FORMULA:
        raise ValueError(f"a formula has at most {LONGEST_FORMULA} characters")
    return _Parser(text).whole()


def letters(node: Node) -> set[str]:
    """The letters that a formula names."""
    if isinstance(node, Operation):
        return letters(node.left) | letters(node.right)
    return {node.name} if isinstance(node, Letter) else set()


def worked_out(node: Node, series: Mapping[str, T], number: Callable[[float], T], divide: Callable[[T, T], T]) -> T:
    """The value of a formula, in whatever numbers the series are: `number` makes one of a constant, `divide` says what
    a division by nothing is."""
    if isinstance(node, Number):
        return number(node.value)
    if isinstance(node, Letter):
        return series[node.name]
    left, right = (worked_out(each, series, number, divide) for each in (node.left, node.right))
    how: Mapping[str, Callable[[Any, Any], Any]] = {"+": add, "-": sub, "*": mul, "/": divide}
    result: T = how[node.sign](left, right)
    return result


class _Parser:
    """By descent: a sum is of products, a product of factors."""

    def __init__(self, text: str) -> None:
        self._text, self._at, self._deep = text.rstrip(), 0, 0

    def whole(self) -> Node:
        node = self._sum()
        if self._at < len(self._text):
            raise self._fault("an operator (+ - * /)")
        return node

    def _sum(self) -> Node:
        node = self._product()
        while (sign := self._taken("+-")) is not None:
            node = Operation(sign, node, self._product())
        return node

    def _product(self) -> Node:
        node = self._factor()
        while (sign := self._taken("*/")) is not None:
            node = Operation(sign, node, self._factor())
        return node

    def _factor(self) -> Node:
        self._deep += 1
        if self._deep > _DEEPEST:
            raise ValueError(f"brackets and signs are at most {_DEEPEST} inside each other")
        if self._taken("-") is not None:
            node: Node = Operation("-", Number(0.0), self._factor())
        elif self._taken("(") is not None:
            node = self._sum()
            if self._taken(")") is None:
                raise self._fault("a )")
        else:
            node = self._operand()
        self._deep -= 1
        return node

    def _operand(self) -> Node:
        found = _TOKENS.match(self._text, self._at)
        if found is None or found[3] is not None:
            raise self._fault("a number, the letter of a series or a (")
        self._at = found.end()
        return Number(float(found[1])) if found[1] is not None else Letter(found[2])

    def _taken(self, signs: str) -> str | None:
        found = _TOKENS.match(self._text, self._at)
        if found is None or found[3] is None or found[3] not in signs:
            return None
        self._at = found.end()
        return found[3]

    def _fault(self, wanted: str) -> ValueError:
        rest = self._text[self._at :].strip()[:20]
        return ValueError(f"it must go on with {wanted} at {rest!r}" if rest else f"it must go on with {wanted}")
