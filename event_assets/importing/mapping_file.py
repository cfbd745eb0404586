"""What a mapping file may say, and the sentence where it says something else. What it means is in mapping.py."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from event_assets.contract.event import NESTED, Event
from event_assets.contract.plan import PlanError, read_yaml
from event_assets.importing.logs import Log

Scalar = bool | int | float | str


class MappingError(ValueError):
    """A mapping file cannot be used. The message names the file, the key, the rule and the way out."""


def as_text(value: Any) -> str:
    """A scalar as JSON writes it, strings without quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(value: Any) -> Any:
    """One origin, or several of which the first that has a value counts; a text alone is a path."""
    return [
        {"path": each} if isinstance(each, str) else each for each in (value if isinstance(value, list) else [value])
    ]


def _with_text_keys(value: Any) -> Any:
    return {as_text(key): each for key, each in value.items()} if isinstance(value, dict) else value


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Origin(_Part):
    """Where one value comes from: exactly one of `path`, `value`, `template`, `hash`. What a template gives may be
    `hashed`: an id that is made of others' does not tell them."""

    path: str | None = None
    value: Scalar | None = None
    template: str | None = None
    hashed: bool = False
    hash: list[str] | Literal["line", "numbered_line"] | None = None
    when: dict[str, Annotated[list[Scalar], BeforeValidator(lambda v: v if isinstance(v, list) else [v])]] = {}
    map: Annotated[dict[str, Scalar] | None, BeforeValidator(_with_text_keys)] = None
    default: Scalar | None = None
    type: Literal["number", "boolean"] | None = None
    timestamp: Annotated[list[str] | None, BeforeValidator(lambda v: [v] if isinstance(v, str) else v)] = None
    timezone: str | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> Origin:
        given = [name for name in ("path", "value", "template", "hash") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"exactly one of path, value, template, hash is required, not {' and '.join(given) or 'none'}"
            )
        if self.hashed and self.template is None:
            raise ValueError("hashed is for a template; of paths there is a hash")
        if self.timestamp == []:
            raise ValueError("timestamp must name a form; leave it out for a value that is no time")
        if self.timezone is not None and self.timestamp is None:
            raise ValueError("timezone says in which zone a timestamp without offset is; add timestamp: iso")
        return self


class Spread(_Part):
    """An object whose members become properties; with `key` and `value` an array of such pairs."""

    path: str
    key: str | None = None
    value: Annotated[list[str], BeforeValidator(lambda v: v if isinstance(v, list) else [v])] = []
    optional: bool = False

    @model_validator(mode="after")
    def _pairs(self) -> Spread:
        if (self.key is None) != (not self.value):
            raise ValueError("key and value belong together: the names of both in each element of the array")
        return self


Origins = Annotated[list[Origin], BeforeValidator(_listed), Field(min_length=1)]


class MappingDocument(_Part):
    """A mapping file."""

    description: str = ""
    fields: dict[str, Origins]
    properties: dict[str, Origins] = {}
    spread: list[Annotated[Spread, BeforeValidator(lambda v: {"path": v} if isinstance(v, str) else v)]] = []
    rest: Literal["properties", "drop"] = "properties"
    each: str | None = None
    nulls: list[str] = []
    columns: list[str] = []
    quotes: bool = True
    log: Log | None = None

    @model_validator(mode="after")
    def _one_form(self) -> MappingDocument:
        if self.columns and self.log:
            raise ValueError("columns and log exclude each other: a log has columns of its own")
        twice = next((name for name in self.columns if self.columns.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"columns names {twice} twice; each needs a name of its own")
        return self

    @model_validator(mode="after")
    def _known_fields(self) -> MappingDocument:
        for name in self.fields:
            _check_field(name)
        return self


def read_mapping_file(path: Path) -> MappingDocument:
    """The document of a YAML file. Raises `MappingError`."""
    try:
        return MappingDocument.model_validate(read_yaml(path))
    except (PlanError, OSError) as error:
        raise MappingError(str(error) if str(path) in str(error) else f"{path}: {error}") from None
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"] if not isinstance(part, int))
        raise MappingError(f"{path}: {f'{where}: ' if where else ''}{_said(fault)}") from None


def _said(fault: Mapping[str, Any]) -> str:
    if fault["type"] == "extra_forbidden":
        return f"there is no such key; {_keys_at(fault['loc'])}"
    if fault["type"] == "missing":
        return "this key is required; a mapping file has fields: with a line for each field of an event"
    if fault["type"] in ("model_type", "dict_type"):
        return f"it must be an object of keys and values, not {fault['input']!r}; {_keys_at((*fault['loc'], ''))}"
    return str(fault["msg"]).removeprefix("Value error, ")


def _keys_at(place: tuple[Any, ...]) -> str:
    kind: type[BaseModel] = MappingDocument
    if place[0] in ("fields", "properties"):
        kind = Origin
    elif place[0] == "spread":
        kind = Spread
    return f"there are {', '.join(kind.model_fields)}"


def _check_field(name: str) -> None:
    parent, _, child = name.partition(".")
    if parent == "properties" and child:
        raise ValueError(f"{name}: write {child!r} under properties: instead")
    known = getattr(NESTED.get(parent), "__struct_fields__", ())
    if parent not in Event.__struct_fields__ or (
        child and child not in known and parent not in ("traits", "traits_once", "context")
    ):
        among = f"{parent} has {', '.join(known)}" if known else f"it has {', '.join(Event.__struct_fields__)}"
        raise ValueError(f"the contract has no field {name!r}; {among}")
