"""What there is to see and buy at the made-up company, and how people find it. Data only."""

from __future__ import annotations

from typing import NamedTuple

WWW = "https://www.plotto.example"
APP = "https://app.plotto.example"
SHOP = "https://shop.plotto.example"

CATEGORIES = ("portfolio", "restaurant", "shop", "blog", "event", "business", "wedding", "school")
BLOG_POSTS = (
    "ten-portfolios-we-love", "how-to-sell-prints-online", "menu-design-that-makes-hungry", "what-is-a-domain",
    "a-wedding-site-in-an-evening", "fonts-that-load-fast", "photos-without-a-photographer",
    "your-first-hundred-visitors",
)  # fmt: skip
SEARCHES = (
    "wedding", "minimal portfolio", "restaurant menu", "one page", "café", "日本語", "photography dark",
    "shop with booking", "custom domain", "how to publish", "business cards", "größe ändern", "résumé", "yoga", "band",
    "refund",
)  # fmt: skip
SCREENS = ("Home", "Sites", "Editor", "Pages", "Media", "Statistics", "Orders", "Inbox", "Settings")
ERRORS = (
    ("Failed to fetch", "network", "error", "autosave"),
    ("Cannot read properties of undefined (reading 'blocks')", "TypeError", "error", "editor.canvas"),
    ("The upload took too long", "E_TIMEOUT", "warning", "media.upload"),
    ("Card was declined", "card_declined", "warning", "checkout.payment"),
    ("Out of memory while rendering", "E_OOM", "fatal", "editor.preview"),
)
BROKEN_VERSION = "2026.11.4"
RELEASE_ERROR = {
    "message": "Cannot read properties of null (reading 'sections')",
    "code": "TypeError",
    "severity": "error",
    "component": "web.renderer",
}
"""What the web app of `BROKEN_VERSION` says when it fails."""
BURST_ERROR = {
    "message": "503 Service Unavailable",
    "code": "HTTP_503",
    "severity": "error",
    "component": "api.gateway",
}
"""What every app says while the API behind it fails."""


class Product(NamedTuple):
    """Something in the shop; `price` in the buyer's currency."""

    product_id: str
    name: str
    category: str
    price: float
    weight: float


PRODUCTS: tuple[Product, ...] = (
    Product("tpl-aurora", "Aurora portfolio template", "template", 49.0, 8),
    Product("tpl-bistro", "Bistro menu template", "template", 39.0, 6),
    Product("tpl-atelier", "Atelier shop template", "template", 79.0, 4),
    Product("dom-com", ".com domain, one year", "domain", 12.9, 14),
    Product("dom-shop", ".shop domain, one year", "domain", 29.0, 5),
    Product("prt-cards", "Business cards, 250 pieces", "print", 24.5, 7),
    Product("prt-flyer", "Flyers A5, 500 pieces", "print", 61.8, 3),
    Product("add-booking", "Booking calendar", "add_on", 9.0, 6),
    Product("add-mail", "Mailbox with 50 GB", "add_on", 4.5, 9),
    Product("srv-setup", "Set-up by an expert", "service", 249.0, 1),
)

PLANS: tuple[tuple[str, float], ...] = (("starter", 9.0), ("business", 19.0), ("commerce", 39.0))
"""Paid plans and what a month of each costs."""


class Arrival(NamedTuple):
    """How a visit begins: where the visitor comes from and with what query on the landing URL."""

    weight: float
    referrer: str | None
    query: str


def _arrival(weight: float, referrer: str | None, *, click: str = "", **utm: str) -> Arrival:
    marks = [f"utm_{name}={value}" for name, value in utm.items()]
    return Arrival(weight, referrer, "&".join([*marks, click + "={click}"] if click else marks))


NEWSLETTER = _arrival(6, None, source="newsletter", medium="email", campaign="2026-11-tips")
ARRIVALS: tuple[Arrival, ...] = (
    _arrival(30, None),
    _arrival(20, "https://www.google.com/"),
    _arrival(3, "https://www.bing.com/"),
    _arrival(2, "https://duckduckgo.com/"),
    _arrival(2, "https://search.yahoo.co.jp/search?p=%E3%83%9B%E3%83%BC%E3%83%A0"),
    _arrival(
        8, "https://www.google.com/", source="google", medium="cpc", campaign="brand-2026", term="plotto", click="gclid"
    ),
    _arrival(3, "https://www.bing.com/", source="bing", medium="cpc", campaign="builder-generic", click="msclkid"),
    _arrival(
        5,
        "https://l.facebook.com/",
        source="facebook",
        medium="paid_social",
        campaign="autumn-launch",
        content="video-a",
        click="fbclid",
    ),
    _arrival(3, "https://l.instagram.com/", source="instagram", medium="social", campaign="creators", click="fbclid"),
    _arrival(2, "https://t.co/x7Yb2"),
    _arrival(2, "https://www.linkedin.com/", click="li_fat_id"),
    _arrival(1, "https://www.tiktok.com/", source="tiktok", medium="paid", campaign="autumn-launch", click="ttclid"),
    NEWSLETTER,
    _arrival(2, "https://mail.google.com/"),
    _arrival(2, "https://www.youtube.com/", source="youtube", medium="video", campaign="how-to"),
    _arrival(2, "https://designblog.example/reviews/site-builders"),
    _arrival(1, "https://partner.example/", source="partner42", medium="affiliate", campaign="always-on"),
    _arrival(1, "https://news.example/", source="display-net", medium="display", campaign="retarget", click="dclid"),
    _arrival(1, "https://chatgpt.com/", source="chatgpt.com"),
    _arrival(1, "https://shopping.google.com/", source="google", medium="cpc", campaign="shop-feed", click="gclid"),
)
