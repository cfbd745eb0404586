"""What robots do that say they are browsers: the stories of a scraper, of click fraud, of credential stuffing.

Each keeps a pace of its own; that is what tells them from people, who are in `stories`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from event_assets.simulator.catalogue import APP, PRODUCTS, SHOP, WWW
from event_assets.simulator.seeds import seeded
from event_assets.simulator.visits import Visit


def _scrape(visit: Visit) -> None:
    """Pages through the list of templates, from wherever it is, at its own even pace."""
    pace = _own(visit, 1.5, 12)
    first = visit.rng.randint(1, 400)
    for number in range(first, first + visit.rng.randint(25, 120)):
        visit.view(f"{WWW}/templates?page={number}", "templates", 0)
        visit.clock += pace * visit.rng.uniform(0.9, 1.1)


def _buy_at_even_times(visit: Visit) -> None:
    """Comes by an advertisement, and buys the cheapest thing over and over, for the commission."""
    every = _own(visit, 120, 600)
    product = min(PRODUCTS, key=lambda product: product.price)
    visit.land(seconds=0)
    for _ in range(visit.rng.randint(4, 15)):
        visit.view(f"{SHOP}/p/{product.product_id}", "product", 0)
        line = {"product_id": product.product_id, "quantity": 1, "price": product.price}
        order: dict[str, Any] = {"order_id": f"o_{visit.rng.getrandbits(40):010x}", "revenue": product.price}
        visit.act("purchase", order | {"currency": visit.place.currency, "items": [line]})
        visit.clock += every * visit.rng.uniform(0.97, 1.03)


def _try_accounts(visit: Visit) -> None:
    """Tries passwords that leaked elsewhere; one in ten fits, and the robot looks at that account."""
    pace = _own(visit, 1, 5)
    for _ in range(visit.rng.randint(15, 60)):
        visit.view(f"{APP}/login", "account", 0)
        if visit.rng.random() < 0.1:
            visit.sign_in_as(f"u_{visit.rng.getrandbits(48):012x}")
            visit.view(f"{APP}/account", "account", 0)
            visit.sign_out()
        else:
            wrong = {"message": "Wrong password", "code": "invalid_credentials", "severity": "warning"}
            visit.act("app_error", wrong | {"component": "account.login"})
        visit.clock += pace * visit.rng.uniform(0.9, 1.1)


def _own(visit: Visit, low: float, high: float) -> float:
    """A number of the device's own, the same on every visit."""
    return seeded("pace", str(visit.device.anonymous_id)).uniform(low, high)


ROBOT_STORIES: Mapping[str, Callable[[Visit], None]] = {
    "scrapers": _scrape,
    "click_fraud": _buy_at_even_times,
    "credential_stuffing": _try_accounts,
}
"""By the name of the persona."""
