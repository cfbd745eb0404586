"""What each persona does on a visit: the paths through site, editor, shop and apps. One function a persona."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from event_assets.simulator.catalogue import (
    APP,
    BLOG_POSTS,
    CATEGORIES,
    ERRORS,
    PLANS,
    PRODUCTS,
    SCREENS,
    SEARCHES,
    SHOP,
    WWW,
    Product,
)
from event_assets.simulator.robots import ROBOT_STORIES
from event_assets.simulator.seeds import pick, rfc3339
from event_assets.simulator.visits import Visit

_METHODS = ("password", "google", "apple", "magic_link", "sso")
_PAYMENTS = ("card", "paypal", "apple_pay", "google_pay", "sepa", "invoice")
_REASONS = ("too_expensive", "missing_feature", "not_needed", "other_product", "payment_failed", "other")


def tell(visit: Visit) -> None:
    """Write everything the person does on this visit."""
    on_phone = visit.device.model.platform in ("ios", "android")
    story = _app if on_phone else _STORIES[visit.person.persona.name]
    story(visit)
    if visit.rng.random() < 0.02 and visit.drafts and visit.person.persona.name not in ROBOT_STORIES:
        _something_breaks(visit)


def _browser(visit: Visit) -> None:
    rng = visit.rng
    if rng.random() < 0.45:
        visit.land(f"/blog/{rng.choice(BLOG_POSTS)}", "blog", 70)
    else:
        visit.land()
    _ask_consent(visit)
    for _ in range(min(6, int(rng.expovariate(0.7)))):
        kind = rng.choice(("pricing", "templates", "blog", "help", "legal"))
        path = f"/blog/{rng.choice(BLOG_POSTS)}" if kind == "blog" else f"/{kind}"
        visit.view(WWW + path, kind, 35)
        if kind == "templates" and rng.random() < 0.4:
            _search(visit, "templates")
    if not visit.state.member and rng.random() < 0.06:
        _sign_up(visit)
        _new_site(visit)


def _builder(visit: Visit) -> None:
    rng, state = visit.rng, visit.state
    visit.land(seconds=12)
    _ask_consent(visit)
    if not state.member:
        visit.view(f"{WWW}/templates", "templates", 40)
        if rng.random() < 0.45:
            return
        _sign_up(visit)
    else:
        _log_in(visit)
    if not state.sites or rng.random() < 0.25:
        _new_site(visit)
    else:
        _edit(visit, state.sites[-1])
    if state.subscription is None and rng.random() < 0.12:
        _subscribe(visit)


def _shopper(visit: Visit) -> None:
    rng = visit.rng
    visit.land(seconds=10)
    _ask_consent(visit)
    visit.view(f"{SHOP}/", "search", 15)
    if visit.state.member and rng.random() < 0.7:
        _log_in(visit)
    if rng.random() < 0.6:
        _search(visit, "products")
    cart = _fill_cart(visit)
    if not cart or rng.random() < 0.35:
        return
    _check_out(visit, cart)


def _owner(visit: Visit) -> None:
    rng = visit.rng
    _log_in(visit, f"{APP}/sites")
    visit.view(f"{APP}/statistics", "dashboard", 40)
    if rng.random() < 0.6:
        _edit(visit, visit.state.sites[-1] if visit.state.sites else _remembered_site(visit))
    if rng.random() < 0.25:
        visit.view(f"{WWW}/help", "help", 45)
        _search(visit, "help")
    if visit.state.subscription is None and rng.random() < 0.08:
        _subscribe(visit)
    elif rng.random() < 0.02:
        _cancel(visit)


def _desktop(visit: Visit) -> None:
    visit.sign_in("password")
    for name in visit.rng.sample(SCREENS, visit.rng.randint(2, 6)):
        visit.screen(name, 60, transition="tab", site_id=_remembered_site(visit))
    if visit.rng.random() < 0.4:
        _publish(visit, _remembered_site(visit), first_time=False)


def _app(visit: Visit) -> None:
    previous = None
    if visit.state.member:
        visit.sign_in(visit.rng.choice(_METHODS))
    for name in visit.rng.sample(SCREENS, visit.rng.randint(2, 7)):
        more: dict[str, Any] = {"previous_screen": previous} if previous else {}
        visit.screen(name, 25, transition="push" if previous else "launch", **more)
        previous = name


def _robot(visit: Visit) -> None:
    for _ in range(visit.rng.randint(3, 25)):
        visit.view(f"{WWW}/blog/{visit.rng.choice(BLOG_POSTS)}?page={visit.rng.randint(1, 40)}", "blog", 0)
        visit.wait(0.5, 4)


def _billing(visit: Visit) -> None:
    if visit.rng.random() < 0.85:
        _subscribe(visit)
    else:
        _cancel(visit)


_STORIES: dict[str, Callable[[Visit], None]] = {
    "browser": _browser,
    "builder": _builder,
    "shopper": _shopper,
    "owner": _owner,
    "desktop": _desktop,
    "robot": _robot,
    "billing": _billing,
    **ROBOT_STORIES,
}


def _ask_consent(visit: Visit) -> None:
    if visit.state.consent_asked or visit.person.consent is None:
        return
    visit.state.consent_asked = True
    if visit.rng.random() < 0.3:
        visit.act("consent_changed", {"source": "banner", "policy_version": "2026-09"})


def _log_in(visit: Visit, url: str = f"{APP}/sites") -> None:
    visit.view(url, "dashboard", 15)
    visit.sign_in(visit.rng.choice(_METHODS))


def _sign_up(visit: Visit) -> None:
    rng, before = visit.rng, visit.device.anonymous_id
    visit.view(f"{APP}/signup", "account", 30)
    method = rng.choice(_METHODS)
    visit.sign_in(method, plan="free", created_at=rfc3339(visit.clock))
    visit.act(
        "signup", {"method": method, "plan": "free", "email_domain": rng.choice(("gmail.com", "outlook.com", "web.de"))}
    )
    if before and rng.random() < 0.5:
        visit.act("alias", {"previous_id": before})
    visit.state.member = True


def _new_site(visit: Visit) -> None:
    rng = visit.rng
    category, template = rng.choice(CATEGORIES), f"tpl-{rng.randint(1, 240):03d}"
    visit.view(f"{WWW}/templates/{category}", "templates", 30)
    visit.act(
        "template_selected",
        {"template_id": template, "category": category, "position": rng.randint(1, 48), "premium": rng.random() < 0.2},
    )
    site = f"site_{rng.getrandbits(40):010x}"
    language = visit.place.locale.split("-")[0]
    visit.act(
        "site_created",
        {
            "site_id": site,
            "template_id": template,
            "category": category,
            "language": language,
            "started_with": "template",
        },
    )
    visit.state.sites.append(site)
    _edit(visit, site)
    if rng.random() < 0.4:
        _publish(visit, site, first_time=True)


def _edit(visit: Visit, site: str) -> None:
    for _ in range(visit.rng.randint(1, 3)):
        visit.view(f"{APP}/editor/{site}/page-{visit.rng.randint(1, 9)}", "editor", 110, site_id=site)
    if visit.rng.random() < 0.3:
        _publish(visit, site, first_time=False)


def _publish(visit: Visit, site: str, *, first_time: bool) -> None:
    rng = visit.rng
    visit.act(
        "site_published",
        {
            "site_id": site,
            "first_time": first_time,
            "domain_kind": rng.choice(("free_subdomain", "own_domain", "bought_domain")),
            "pages": rng.randint(1, 24),
            "products": rng.choice((0, 0, 0, 12, 80)),
            "build_ms": int(rng.lognormvariate(8, 0.5)),
            "published_at": rfc3339(visit.clock),
        },
    )


def _search(visit: Visit, scope: str) -> None:
    rng = visit.rng
    visit.act("search", {"query": rng.choice(SEARCHES), "results": int(rng.expovariate(0.05)), "scope": scope})


def _fill_cart(visit: Visit) -> tuple[str, list[tuple[Product, int]]] | None:
    rng = visit.rng
    cart, items = f"c_{rng.getrandbits(40):010x}", []
    for _ in range(rng.randint(1, 4)):
        product = pick(rng, PRODUCTS)
        visit.view(f"{SHOP}/p/{product.product_id}", "product", 30)
        if rng.random() < 0.35:
            quantity = 2 if rng.random() < 0.15 else 1
            items.append((product, quantity))
            visit.act("add_to_cart", {"cart_id": cart, **_line(product, quantity), "name": product.name,
                                      "category": product.category, "currency": visit.place.currency})  # fmt: skip
    return (cart, items) if items else None


def _check_out(visit: Visit, filled: tuple[str, list[tuple[Product, int]]]) -> None:
    rng, (cart, items) = visit.rng, filled
    value = round(sum(product.price * quantity for product, quantity in items), 2)
    lines = [_line(product, quantity) for product, quantity in items]
    money = {"currency": visit.place.currency}
    visit.view(f"{SHOP}/cart", "cart", 15)
    visit.act("checkout_started", {"cart_id": cart, "value": value, **money, "items": lines})
    visit.view(f"{SHOP}/checkout", "checkout", 60)
    if visit.befalls("conversion_drop") or rng.random() < 0.25:
        return
    order: dict[str, Any] = {"order_id": f"o_{rng.getrandbits(40):010x}", "revenue": value, **money, "items": lines}
    if rng.random() < 0.2:
        visit.act("purchase", order)
    else:
        more = {"cart_id": cart, "tax": round(value * 0.19, 2), "shipping": rng.choice((0.0, 4.9)),
                "payment_method": rng.choice(_PAYMENTS)}  # fmt: skip
        visit.act("purchase", order | more, version=2)
    visit.view(f"{SHOP}/receipt", "receipt", 15)


def _line(product: Product, quantity: int) -> dict[str, Any]:
    return {"product_id": product.product_id, "quantity": quantity, "price": product.price}


def _subscribe(visit: Visit) -> None:
    rng = visit.rng
    plan, price = rng.choice(PLANS)
    interval = rng.choice(("month", "month", "year"))
    subscription = f"sub_{rng.getrandbits(40):010x}"
    visit.state.subscription = (subscription, plan)
    visit.act(
        "subscription_started",
        {
            "subscription_id": subscription,
            "plan": plan,
            "interval": interval,
            "price": price if interval == "month" else price * 10,
            "currency": visit.place.currency,
            "trial_days": rng.choice((0, 14)),
        },
    )


def _cancel(visit: Visit) -> None:
    rng = visit.rng
    subscription, plan = visit.state.subscription or (f"sub_{rng.getrandbits(40):010x}", rng.choice(PLANS)[0])
    visit.state.subscription = None
    ends = rfc3339(visit.clock + rng.uniform(1, 30) * 86_400)
    visit.act(
        "subscription_cancelled",
        {"subscription_id": subscription, "plan": plan, "reason": rng.choice(_REASONS), "ends_at": ends},
    )


def _remembered_site(visit: Visit) -> str:
    return f"site_{visit.person.user_id[2:]}"


def _something_breaks(visit: Visit) -> None:
    message, code, severity, component = visit.rng.choice(ERRORS)
    visit.act("app_error", {"message": message, "code": code, "severity": severity, "component": component})
