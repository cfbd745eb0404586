"""Where a visit came from, and the channel group that it amounts to."""

import pytest
from hypothesis import given

from event_assets.enrichment.channel import CHANNEL_GROUPS, DIRECT, INTERNAL, channel_group, source_and_medium
from event_assets.enrichment.marketing import campaign_of
from event_assets.enrichment.referrer import classify_referrer
from event_assets_tests.examples import texts


@pytest.mark.parametrize(
    ("source", "medium", "campaign", "group"),
    [
        ("(direct)", "(none)", None, "Direct"),
        ("(direct)", "(not set)", "spring", "Direct"),
        (None, None, None, "Direct"),
        ("google", "cpc", "2024 cross-network", "Cross-network"),
        ("amazon", "cpc", None, "Paid Shopping"),
        ("google", "cpc", "summer shopping", "Paid Shopping"),
        ("google", "cpc", "the shop", "Paid Shopping"),
        ("google", "cpc", "photoshop", "Paid Search"),
        ("google", "cpc", "workshop", "Paid Search"),
        ("google", "cpc", "eshop", "Paid Shopping"),
        ("google", "cpc", None, "Paid Search"),
        ("google", "ppc", None, "Paid Search"),
        ("bing", "retargeting", None, "Paid Search"),
        ("facebook", "paid_social", None, "Paid Social"),
        ("facebook", "cpm", None, "Paid Social"),
        ("youtube", "cpv", None, "Paid Video"),
        ("youtube", "cpc", None, "Paid Video"),
        ("somewhere", "cpm", None, "Display"),
        ("somewhere", "display", None, "Display"),
        ("google", "banner", None, "Display"),
        ("somewhere", "expandable", None, "Display"),
        ("somewhere", "interstitial", None, "Display"),
        ("somewhere", "cpc", None, "Paid Other"),
        ("somewhere", "paidsocial", None, "Paid Other"),
        ("somewhere", "xcpx", None, "Paid Other"),
        ("etsy", "referral", None, "Organic Shopping"),
        ("somewhere", "email", "shopping days", "Organic Shopping"),
        ("t.co", "referral", None, "Organic Social"),
        ("somewhere", "social-network", None, "Organic Social"),
        ("somewhere", "sm", None, "Organic Social"),
        ("youtube.com", "referral", None, "Organic Video"),
        ("somewhere", "video-wall", None, "Organic Video"),
        ("google", "organic", None, "Organic Search"),
        ("google", None, None, "Organic Search"),
        ("somewhere", "organic", None, "Organic Search"),
        ("blog.example", "referral", None, "Referral"),
        ("partner", "app", None, "Referral"),
        ("partner", "link", None, "Referral"),
        ("newsletter", "email", None, "Email"),
        ("e-mail", "x", None, "Email"),
        ("newsletter", "e mail", None, "Email"),
        ("partner", "affiliate", None, "Affiliates"),
        ("podcast", "audio", None, "Audio"),
        ("sms", "x", None, "SMS"),
        ("provider", "sms", None, "SMS"),
        ("app", "webpush", None, "Mobile Push Notifications"),
        ("app", "mobile-card", None, "Mobile Push Notifications"),
        ("app", "notification", None, "Mobile Push Notifications"),
        ("firebase", "x", None, "Mobile Push Notifications"),
        ("(internal)", "(none)", None, "Internal"),
        ("chatgpt.com", None, None, "AI Assistant"),
        ("chatgpt", "referral", None, "AI Assistant"),
        ("claude.ai", "ai-assistant", None, "AI Assistant"),
        ("perplexity", "organic", None, "AI Assistant"),
        ("gemini.google.com", "referral", None, "AI Assistant"),
        ("somewhere", "AI-Assistant", None, "AI Assistant"),
        ("chatgpt.com", "cpc", None, "Paid Other"),
        ("claude", "email", None, "Email"),
        ("support.google.com", "referral", None, "Referral"),
        ("www.google.co.uk", "referral", None, "Organic Search"),
        ("newsletter", None, None, "Unassigned"),
        (None, None, "spring", "Unassigned"),
        ("(direct)", "x", None, "Unassigned"),
    ],
)
def test_the_first_rule_that_holds_gives_the_group(
    source: str | None, medium: str | None, campaign: str | None, group: str
) -> None:
    assert channel_group(source, medium, campaign) == group


def test_case_and_outer_blanks_do_not_count() -> None:
    assert channel_group(" Google ", "CPC ") == "Paid Search"


@given(texts(), texts(), texts())
def test_any_text_has_one_of_the_groups(source: str, medium: str, campaign: str) -> None:
    assert channel_group(source, medium, campaign) in CHANNEL_GROUPS


@pytest.mark.parametrize(
    ("query", "referrer", "expected"),
    [
        ("", None, DIRECT),
        ("", "https://shop.example/other", INTERNAL),
        ("fbclid=1", "https://shop.example/other", ("facebook", "referral")),
        ("", "https://www.google.com/search?q=a", ("google", "organic")),
        ("", "https://l.facebook.com/", ("facebook", "referral")),
        ("", "https://mail.google.com/", ("gmail", "email")),
        ("", "https://www.blog.example/post", ("blog.example", "referral")),
        ("", "https://trc.taboola.com/", ("taboola", "paid")),
        ("utm_source=news&utm_medium=email", "https://www.google.com/", ("news", "email")),
        ("utm_source=news", "https://www.google.com/", ("news", None)),
        ("utm_campaign=spring", "https://www.google.com/", (None, None)),
        ("fbclid=1", "https://l.facebook.com/", ("facebook", "referral")),
        ("fbclid=1", "https://l.instagram.com/", ("instagram", "referral")),
        ("fbclid=1", "https://mail.google.com/", ("gmail", "email")),
        ("fbclid=1", None, ("facebook", "referral")),
        ("fbclid=1&gclid=2", None, ("google", "cpc")),
        ("utm_source=news&fbclid=1", None, ("news", None)),
        ("srsltid=1", None, ("google", "organic")),
        ("ttclid=1", "https://www.tiktok.com/", ("tiktok", "paid_social")),
        ("utm_source=chatgpt.com", None, ("chatgpt.com", "ai-assistant")),
        ("", "https://chatgpt.com/", ("chatgpt", "ai-assistant")),
        ("", "https://gemini.google.com/app", ("gemini", "ai-assistant")),
        ("", "https://www.bing.com/chat?q=a", ("copilot", "ai-assistant")),
        ("", "https://support.google.com/a", ("google sites", "referral")),
        ("", "https://anything.google.com/a", ("anything.google.com", "referral")),
        ("utm_term=shoes", "https://www.google.com/", ("google", "organic")),
        ("gclid=1", "https://www.google.com/", ("google", "cpc")),
        ("msclkid=1", None, ("bing", "cpc")),
        ("utm_source=partner&gclid=1", None, ("partner", "cpc")),
        ("utm_campaign=spring&gclid=1", None, ("google", "cpc")),
    ],
)
def test_tags_win_over_click_ids_over_the_referrer(query: str, referrer: str | None, expected: tuple[str, str]) -> None:
    assert source_and_medium(campaign_of(query), classify_referrer(referrer, "shop.example")) == expected
