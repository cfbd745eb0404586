"""What is read from a URL, however broken it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.enrichment.url import BadUrl, Url, host_and_parents, parameters, parse_url, without_www
from event_assets_tests.examples import texts


@pytest.mark.parametrize(
    ("text", "host", "path", "query"),
    [
        ("https://example.com", "example.com", "/", ""),
        ("HTTPS://Example.COM:443/A/b?x=1#y", "example.com", "/A/b", "x=1"),
        ("http://user:secret@example.com/a", "example.com", "/a", ""),
        ("http://example.com./a", "example.com", "/a", ""),
        ("http://[2001:db8::1]:8080/a?b", "2001:db8::1", "/a", "b"),
        ("http://192.0.2.1/a", "192.0.2.1", "/a", ""),
        ("//cdn.example.com/a", "cdn.example.com", "/a", ""),
        ("/a/b?c=d", None, "/a/b", "c=d"),
        ("android-app://com.google.android.gm/", "com.google.android.gm", "/", ""),
        ("about:blank", None, "blank", ""),
        ("file:///home/me/index.html", None, "/home/me/index.html", ""),
        ("http://例え.jp/パス?q=検索", "xn--r8jz45g.jp", "/パス", "q=検索"),
        ("https://example.com/100%?q=%zz%", "example.com", "/100%", "q=%zz%"),
        ("  https://example.com/a \n", "example.com", "/a", ""),
        ("https://example.com?a=b", "example.com", "/", "a=b"),
    ],
)
def test_a_url_has_host_path_and_query(text: str, host: str | None, path: str, query: str) -> None:
    assert parse_url(text) == Url(host, path, query)


@pytest.mark.parametrize(
    "text",
    ["", "-", "example.com/a", "http://", "http:///a", "http://[::1", "http://a b/", "https://exa%6dple.com/", "x"],
)
def test_what_is_no_url_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(BadUrl, match="no URL"):
        parse_url(text)


@given(st.one_of(texts(), texts().map("https://".__add__), st.binary().map(lambda b: "http://h/" + b.decode("latin1"))))
def test_any_text_is_a_url_or_refused(text: str) -> None:
    try:
        url = parse_url(text)
    except BadUrl:
        return
    parameters(url.query, {"q"})


def test_the_first_value_that_is_not_empty_wins() -> None:
    assert parameters("a=&b=1&a=2&a=3", {"a"}) == {"a": "2"}


def test_values_and_names_are_decoded() -> None:
    assert parameters("utm%5Fsource=caf%C3%A9+bar", {"utm_source"}) == {"utm_source": "café bar"}


def test_percent_garbage_stays_and_broken_utf8_is_marked() -> None:
    assert parameters("q=100%&r=%ff%zz", {"q", "r"}) == {"q": "100%", "r": "\N{REPLACEMENT CHARACTER}%zz"}


def test_a_nul_which_no_warehouse_takes_is_left_out() -> None:
    assert parameters("q=a%00b", {"q"}) == {"q": "ab"}


def test_parents_of_a_host_come_longest_first() -> None:
    assert list(host_and_parents("a.b.c")) == ["a.b.c", "b.c", "c"]


def test_www_is_not_part_of_a_name() -> None:
    assert without_www("www.example.com") == without_www("example.com") == "example.com"
