"""Files that users own, read into pydantic models, or told what is wrong: file, line, place, rule and way out.

What a rule says is not known here: analyses are in analysis.py, segments in segment.py, dashboards in dashboard.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator
from pydantic_core import ErrorDetails

from event_assets.contract.plan import PlanError, read_document, read_documents

COMPONENTS = "defs.yaml"
"""The files of Dagster's projects that say components, one a document."""
_Written = tuple[Any, yaml.Node | None]
_SHOWN_CHARACTERS = 60
_WANTED = {
    "bool": "true or false",
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


class RuleError(ValueError):
    """A rule's file cannot be used. The message names the file, the line, the place, the rule and the way out."""


class Fault(ValueError):
    """What a validator raises of an object, or of a field of it: nothing is added to these words but the place."""

    def __init__(self, words: str, *field: str) -> None:
        super().__init__(words)
        self.field = field


class RuleModel(BaseModel):
    """What is read of a rule's file. A field that it does not have is refused, with the nearest that it has."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_by_name=True, validate_by_alias=True)

    @model_validator(mode="before")
    @classmethod
    def _known(cls, given: Any) -> Any:
        fields = [field.alias or name for name, field in cls.model_fields.items()]
        known = {*fields, *cls.model_fields}
        unknown = [name for name in given if name not in known] if isinstance(given, dict) else []
        if unknown and len(fields) == 1:
            raise Fault(f"beside {fields[0]} there is nothing else; put it into a condition of its own", unknown[0])
        if unknown:
            near = nearest(unknown[0], fields)
            raise Fault(f"there is no such field{near}; there are {', '.join(fields)}", unknown[0])
        return given


@dataclass(frozen=True)
class RuleFile(Generic[Rule]):
    """How a kind of file is read: what people call its rule, its model, what a file needs at least.

    `component`: the `type` by which a document of a `defs.yaml`, as Dagster's projects have them, says a rule in its
    `attributes`.
    """

    title: str
    model: TypeAdapter[Rule]
    needs: str
    component: str = ""

    def read(self, path: Path) -> Rule:
        """The rule of a file. Raises `RuleError`, with a line for each fault."""
        try:
            document, node = read_document(path)
        except PlanError as error:
            raise RuleError(str(error)) from None
        return self._checked(path, document, node)

    def read_folder(self, directory: Path, variable: str) -> tuple[dict[str, tuple[Path, Rule]], dict[str, str]]:
        """The rules of a folder by name with their files, and for each that cannot be used the reason: by the stem of
        its file, or the name of its component. One file's fault does not touch the others.

        Raises `RuleError`, which names the variable, where there is no such folder.
        """
        if not directory.is_dir():
            raise RuleError(f"{directory}: there is no such folder; {variable}")
        found: dict[str, tuple[Path, Rule]] = {}
        faults: dict[str, str] = {}
        for path in rule_paths(directory):
            try:
                written = read_documents(path) if path.name == COMPONENTS else [read_document(path)]
            except PlanError as fault:
                faults[fault_key(path, "")] = str(fault)
                continue
            for name, document, node in self._rules(path, written):
                try:
                    rule = self._checked(path, document, node)
                    if rule.name in found:
                        other = found[rule.name][0].relative_to(directory)
                        raise RuleError(f"{path}: the name {rule.name!r} is taken by {other}")
                    found[rule.name] = (path, rule)
                except RuleError as fault:
                    faults[fault_key(path, name)] = str(fault)
        return found, faults

    def _rules(self, path: Path, written: Iterable[_Written]) -> Iterator[tuple[str, Any, yaml.Node | None]]:
        """What is written of rules of this kind in a file, each with its name as far as it has one."""
        for document, node in written:
            if path.name == COMPONENTS and isinstance(document, dict) and "type" in document:
                if document["type"] != self.component:
                    continue
                pair = _pair(node, "attributes")
                document, node = document.get("attributes"), pair[1] if pair else node
            yield str(document.get("name") or "") if isinstance(document, dict) else "", document, node

    def _checked(self, path: Path, document: Any, node: yaml.Node | None) -> Rule:
        if not isinstance(document, dict):
            raise RuleError(f"{path}: it must be an object with {self.needs}")
        try:
            return self.model.validate_python(document, by_alias=True, by_name=False)
        except ValidationError as error:
            name = document.get("name")
            title = f"{self.title} {name}: " if isinstance(name, str) else ""
            faults = sorted(_faults(node, error.errors()), key=lambda fault: fault[0])
            raise RuleError("\n".join(f"{path}:{line}: {title}{words}" for line, words in faults)) from None


def rule_paths(directory: Path) -> list[Path]:
    """The files of a folder that may say a rule: its own, and every `defs.yaml` in it, however deep but not hidden."""
    components = (path for path in directory.rglob(COMPONENTS) if "/." not in f"/{path.relative_to(directory)}")
    return sorted({*directory.glob("*.yaml"), *directory.glob("*.yml"), *components})


def fault_key(path: Path, name: str) -> str:
    """What the fault of a rule goes by: the stem of its file; of a component its name, else its folder."""
    return path.stem if path.name != COMPONENTS else name or path.parent.name


def nearest(name: object, names: Collection[str]) -> str:
    """A question whether that name was meant of these which is nearest to it; nothing where none is near."""
    near = get_close_matches(str(name), names, 1)
    return f", did you mean {near[0]}?" if near else ""


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
    is_said = _fault(errors[0]) is not None or (isinstance(value, dict | list | tuple) and not all(wanted))
    return rule if is_said else f"{rule}; it is {shown(value)}"


def _place(node: yaml.Node | None, error: ErrorDetails) -> tuple[int, str]:
    """The line of the innermost thing that is there, and its place. A union's tag in a place names nothing."""
    line, place = node.start_mark.line + 1 if node else 1, ""
    fault = _fault(error)
    field = fault.field if fault else ()
    loc = (*error["loc"], *field)
    for part in loc:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node, place = node.value[part], f"{place}[{part}]"
            line = node.start_mark.line + 1
            continue
        found = _pair(node, str(part))
        if found is not None:
            line, node = found[0].start_mark.line + 1, found[1]
        if found is not None or (part is loc[-1] and (field or error["type"] == "missing")):
            place = f"{place}.{part}" if place else str(part)
    return line, place


def _fault(error: ErrorDetails) -> Fault | None:
    raised = error.get("ctx", {}).get("error")
    return raised if isinstance(raised, Fault) else None


def _pair(node: yaml.Node | None, name: str) -> tuple[yaml.Node, yaml.Node] | None:
    """The field of that name in an object, with its value."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((pair for pair in pairs if pair[0].value == name), None)
