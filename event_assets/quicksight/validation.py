"""Whether AWS would take a request, as far as its own model says: botocore's check, and a walk for what that leaves.

botocore checks names, types, what is required, and minima. It does not check enums, patterns, maxima, or that a union
has one member. What refers to what is in `references.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

from event_assets.quicksight.kinds import Json, Resource
from event_assets.quicksight.references import faults_of_definition
from event_assets.quicksight.requests import all_requests, columns_of, operation
from event_assets.quicksight.target import QuickSightError, Target

_UNSAID_UNIONS = frozenset({"DimensionField", "FieldSortOptions", "MeasureField"})
_UNION_WORDS = ("union type structure", "variant type structure")
"""By which the model's documentation says that exactly one member may be given. Of the three above it does not."""


def check(resources: tuple[Resource, ...], target: Target) -> None:
    """Raises `QuickSightError` with every fault of every request."""
    columns = columns_of(resources, target)
    faults = [
        f"{name} {request.get('Name', '')}: {fault}"
        for name, request in all_requests(resources, target)
        for fault in faults_of(name, request, columns)
    ]
    if faults:
        raise QuickSightError("AWS would refuse this, and nothing was sent.\n" + "\n".join(dict.fromkeys(faults)))


def faults_of(name: str, request: Json, columns: dict[str, dict[str, str]]) -> list[str]:
    """What is wrong with the request of an operation. `columns` are those of data sets, by ARN."""
    shape = operation(name).input_shape
    report = ParamValidator().validate(request, shape)
    found = report.generate_report().splitlines() if report.has_errors() else []
    if found:
        return found
    found = list(walk(shape, request, ""))
    definition = request.get("Definition")
    return [*found, *(faults_of_definition(definition, columns) if definition else ())]


def walk(shape: Shape, value: Any, path: str) -> Iterator[str]:
    """A sentence for each place where a value is not as the model says."""
    match shape:
        case StructureShape():
            if _is_union(shape) and len(value) != 1:
                yield f"{path}: exactly one is allowed, there are {', '.join(sorted(value)) or 'none'}"
            for name, each in value.items():
                yield from walk(shape.members[name], each, f"{path}.{name}")
        case ListShape():
            yield from _within(shape, len(value), f"{path}: {len(value)} items")
            for number, each in enumerate(value):
                yield from walk(shape.member, each, f"{path}[{number}]")
        case MapShape():
            yield from _within(shape, len(value), f"{path}: {len(value)} entries")
            for name, each in value.items():
                yield from walk(shape.key, name, f"{path} {name}")
                yield from walk(shape.value, each, f"{path}.{name}")
        case StringShape():
            yield from _text(shape, value, path)
        case _ if shape.type_name in ("integer", "long", "float", "double"):
            yield from _within(shape, value, f"{path}: {value}")


def _is_union(shape: StructureShape) -> bool:
    said = any(words in shape.documentation for words in _UNION_WORDS) and len(shape.members) > 0
    return said or shape.name in _UNSAID_UNIONS


def _within(shape: Shape, size: float, words: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if most is not None and size > most:
        yield f"{words}, at most {most}"
    if least is not None and size < least:
        yield f"{words}, at least {least}"


def _text(shape: StringShape, value: str, path: str) -> Iterator[str]:
    yield from _within(shape, len(value), f"{path}: {len(value)} characters")
    if shape.enum and value not in shape.enum:
        yield f"{path}: {value!r} is none of {', '.join(shape.enum)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not _matches(pattern, value):
        yield f"{path}: {value!r} does not match {pattern}"


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value, re.DOTALL) is not None
    except re.error:  # Java's, which Python has not: AWS will say
        return True
