"""Whether what a definition refers to is there: data sets, columns, fields, filters, parameters; and ids are unique."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from event_assets.quicksight.kinds import Json

_IN_EXPRESSIONS = re.compile(r"\"(?:\\.|[^\"])*\"|'(?:\\.|[^'])*'|(?<!\$)\{([^{}]+)\}")
_UNIQUE = ("VisualId", "SheetId", "FilterGroupId", "FilterId", "FilterControlId", "ParameterControlId", "FieldId")
_REFERRING = ("ScopeConfiguration", "SortConfiguration")
"""Within these an id refers to one, and is not it."""


def faults_of_definition(definition: Json, columns: dict[str, dict[str, str]]) -> list[str]:
    """What a definition refers to and is not there, or is there twice. `columns` are those of data sets, by ARN."""
    declared = definition["DataSetIdentifierDeclarations"]
    known = {each["Identifier"]: set(columns.get(each["DataSetArn"], ())) for each in declared}
    found = [f"the data set {each['DataSetArn']} is not made" for each in declared if each["DataSetArn"] not in columns]
    found += _twice([each["Identifier"] for each in declared], "data set")
    found += list(_calculated(definition.get("CalculatedFields", []), known))
    found += list(_columns(definition.get("Sheets", []), known)) + list(
        _columns(definition.get("FilterGroups", []), known)
    )
    for name in _UNIQUE:
        found += _twice(list(_ids(definition, name)), name)
    found += list(_sheets(definition))
    return found


def _twice(names: list[str], what: str) -> list[str]:
    return [f"{what} {name} is there {count} times" for name, count in Counter(names).items() if count > 1]


def _calculated(fields: list[Json], known: dict[str, set[str]]) -> Iterator[str]:
    """Each calculated field is over columns of its data set, has a name of its own, and is one itself from here on."""
    for each in fields:
        have = known.get(each["DataSetIdentifier"])
        if have is None:
            yield f"calculated field {each['Name']}: there is no data set {each['DataSetIdentifier']}"
            continue
        for name in filter(None, _IN_EXPRESSIONS.findall(each["Expression"])):
            if name not in have:
                yield f"calculated field {each['Name']}: {each['DataSetIdentifier']} has no column {name}"
    for each in fields:
        have = known.get(each["DataSetIdentifier"], set())
        if each["Name"] in have:
            yield f"calculated field {each['Name']}: {each['DataSetIdentifier']} has one of that name already"
        have.add(each["Name"])


def _columns(value: Any, known: dict[str, set[str]]) -> Iterator[str]:
    for each in _objects(value):
        if "ColumnName" in each and "DataSetIdentifier" in each:
            have = known.get(each["DataSetIdentifier"])
            if have is None:
                yield f"there is no data set {each['DataSetIdentifier']}"
            elif each["ColumnName"] not in have:
                yield f"{each['DataSetIdentifier']} has no column {each['ColumnName']}"


def _sheets(definition: Json) -> Iterator[str]:
    filters = set(_ids(definition, "FilterId"))
    parameters = {next(iter(each.values()))["Name"] for each in definition.get("ParameterDeclarations", [])}
    for sheet in definition.get("Sheets", []):
        id_ = sheet["SheetId"]
        visuals = set(_ids(sheet.get("Visuals", []), "VisualId"))
        placed = {each["ElementId"] for each in _objects(sheet.get("Layouts", [])) if "ElementId" in each}
        for name in sorted(visuals ^ placed):
            yield f"sheet {id_}: {name} is {'not in the layout' if name in visuals else 'in the layout, and no visual'}"
        for each in _objects(sheet):
            if "SourceFilterId" in each and each["SourceFilterId"] not in filters:
                yield f"sheet {id_}: there is no filter {each['SourceFilterId']}"
            if "SourceParameterName" in each and each["SourceParameterName"] not in parameters:
                yield f"sheet {id_}: there is no parameter {each['SourceParameterName']}"
        for visual in sheet.get("Visuals", []):
            fields = set(_ids(visual, "FieldId"))
            for each in _objects(visual):
                if "FieldSort" in each and each["FieldSort"]["FieldId"] not in fields:
                    yield f"sheet {id_}: there is no field {each['FieldSort']['FieldId']} to sort by"
    yield from _scopes(definition, parameters)


def _scopes(definition: Json, parameters: set[str]) -> Iterator[str]:
    sheets = {sheet["SheetId"]: set(_ids(sheet, "VisualId")) for sheet in definition.get("Sheets", [])}
    for each in _objects(definition.get("FilterGroups", [])):
        if "Parameter" in each and each["Parameter"] not in parameters:
            yield f"there is no parameter {each['Parameter']}"
        if "SheetId" in each:
            if each["SheetId"] not in sheets:
                yield f"a filter is of the sheet {each['SheetId']}, which is not there"
            for visual in set(each.get("VisualIds", ())) - sheets.get(each["SheetId"], set()):
                yield f"a filter is of the visual {visual}, which is not on {each['SheetId']}"


def _objects(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from _objects(each)
    elif isinstance(value, list):
        for each in value:
            yield from _objects(each)


def _ids(value: Any, name: str) -> Iterator[str]:
    """The ids of that kind that things have; what refers to one is left out."""
    if isinstance(value, dict):
        if isinstance(value.get(name), str):
            yield value[name]
        for key, each in value.items():
            if key not in _REFERRING:
                yield from _ids(each, name)
    elif isinstance(value, list):
        for each in value:
            yield from _ids(each, name)
