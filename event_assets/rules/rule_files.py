"""Files that users own, read into pydantic models, or told what is wrong: file, line, place, rule and way out.

What a rule says is not known here: analyses are in analysis.py, segments in segment.py, dashboards in dashboard.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from event_assets.contract.plan import PlanError, read_yaml

T = TypeVar("T")
_SHOWN_CHARACTERS = 60
_WANTED = {
    "bool": "true or false",
    "dataclass": "an object",
    "dict": "an object",
    "float": "a number",
    "int": "a whole number",
    "list": "a list",
    "model": "an object",
    "string": "a text",
    "tuple": "a list",
}


class _Named(Protocol):
    @property
    def name(self) -> str: ...


Rule = TypeVar("Rule", bound=_Named)


class RuleModel(BaseModel):
    """What is read of a rule's file. A field that it does not have is refused, with the nearest that it has."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        validate_by_name=True,
        validate_by_alias=True,
        json_schema_extra=lambda schema: _require_kind(schema),
    )

    @model_validator(mode="before")
    @classmethod
    def _known(cls, given: Any) -> Any:
        fields = [field.alias or name for name, field in cls.model_fields.items()]
        unknown = [name for name in given if name not in fields] if isinstance(given, dict) else []
        unknown = [name for name in unknown if name not in cls.model_fields]
        if unknown and len(fields) == 1:
            raise fault(f"beside {fields[0]} there is nothing else; put it into a condition of its own", unknown[0])
        if unknown:
            near = nearest(unknown[0], fields)
            raise fault(f"there is no such field{near}; there are {', '.join(fields)}", unknown[0])
        return given


@dataclass(frozen=True)
class RuleFile(Generic[T]):
    """How a kind of file is read: what people call its rule, its model, what a file needs at least, what is raised."""

    title: str
    model: TypeAdapter[T]
    needs: str
    error: type[ValueError]

    def read(self, path: Path) -> T:
        """The rule of a file. Raises the kind's error, with a line for each fault."""
        try:
            document = read_yaml(path)
        except PlanError as error:
            raise self.error(str(error)) from None
        if not isinstance(document, dict):
            raise self.error(f"{path}: it must be an object with {self.needs}")
        try:
            return self.model.validate_python(document, by_alias=True, by_name=False)
        except ValidationError as error:
            name = document.get("name")
            title = f"{self.title} {name}: " if isinstance(name, str) else ""
            faults = _faults(yaml.compose(path.read_text("utf-8"), yaml.SafeLoader), error.errors())
            raise self.error("\n".join(f"{path}:{line}: {title}{words}" for line, words in faults)) from None


def read_rules(
    directory: Path, variable: str, read: Callable[[Path], Rule], error: type[ValueError]
) -> tuple[dict[str, tuple[Path, Rule]], dict[str, str]]:
    """The rules of a folder by name with their files, and for each file (its stem) that cannot be used the reason.

    One file's fault does not touch the others. `read` raises `error` where a file cannot be used. Where there is no
    such folder this does, and names the variable.
    """
    if not directory.is_dir():
        raise error(f"{directory}: there is no such folder; {variable}")
    found: dict[str, tuple[Path, Rule]] = {}
    faults: dict[str, str] = {}
    for path in sorted([*directory.glob("*.yaml"), *directory.glob("*.yml")]):
        try:
            rule = read(path)
            if rule.name in found:
                raise error(f"{path}: the name {rule.name!r} is taken by {found[rule.name][0].name}")
            found[rule.name] = (path, rule)
        except error as fault:
            faults[path.stem] = str(fault)
    return found, faults


def _require_kind(schema: dict[str, Any]) -> None:
    """In a file the field that tells a kind is no default."""
    kinds = [name for name, field in schema["properties"].items() if "const" in field]
    schema["required"] = [*kinds, *(name for name in schema.get("required", ()) if name not in kinds)]


def nearest(name: object, names: Collection[str]) -> str:
    """A question whether that name was meant of these which is nearest to it; nothing where none is near."""
    near = get_close_matches(str(name), names, 1)
    return f", did you mean {near[0]}?" if near else ""


def fault(words: str, *field: str) -> PydanticCustomError:
    """What a validator of an object raises of it, or of a field: nothing is added to these words but the place."""
    return PydanticCustomError("fault", "{words}", {"words": words, "field": field})


def shown(value: object) -> str:
    """A value of a YAML document, in bounds."""
    return "not there" if value is None else repr(value)[:_SHOWN_CHARACTERS]


def _faults(root: yaml.Node | None, errors: list[ErrorDetails]) -> Iterator[tuple[int, str]]:
    """A line and a sentence for each place that has a fault. A union tells of all its members: they are one."""
    at: dict[tuple[int, str], list[ErrorDetails]] = {}
    for error in errors:
        at.setdefault(_place(root, error), []).append(error)
    for (line, place), those in at.items():
        yield line, f"{place}: {_words(those)}" if place else _words(those)


def _words(errors: list[ErrorDetails]) -> str:
    wanted = [_WANTED.get(error["type"].removesuffix("_type")) for error in errors]
    if all(wanted):
        rule = f"it must be {' or '.join(filter(None, dict.fromkeys(wanted)))}"
    elif errors[0]["type"] == "missing":
        return "it is required"
    else:
        rule = errors[0]["msg"].removeprefix("Value error, ")
    value = errors[0]["input"]
    said = errors[0]["type"] == "fault" or (isinstance(value, dict | list | tuple) and not all(wanted))
    return rule if said else f"{rule}; it is {shown(value)}"


def _place(node: yaml.Node | None, error: ErrorDetails) -> tuple[int, str]:
    """The line of the innermost thing that is there, and its place. A union's tag in a place names nothing."""
    line, place = node.start_mark.line + 1 if node else 1, ""
    field = error.get("ctx", {}).get("field", ())
    loc = (*error["loc"], *field)
    for part in loc:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node, place = node.value[part], f"{place}[{part}]"
            line = node.start_mark.line + 1
            continue
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        found = next((pair for pair in pairs if pair[0].value == str(part)), None)
        if found is not None:
            line, node = found[0].start_mark.line + 1, found[1]
        if found is not None or (part is loc[-1] and (field or error["type"] == "missing")):
            place = f"{place}.{part}" if place else str(part)
    return line, place
