"""Who a referrer is."""

import contextlib
import re
from importlib.resources import files

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from event_assets.enrichment.referrer import NO_REFERRER, _known, classify_referrer, source_category
from event_assets.enrichment.url import BadUrl, host_and_parents
from event_assets_tests.examples import texts


@pytest.mark.parametrize(
    ("referrer", "medium", "source", "term"),
    [
        ("http://www.google.com/search?q=gateway+oracle+cards&hl=en", "search", "Google", "gateway oracle cards"),
        ("https://www.google.co.uk/", "search", "Google", None),
        (
            "http://www.google.fr/imgres?q=Ogham+the+celtic+oracle&hl=fr",
            "search",
            "Google Images",
            "Ogham the celtic oracle",
        ),
        ("http://images.google.de/search?q=katze", "search", "Google Images", "katze"),
        ("android-app://com.google.android.googlequicksearchbox/", "search", "Google", None),
        (
            "http://es.search.yahoo.com/search;_ylt=A7x9QbwbZXxQ9EMAPCKT.Qt.?p=BIOMAGNETIC",
            "search",
            "Yahoo!",
            "BIOMAGNETIC",
        ),
        ("https://www.bing.com/images/search?q=psychic+oracle+cards", "search", "Bing Images", "psychic oracle cards"),
        ("https://www.bing.com/search?q=cards", "search", "Bing", "cards"),
        ("https://duckduckgo.com/?q=cards", "search", "DuckDuckGo", "cards"),
        ("https://www.baidu.com/s?wd=%E5%A1%94%E7%BD%97", "search", "Baidu", "塔罗"),
        ("https://yandex.ru/search/?text=%D1%82%D0%B0%D1%80%D0%BE", "search", "Yandex", "таро"),
        ("http://isearch.avg.com/pages/images.aspx?q=tarot+card+change", "search", "Google", "tarot card change"),
        ("http://www.apollo.lv/portal/search/?q=taro", "search", "Apollo", "taro"),
        ("http://www.facebook.com/l.php?u=http%3A%2F%2Fexample.com", "social", "Facebook", None),
        ("https://lm.facebook.com/", "social", "Facebook", None),
        ("https://t.co/abc", "social", "Twitter", None),
        ("https://old.reddit.com/r/tarot", "social", "Reddit", None),
        ("http://psychic.tumblr.com/", "social", "Tumblr", None),
        ("https://news.ycombinator.com/item?id=1", "social", "Hacker News", None),
        ("https://mail.google.com/mail/u/0/", "email", "Gmail", None),
        ("http://36ohk6dgmcd1n-c.c.yom.mail.yahoo.net/om/api/1.0/view.html/0", "email", "Yahoo! Mail", None),
        ("http://co106w.col106.mail.live.com/default.aspx?rru=inbox", "email", "Outlook.com", None),
        ("http://webmail1m.orange.fr/webmail/fr_FR/read.html?FOLDER=SF_INBOX", "email", "Orange Webmail", None),
        ("https://googleads.g.doubleclick.net/pagead/ads", "paid", "Google", None),
        ("https://trc.taboola.com/x", "paid", "Taboola", None),
        ("https://tdsf.doubleclick.net", "paid", "Google", None),
        ("https://safeframe.googlesyndication.com", "paid", "Google", None),
        ("https://www.google.no/search?q=ski", "search", "Google", "ski"),
        ("http://www.pricerunner.co.uk/search?q=wild+wisdom", "search", "PriceRunner", "wild wisdom"),
        ("https://s3-us3.ixquick.com/do/search", "search", "IXquick", None),
        ("http://www.aolsearch.com/search?s_gl=NL&query=voorbeeld+cv", "search", "AOL", "voorbeeld cv"),
        ("http://uk.search-results.com/web?qsrc=1&q=pendulums", "search", "Ask", "pendulums"),
        ("http://search.tb.ask.com/search/GGmain.jhtml?cb=AYY&searchfor=CARA", "search", "Ask Toolbar", "CARA"),
        ("http://go.mail.ru/search?q=Gothic%20Tarot%20Cards", "search", "Mail.ru", "Gothic Tarot Cards"),
        ("http://www.dalesearch.com/?q=+lego.nl+%2Fclub", "search", "Dalesearch", " lego.nl /club"),
        ("https://search.brave.com", "search", "Brave", None),
        ("https://searchassist.babylon.com", "search", "Babylon", None),
        ("https://meta.ua", "search", "Meta.ua", None),
        ("https://lnk.bio", "social", "Lnk.Bio", None),
        ("https://www.threads.net/", "social", "Threads", None),
        ("https://deref-gmx.co.uk", "email", "GMX", None),
        ("https://lightmailer-bap.gmx.net", "email", "GMX", None),
        ("https://3c-bap.web.de", "email", "Web.de", None),
        ("https://deref-web.de/mail/client/a6iXDy6UMao/dereferrer/", "email", "Web.de", None),
        ("https://suche.web.de/web?q=a", "search", "WEB.DE", "a"),
        ("https://mailbusiness.ionos.co.uk", "email", "Ionos", None),
        ("https://email.ionos.mx", "email", "Ionos", None),
        ("https://rich-v02.bluewin.ch", "email", "Bluewin", None),
        ("https://mail.proton.me", "email", "Proton", None),
        ("https://mail01.orange.fr", "email", "Orange Webmail", None),
        ("https://chatgpt.com/", "ai-assistant", "ChatGPT", None),
        ("https://claude.ai/chat/1", "ai-assistant", "Claude.ai", None),
        ("https://www.perplexity.ai/", "ai-assistant", "Perplexity.ai", None),
        ("https://copilot.microsoft.com/", "ai-assistant", "Microsoft Copilot", None),
        ("https://notebooklm.google.com/", "ai-assistant", "NotebookLM", None),
        ("https://x.com/i/grok", "ai-assistant", "Grok", None),
        ("https://x.com/someone", "social", "Twitter", None),
        ("https://beta.character.ai", "ai-assistant", "Character.AI", None),
        ("https://docs.google.com/document/d/1", "unknown", "Google Sites", None),
        ("https://workspace.google.com/", "unknown", None, None),
        ("https://support.google.com/imgres?q=a", "unknown", "Google Sites", None),
        ("https://messenger.yahoo.com/", "unknown", None, None),
        ("https://tv.naver.com/", "unknown", None, None),
        ("https://m.naver.com/", "search", "Naver", None),
        ("https://html.duckduckgo.com/html", "search", "DuckDuckGo", None),
        ("https://blog.example.org/post", "unknown", None, None),
    ],
)
def test_a_known_site_is_named(referrer: str, medium: str, source: str | None, term: str | None) -> None:
    assert classify_referrer(referrer)[1:4] == (medium, source, term)


@pytest.mark.parametrize(
    ("referrer", "page", "own"),
    [
        ("https://shop.example/a", "shop.example", ()),
        ("https://www.shop.example/a", "shop.example", ()),
        ("https://pay.shop.example/a", "other.example", ("shop.example",)),
        ("https://www.google.com/search?q=a", "www.google.com", ()),
    ],
)
def test_an_own_host_is_internal_and_has_no_source(referrer: str, page: str, own: tuple[str, ...]) -> None:
    assert classify_referrer(referrer, page, own)[1:] == ("internal", None, None, None)


def test_a_neighbour_of_an_own_host_is_not_internal() -> None:
    assert classify_referrer("https://evilshop.example/", "a.example", ("shop.example",)).medium == "unknown"
    assert classify_referrer("https://example/", "a.example", ("shop.example",)).medium == "unknown"


def test_the_longer_match_wins_over_the_host_alone() -> None:
    assert classify_referrer("https://www.google.com/maps/place/x").source == "Google Sites"
    assert classify_referrer("https://www.google.com/mapsomething").source == "Google"


def test_no_referrer_and_one_without_a_host_are_nobody() -> None:
    assert classify_referrer(None) == classify_referrer("") == classify_referrer("about:blank") == NO_REFERRER


def test_a_referrer_that_is_no_url_is_refused() -> None:
    with pytest.raises(BadUrl):
        classify_referrer("not a url")


@given(
    label=st.sampled_from(["support", "docs", "mail", "myaccount", "status", "dev", "tv", "my", "old.forum", "x-y"]),
    engine=st.sampled_from(sorted(host for host, site in _known().sites.items() if site.medium == "search")),
)
def test_another_service_of_a_search_engines_house_is_no_search(label: str, engine: str) -> None:
    domain = engine.partition("/")[0]
    host = f"{label}.{domain}"
    assume(not any(part in _known().sites for part in host_and_parents(host) if len(part) > len(domain)))
    assert classify_referrer(f"https://{host}/").medium != "search"
    assert source_category(host) != "search"
    assert classify_referrer(f"https://www.{engine}").medium == "search"


def test_the_first_configured_search_parameter_that_is_present_wins() -> None:
    assert classify_referrer("https://www.google.com/search?query=second&q=first").term == "first"


@pytest.mark.parametrize(
    ("source", "category"),
    [
        ("google", "search"),
        ("GOOGLE.COM", "search"),
        ("facebook", "social"),
        ("m.facebook.com", "social"),
        ("youtube", "video"),
        ("m.youtube.com", "video"),
        ("amazon.co.uk", "shopping"),
        ("niconico", "social"),
        ("rakuten.co.jp", "search"),
        ("google-play", "search"),
        ("play.google.com", "search"),
        ("blog.naver.com", "social"),
        ("m.shopping.naver.com", "shopping"),
        ("care2", "social"),
        ("groups.care2.com", "social"),
        ("43things", "social"),
        ("tuenti.com", "social"),
        ("superuser", "social"),
        ("video.ibm.com", "social"),
        ("bookmarks.yahoo.com", "social"),
        ("uk.search.yahoo.com", "search"),
        ("spaces.live.com", "social"),
        ("wiki.answers.com", "social"),
        ("yandex.fr", "search"),
        ("secureurl.ukr.net", "search"),
        ("firmy.cz", "search"),
        ("viadeo.journaldunet.com", "video"),
        ("viadeo.com", "social"),
        ("s3.amazonaws.com", "shopping"),
        ("newsletter", None),
        ("mail.google", None),
        ("care2(.com)", None),
        ("", None),
    ],
)
def test_a_source_has_the_category_of_its_site(source: str, category: str | None) -> None:
    assert source_category(source) == category


@given(texts(), texts())
def test_any_text_is_classified_or_refused(host: str, rest: str) -> None:
    with contextlib.suppress(BadUrl):
        classify_referrer(f"http://{host}/{rest}", host, (host,))


def test_every_known_site_has_an_address_that_a_referrer_can_have() -> None:
    addresses = {*_known().sites, *(name for name in _known().categories if "." in name)}
    assert [
        address for address in addresses if not re.fullmatch(r"[a-z0-9_.-]+\.[a-z0-9_]{2,}(/[\w/]+)?", address)
    ] == []


def test_the_list_of_sites_says_of_when_it_is_and_after_which_lists() -> None:
    head = files("event_assets.enrichment").joinpath("referrers.yaml").read_text(encoding="utf-8")[:400]
    assert re.search(r"as of 20\d\d-\d\d-\d\d", head)
    assert all(source in head for source in ("referer-parser", "Matomo", "GA4"))
