"""The card of a model as Dagster shows it: how good it is, for whom, and what it goes by. What is in a card is made in
models/training.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from event_assets.defs.assets.pictures import curves, rows_of_bars


def card_metadata(cards: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The cards of models, by name: a text and pictures of each."""
    return {f"{name}: {what}": shown for name, card in sorted(cards.items()) for what, shown in _of(card)}


def _of(card: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "card", dg.MetadataValue.md("\n".join(_lines(card)))
    if not card["areas"]:
        return
    yield "curve", curves(card["curves"], "of those who did not", "of those who did")
    calibrated = [(each["foretold"], each["came"]) for each in card["bins"]]
    yield "calibration", curves({"model": calibrated}, "foretold", "came")
    yield (
        "importance",
        rows_of_bars([(n, max(v, 0.0), f"{v:.4f}") for n, v in card["importance"].items()], "importance"),
    )


def _groups(card: Mapping[str, Any]) -> Iterator[str]:
    """Of groups that nobody named."""
    told = ", ".join(f"{count}: {value:.2f}" for count, value in card["silhouettes"].items())
    yield f"Found among {card['learned_from']:,} people; silhouettes by how many groups: {told}."
    yield ""
    yield "| segment | people |"
    yield "|---|---|"
    for segment, people, _ in card["segments"]:
        yield f"| {segment} | {people:,} |"


def _lines(card: Mapping[str, Any]) -> Iterator[str]:
    yield card["why"][:1].upper() + card["why"][1:] + "."
    yield ""
    if card["silhouettes"]:
        yield from _groups(card)
        return
    yield f"Learned from {card['learned_from']:,} people, tried on {card['tried_on']:,} later ones, of whom "
    yield f"{card['came']:.1%} did it."
    if not card["areas"]:
        return
    yield ""
    yield "| | area under the curve | 95 % interval |"
    yield "|---|---|---|"
    for name, area in card["areas"].items():
        yield f"| {name} | {area['value']:.3f} | {area['low']:.3f} to {area['high']:.3f} |"
    for name, less in card["differences"].items():
        yield f"| {name} less rule | {less['value']:.3f} | {less['low']:.3f} to {less['high']:.3f} |"
    yield ""
    yield f"Brier score {card['brier']:.4f}, of the share alone {card['brier_of_rate']:.4f}; "
    yield f"expected calibration error {card['expected_error']:.3f}."
    yield ""
    yield "| segment | people | did it |"
    yield "|---|---|---|"
    for segment, people, came in card["segments"]:
        yield f"| {segment} | {people:,} | {came:.1%} |"
    yield ""
    yield "| group | people | did it | foretold | in the first segment | area |"
    yield "|---|---|---|---|---|---|"
    for each in card["groups"]:
        area = "" if each["auc"] is None else f"{each['auc']:.3f}"
        shares = " | ".join(f"{each[name]:.1%}" for name in ("came", "foretold", "first_segment"))
        yield f"| {each['by']}: {each['group']} | {each['people']:,} | {shares} | {area} |"
