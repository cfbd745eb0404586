"""Initial segments that nobody named: people who are alike by their features, found without a target.

K-means (Lloyd 1982) over numbers that are put on a robust scale: the logarithm, less the median, in spreads between the
quartiles, no further than three. How many groups there are is chosen by the mean silhouette (Rousseeuw 1987) of some of
the people; where that is hardly better than of people of one kind, spread as these are (after Tibshirani's gap, 2001),
there are no segments. A group is named by what it has most and least
of, and keeps its name from one training to the next where it is the nearest to what it was.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits

from event_assets.models.features import Values
from event_assets.models.scoring import Centre, ClusterModel, RobustScale, on_scale, robust
from event_assets.models.trying import Numbers

_SEED, _SAMPLE, _STARTS, _MOST = 20_260_101, 2_000, 4, 20_000
LEAST_SILHOUETTE, LEAST_GAP = 0.25, 0.05
"""Below it groups are hardly any (Kaufman and Rousseeuw 1990), or not so much above that of people of one kind."""
_LEAST_SHARE = 0.02
_SAME = 1.5
"""A centre that moved further than so many spreads is another group."""
_NORMAL = 1.349
"""Standard deviations between the quartiles of a normal distribution."""


class Chosen(msgspec.Struct, frozen=True):
    """How many groups were tried, each with its silhouette; how large those are that were found."""

    silhouettes: dict[str, float] = {}
    sizes: dict[str, int] = {}


def fit(
    document: ClusterModel, values: Sequence[Values], most: int, before: ClusterModel | None = None
) -> tuple[ClusterModel, Chosen]:
    """The groups of these people, at most so many. `document` names the features, and `before` is what was found the
    time before. Where there are no groups it is not promoted, and says why."""
    names = [each.name for each in document.scales]
    values = values[:: -(-len(values) // _MOST) or 1]
    scales = [_scale(name, [each[name] for each in values]) for name in names]
    points = np.array([robust(scales, each) for each in values], dtype=float).reshape(len(values), len(names))
    found = _groups(points, most)
    silhouettes = {str(count): value for count, (value, _, _) in found.items()}
    near = max(silhouettes.values(), default=0.0)
    needed = max(
        LEAST_SILHOUETTE, LEAST_GAP + max((each[0] for each in _groups(_one_kind(points), most).values()), default=0.0)
    )
    if near < needed:
        why = f"people are not in groups: the best silhouette is {near:.2f}, and it takes {needed:.2f}"
        return msgspec.structs.replace(document, scales=scales, why=why), Chosen(silhouettes)
    value, centres, sizes = max(found.values(), key=lambda each: each[0])
    told = _named(names, centres, _known(scales, before))
    groups = sorted(zip(told, centres, sizes, strict=True), key=lambda each: (-each[2], each[0]))
    why = f"{len(groups)} groups, the best of {', '.join(silhouettes)} by a silhouette of {value:.2f}"
    learned = msgspec.structs.replace(
        document,
        scales=scales,
        centres=[Centre(name, [float(each) for each in at]) for name, at, _ in groups],
        promoted=True,
        why=why,
    )
    return learned, Chosen(silhouettes, {name: int(size) for name, _, size in groups})


def _groups(points: Numbers, most: int) -> dict[int, tuple[float, Numbers, Any]]:
    """By how many groups there are their silhouette, centres and sizes; those with a very small one are left out."""
    found: dict[int, tuple[float, Numbers, Any]] = {}
    for count in range(2, most + 1):
        if len(np.unique(points, axis=0)) < count:
            break
        with threadpool_limits(1):  # several would wait for each other busily at each of the short steps
            fitted = KMeans(count, n_init=_STARTS, random_state=_SEED).fit(points)
        sizes = np.bincount(fitted.labels_, minlength=count)
        if sizes.min() >= max(1, _LEAST_SHARE * len(points)):
            found[count] = (_silhouette(points, fitted.labels_), fitted.cluster_centers_, sizes)
    return found


def _one_kind(points: Numbers) -> Numbers:
    """People of one kind: spread as these are, without groups."""
    spread = np.atleast_2d(np.cov(points, rowvar=False))
    chance = np.random.default_rng(_SEED)
    return chance.multivariate_normal(points.mean(axis=0), spread, min(_SAMPLE, len(points)), method="eigh")


def _scale(name: str, given: Sequence[float | str | None]) -> RobustScale:
    numbers = np.array([on_scale(float(value), True) for value in given if value is not None] or [0.0])
    low, middle, high = np.percentile(numbers, [25, 50, 75])
    spread = (high - low) / _NORMAL or float(numbers.std()) or 1.0
    return RobustScale(name, float(middle), float(spread))


def _silhouette(points: Numbers, labels: Numbers) -> float:
    size = min(_SAMPLE, len(points))
    chosen = np.random.default_rng(_SEED).choice(len(points), size, replace=False)
    return float(silhouette_score(points[chosen], labels[chosen])) if len(np.unique(labels[chosen])) > 1 else 0.0


def _known(scales: Sequence[RobustScale], before: ClusterModel | None) -> dict[str, list[float]]:
    """The centres of the time before, on the scales of now; none where they are of other features."""
    if before is None or [each.name for each in before.scales] != [each.name for each in scales]:
        return {}
    return {
        centre.segment: [
            (at * then.spread + then.middle - now.middle) / now.spread
            for at, then, now in zip(centre.at, before.scales, scales, strict=True)
        ]
        for centre in before.centres
    }


def _named(names: Sequence[str], centres: Numbers, known: Mapping[str, Sequence[float]]) -> list[str]:
    """A name a centre: the one that it had, else what it has most and least of."""
    told: dict[int, str] = {}
    if known:
        distances = np.array([[math.dist(centre, at) for at in known.values()] for centre in centres])
        for row, column in zip(*linear_sum_assignment(distances), strict=True):
            if distances[row, column] <= _SAME * math.sqrt(len(names)):
                told[int(row)] = list(known)[column]
    mean = centres.mean(axis=0)
    taken = {*told.values()}
    for row, centre in enumerate(centres):
        if row in told:
            continue
        order = sorted(range(len(names)), key=lambda at: (-abs(centre[at] - mean[at]), names[at]))
        words = [f"{'high' if centre[at] > mean[at] else 'low'} {names[at]}" for at in order]
        parts = next(
            (", ".join(words[:count]) for count in range(1, 4) if ", ".join(words[:count]) not in taken), words[0]
        )
        name = parts if parts not in taken else f"{parts} {row + 1}"
        told[row] = name[:_LONGEST]
        taken.add(told[row])
    return [told[row] for row in range(len(centres))]


_LONGEST = 64
