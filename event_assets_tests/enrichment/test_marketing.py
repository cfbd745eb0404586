"""Campaign tags and click ids of a landing URL."""

import pytest

from event_assets.enrichment.marketing import CLICK_IDS, NO_CAMPAIGN, MarketingParameters, campaign_of


def test_the_five_utm_parameters_are_read() -> None:
    query = "utm_source=news&utm_medium=email&utm_campaign=spring&utm_term=shoes&utm_content=top"
    assert campaign_of(query)[:6] == ("news", "email", "spring", "shoes", "top", None)


def test_a_url_without_tags_has_no_campaign() -> None:
    assert campaign_of("page=2&sort=price") is NO_CAMPAIGN
    assert not NO_CAMPAIGN.is_tagged


def test_an_empty_tag_is_no_tag() -> None:
    assert campaign_of("utm_source=&utm_medium=+") == NO_CAMPAIGN


@pytest.mark.parametrize("click", CLICK_IDS, ids=lambda click: click.parameter)
def test_a_click_id_names_its_network(click) -> None:  # type: ignore[no-untyped-def]
    campaign = campaign_of(f"{click.parameter}=abc")
    assert (campaign.click_id, campaign.click) == ("abc", click)


def test_of_two_click_ids_the_first_in_the_list_counts() -> None:
    assert campaign_of("fbclid=f&gclid=g").click_id == "g"


def test_the_first_configured_parameter_that_is_present_wins() -> None:
    names = MarketingParameters(source=("src", "utm_source"))
    assert campaign_of("utm_source=a&src=b", names).source == "b"
    assert campaign_of("utm_source=a", names).source == "a"


def test_cjk_and_broken_escapes_in_tags_do_no_harm() -> None:
    assert campaign_of("utm_source=%E6%98%A5&utm_campaign=%E6%98%&utm_medium=春")[:3] == (
        "春",
        "春",
        "\N{REPLACEMENT CHARACTER}%",
    )
