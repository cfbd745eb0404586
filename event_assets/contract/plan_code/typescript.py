"""The plan as a TypeScript module, for programs that send with `event-assets-web`."""

from __future__ import annotations

from event_assets.contract.plan import PlanError, TrackingPlan
from event_assets.contract.plan_code.patterns import PatternError, typescript_pattern
from event_assets.contract.plan_code.planned import Planned, in_a_line, not_reserved, planned_events, quoted
from event_assets.contract.plan_property import Property

_TYPES = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "object": "Readonly<Record<string, unknown>>",
    "array": "readonly unknown[]",
    "timestamp": "Date",
}
_RESERVED = frozenset(
    """
    arguments async await break case catch class const continue debugger default delete do else enum eval export extends
    false finally for function if implements import in instanceof interface let new null of package planned private
    protected public return static super switch this throw true try typeof undefined var void while with yield
    """.split()  # noqa: SIM905
)
_MOST_SAFE = 2**53 - 1

_HEAD = """/** The events of the tracking plan {digest}. Made by `event-assets plan codegen`; do not edit. */
/* eslint-disable */

import {{ planned, type Fields, type Tracking }} from "event-assets-web/planned";
"""


def typescript_code(plan: TrackingPlan) -> str:
    """The text of the module. Raises `PlanError` where an event has no name that it could have there, or a property a
    pattern that JavaScript reads otherwise."""
    events = planned_events(plan, lambda words: not_reserved(_camel(words), _RESERVED))
    return "\n".join([_HEAD.format(digest=plan.digest), *(_event(name, each) for name, each in events.items())])


def _event(name: str, planned: Planned) -> str:
    type_name = "".join(word.capitalize() for word in planned.words)
    rules = "".join(f"\n  {quoted(prop)}: {_rule(planned, prop, rule)}," for prop, rule in planned.rules().items())
    properties = [line for prop, rule in planned.properties.items() for line in _property(prop, rule)]
    given = [f"properties: {type_name}Properties", "fields: Fields"]
    if planned.fields:
        given[1] = f"fields: Fields & {_required(planned.fields)}"
    elif not any(rule.required for rule in planned.properties.values()):
        given = [f"{given[0]} = {{}}", f"{given[1]} = {{}}"]
    else:
        given[1] += " = {}"
    return "\n".join(
        [
            f"export interface {type_name}Properties {{",
            *properties,
            "}",
            "",
            f"const {_camel(planned.words)}Rules = {{{rules}\n}} as const;",
            "",
            f"/** {_words(planned.plan.description or planned.plan.event)} */",
            f"export function {name}(client: Tracking, {', '.join(given)}): void {{",
            f"  planned(client, {quoted(planned.plan.event)}, {planned.version}, {_camel(planned.words)}Rules, "
            f"{quoted(list(planned.fields))}, properties, fields);",
            "}",
            "",
        ]
    )


def _camel(words: tuple[str, ...]) -> str:
    return "".join([words[0], *(word.capitalize() for word in words[1:])])


def _property(name: str, rule: Property) -> list[str]:
    plain = _TYPES[rule.type] if rule.enum is None else " | ".join(map(quoted, rule.enum))
    said = [f"  /** {_words(rule.description)} */"] if rule.description else []
    typed = f"  {quoted(name)}: {plain};" if rule.required else f"  {quoted(name)}?: {plain} | null;"
    return [*said, typed]


def _required(fields: tuple[str, ...]) -> str:
    """The type of an object that has these fields, and in it those that are named with a dot."""
    inside: dict[str, list[str]] = {}
    for name in fields:
        head, _, tail = name.partition(".")
        inside.setdefault(head, []).extend([tail] if tail else [])
    parts = [
        f"{head}: {{ {'; '.join(f'{tail}: {{}}' for tail in tails)} }}" if tails else f"{head}: {{}}"
        for head, tails in inside.items()
        if head != "properties"
    ]
    return f"{{ {'; '.join(parts)} }}"


def _rule(planned: Planned, name: str, rule: dict[str, object]) -> str:
    place = f"{planned.plan.event}: version {planned.version}, property {name!r}"
    made = dict(rule)
    for bound in (rule.get("enum") or [], [rule.get("minimum")], [rule.get("maximum")]):
        for value in bound if isinstance(bound, list) else []:
            if isinstance(value, int) and abs(value) > _MOST_SAFE:
                raise PlanError(f"{place}: {value} is no number that JavaScript has; it counts to {_MOST_SAFE}")
    if isinstance(pattern := rule.get("pattern"), str):
        try:
            made["pattern"] = typescript_pattern(pattern)
        except PatternError as fault:
            raise PlanError(f"{place}: the pattern cannot be said in TypeScript: {fault}") from None
    names = {"max_length": "maxLength"}
    return f"{{ {', '.join(f'{names.get(each, each)}: {quoted(value)}' for each, value in made.items())} }}"


def _words(text: str) -> str:
    return in_a_line(text).replace("*/", "* /")
