"""What a simulation is asked for, from wherever: the command line, a Dagster run, the JSON of a Lambda event.

Numbers and their rules; nothing is made or sent here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from event_assets.simulator.rates import FaultRates


class TrafficError(ValueError):
    """Traffic that cannot be made. The message names the value and its rule."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """About `events` events of `hours` hours, which end now, sent within `seconds`.

    `anomalies` are texts as `anomalies_of` takes them; `faults` how often things go wrong.
    """

    seed: int = 7
    events: int = 20_000
    seconds: float = 30.0
    hours: float = 1.0
    faults: FaultRates = field(default_factory=FaultRates)
    anomalies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, least in (("events", 1), ("seconds", 0), ("hours", 0.01)):
            if getattr(self, name) < least:
                raise TrafficError(f"{name} is {getattr(self, name)}: it must be at least {least}.")

    @classmethod
    def of(cls, asked: Mapping[str, Any]) -> Traffic:
        """Traffic by plain values, as JSON has them; `rates` maps names of fault rates to numbers. What is not named
        has its default. Raises `TrafficError`."""
        known = {name: value for name, value in asked.items() if name != "rates"}
        unknown = sorted(known.keys() - {each.name for each in fields(cls)} | known.keys() & {"faults"})
        if unknown:
            raise TrafficError(f"{', '.join(unknown)}: there is no such setting. There are {_names(cls)} and rates.")
        for name, value in known.items():
            _check(name, value, int if name in ("seed", "events") else list if name == "anomalies" else float)
        if "anomalies" in known:
            known["anomalies"] = tuple(map(str, known["anomalies"]))
        return cls(**known, faults=rates_of(asked.get("rates", {})))

    def arguments(self) -> dict[str, Any]:
        """The same as keyword arguments of `run_simulation`."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def rates_of(named: Mapping[str, float]) -> FaultRates:
    """The usual rates with some changed. Raises `TrafficError` for an unknown name or a value that is no rate."""
    names = {each.name for each in fields(FaultRates)}
    for name, value in named.items():
        if name not in names:
            raise TrafficError(f"{name}: there is no such rate. There are {_names(FaultRates)}.")
        _check(name, value, float)
        if not 0 <= value <= (1_000 if name == "burst" else 1):
            raise TrafficError(f"{name} is {value}: it must be a share from 0 to 1 (burst: a factor from 0).")
    return replace(FaultRates(), **{name: float(value) for name, value in named.items()})


def _check(name: str, value: Any, kind: type) -> None:
    right = isinstance(value, (int, float) if kind is float else kind) and not isinstance(value, bool)
    if not right:
        words = {int: "a whole number", float: "a number", list: "a list"}[kind]
        raise TrafficError(f"{name} is {value!r}: it must be {words}.")


def _names(kind: Any) -> str:
    return ", ".join(each.name for each in fields(kind) if each.name != "faults")
