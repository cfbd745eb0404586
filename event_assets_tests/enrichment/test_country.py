"""Country of an address."""

import pytest

from event_assets.enrichment.country import BadAddress, country_of


@pytest.mark.parametrize(
    ("ip", "country"),
    [
        ("8.8.8.8", "US"),
        ("8.8.8.0", "US"),
        ("193.0.6.139", "NL"),
        ("2001:4860:4860::8888", "US"),
        ("2001:4860:4860::", "US"),
        ("::ffff:8.8.8.8", "US"),
        ("10.0.0.1", None),
        ("::1", None),
        ("", None),
        (None, None),
        ("0123456789abcdef0123456789abcdef", None),
    ],
)
def test_an_address_has_the_country_that_it_is_registered_in(ip: str | None, country: str | None) -> None:
    assert country_of(ip) == country


@pytest.mark.parametrize("ip", ["256.1.1.1", "8.8.8.8:80", "somewhere", "8.8.8"])
def test_what_is_no_address_is_refused(ip: str) -> None:
    with pytest.raises(BadAddress):
        country_of(ip)
