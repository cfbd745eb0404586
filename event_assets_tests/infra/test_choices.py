"""What may be chosen, and the sentence on what may not."""

from __future__ import annotations

import pytest

from event_assets_tests.infra.templates import CERTIFICATE

choices = pytest.importorskip("infra.choices")


def test_nothing_chosen_is_a_trial_behind_an_http_api() -> None:
    made = choices.choices_of({})
    assert (made.size.name, made.edge, made.warehouse, made.spark, made.name) == (
        "dev",
        "lambda",
        "postgres",
        "embedded",
        "EventAssets",
    )


def test_a_part_can_be_chosen_against_its_size() -> None:
    made = choices.choices_of({"size": "small", "warehouse": "redshift", "spark": "cluster"})
    assert (made.warehouse, made.spark) == ("redshift", "cluster")


def test_fields_that_are_replaced_are_a_list() -> None:
    made = choices.choices_of({"pii_fields": " user_id, traits.email,"})
    assert (made.pii_fields, made.pii_at) == (("user_id", "traits.email"), "clean")


@pytest.mark.parametrize(
    ("context", "sentence"),
    [
        ({"size": "huge"}, "size is 'huge': it must be one of dev, small, large"),
        ({"edge": "alb"}, "certificate is missing: the edge alb serves nothing but HTTPS"),
        ({"domain": "events.example.com"}, "certificate is missing: events.example.com needs one"),
        ({"certificate": "mine"}, "it must be the ARN of a certificate of ACM"),
        ({"domain": "https://x.y", "certificate": CERTIFICATE}, "it must be a host name"),
        ({"domain": "events.example.com", "certificate": CERTIFICATE}, "another region than us-east-1"),
        ({"email": "nobody"}, "it must be an address"),
        ({"name": "event-assets"}, "begin with a capital letter"),
        ({"edeg": "alb"}, "There is no choice 'edeg'; edge is the nearest"),
        ({"landing_runs": "99"}, "landing_runs is '99': it must be a number from 1 to 16"),
        ({"stream": "msk"}, "stream is 'msk': it must be one of shards, on-demand, kafka"),
        ({"stream": "kafka"}, "stream is 'kafka' and the edge lambda"),
        ({"continuous": "on"}, "continuous is 'on' and spark embedded"),
        ({"pages": "dagster.example.com"}, "pages_certificate is missing: dagster.example.com needs one"),
        ({"pages_certificate": CERTIFICATE}, "pages is missing"),
        ({"dashboards": "dashboards.example.com"}, "pages is missing"),
        ({"oidc_issuer": "https://login.example.com"}, "go together: one of them is missing"),
        ({"oidc_issuer": "http://login.example.com"}, "it must be an address of https"),
        ({"quicksight": "on"}, "quicksight is 'on' and the warehouse postgres"),
        ({"simulator": "yes"}, "simulator is 'yes': it must be one of on, off"),
        ({"pii_at": "collector"}, "pii_fields is missing"),
        ({"pii_fields": "email"}, "'email' is no field that can be replaced"),
        ({"pii_fields": "extra.page", "pii_at": "collector"}, "can be replaced in cleaning alone"),
        ({"pii_fields": "user_id", "pii_at": "stream"}, "pii_at is 'stream': it must be one of clean, collector"),
        ({"warehouse": "duckdb"}, "warehouse is 'duckdb': it must be one of postgres, redshift"),
    ],
)
def test_what_cannot_be_is_a_sentence_with_the_way_out(context: dict[str, str], sentence: str) -> None:
    with pytest.raises(choices.ChoiceError) as error:
        choices.choices_of(context)
    assert sentence in str(error.value)
