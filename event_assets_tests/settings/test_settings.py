"""Settings: defaults by profile, errors that name the variable, and secrets that are never shown."""

from __future__ import annotations

import datetime as dt
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from event_assets.defs.resources.rules import RulesResource
from event_assets.enrichment.marketing import UTM, campaign_of
from event_assets.pipeline.spend import SpendFile
from event_assets.settings import PREFIX, SECRETS, Settings, SettingsError, load_settings, settings_table
from event_assets.transforms.attribution.attribution import AttributionRules

PASSWORD = "pa55w0rd-of-the-warehouse"
WAREHOUSE = f"postgresql://loader:{PASSWORD}@warehouse.example:5439/dev"
AWS = {"PROFILE": "aws", "LAKE_URL": "s3://bucket/lake/", "WAREHOUSE_URL": WAREHOUSE}


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)


def load(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(PREFIX + name, value)
    return load_settings()


def fault(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    with pytest.raises(SettingsError) as error:
        load(monkeypatch, **variables)
    return str(error.value)


# Values --------------------------------------------------------------------------------------------------------------


def test_the_local_profile_needs_no_variable() -> None:
    settings = load_settings()
    assert (settings.profile, settings.stream, settings.warehouse) == ("local", "embedded", "postgres")
    assert settings.lake == str(Path(".event-assets").absolute() / "lake")
    assert settings.spark_remote is None and settings.warehouse_url is None


def test_the_aws_profile_chooses_kinesis_and_redshift(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, **AWS)
    assert (settings.stream, settings.warehouse, settings.lake) == ("kinesis", "redshift", "s3://bucket/lake")


@pytest.mark.parametrize("remote", [None, "unix:/run/spark"])
def test_an_embedded_engine_has_the_cores_of_this_machine_wherever_it_runs(
    monkeypatch: pytest.MonkeyPatch, remote: str | None
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 6)
    settings = load(monkeypatch, **({"SPARK_REMOTE": remote} if remote else {}))
    assert (settings.decoders, settings.cores) == (6, 6)


def test_a_spark_server_decodes_by_itself_and_is_asked_for_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, SPARK_REMOTE="sc://127.0.0.1:15002")
    assert (settings.decoders, settings.cores) == (1, None)
    settings = load(monkeypatch, SPARK_CORES="64", DECODE_PROCESSES="3")
    assert (settings.decoders, settings.cores) == (3, 64)


def test_each_part_can_be_chosen_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, STREAM_KIND="kinesis", STREAM_ENDPOINT_URL="http://127.0.0.1:4567")
    assert (settings.profile, settings.stream, settings.warehouse) == ("local", "kinesis", "postgres")


def test_variables_are_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, HOME="/srv/events", FIRST_DAY="2020-02-29", SESSION_TIMEOUT_MINUTES="45")
    assert (settings.home, settings.first_day) == (Path("/srv/events"), dt.date(2020, 2, 29))
    assert settings.session_timeout_minutes == 45
    assert settings.lake == "/srv/events/lake"


@pytest.mark.parametrize("text", ["purchase,signup", " purchase , signup ", '["purchase", "signup"]'])
def test_conversion_events_are_names_with_commas_or_a_json_list(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert load(monkeypatch, CONVERSION_EVENTS=text).conversion_events == ("purchase", "signup")


def test_which_conversion_an_event_tells_of_is_a_property_by_event(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch).conversion_ids == {"purchase": "order_id"}
    assert load(monkeypatch, CONVERSION_IDS="{}").conversion_ids == {}
    assert load(monkeypatch, CONVERSION_IDS='{"lead": "form.id"}').conversion_ids == {"lead": "form.id"}
    with pytest.raises(SettingsError, match="CONVERSION_IDS"):
        load(monkeypatch, CONVERSION_IDS="order_id")


def test_marketing_parameters_are_a_json_object(monkeypatch: pytest.MonkeyPatch) -> None:
    text = '{"source": ["src", "utm_source"], "click_ids": {"yclid": ["Yandex", "yandex", "cpc"]}}'
    rules = RulesResource.of(load(monkeypatch, MARKETING_PARAMETERS=text)).enriching.marketing
    assert (rules.source, rules.medium) == (("src", "utm_source"), ("utm_medium",))
    assert campaign_of("yclid=1", rules).click == ("yclid", "Yandex", "yandex", "cpc")
    assert campaign_of("gclid=1&yclid=1", rules).click == ("gclid", "Google", "google", "cpc")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('{"sauce": ["x"]}', "'sauce' is none of source, medium, campaign, term, content, click_ids"),
        ('{"source": "x"}', 'source must be a list of names, such as ["utm_source"]'),
        ('{"source": []}', "source must be a list of names"),
        ('{"click_ids": {"yclid": ["Yandex"]}}', "network, source, medium"),
        ("[1]", "it must be a JSON object"),
        ("source", "it must be a JSON object"),
    ],
)
def test_marketing_parameters_that_mean_nothing_are_refused(
    monkeypatch: pytest.MonkeyPatch, text: str, rule: str
) -> None:
    message = fault(monkeypatch, MARKETING_PARAMETERS=text)
    assert "EVENT_ASSETS_MARKETING_PARAMETERS" in message and rule in message


def test_the_rules_of_attribution_are_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "spend.csv").touch()
    settings = load(
        monkeypatch,
        SOURCE_DAYS="60",
        ATTRIBUTION_LOOKBACK_DAYS="90",
        ATTRIBUTION_HALF_LIFE_DAYS="3.5",
        ATTRIBUTION_ENDS_PERCENT="30",
        SPEND_FILE=str(tmp_path / "spend.csv"),
    )
    rules = RulesResource.of(settings)
    assert rules.attribution == AttributionRules(60, 90, 3.5, 30.0)
    assert rules.spend == SpendFile(tmp_path / "spend.csv")


def test_the_rules_of_attribution_are_the_fields_own_by_default() -> None:
    rules = RulesResource.of(load_settings())
    assert (rules.attribution, rules.spend) == (AttributionRules(), None)
    assert rules.enriching.marketing == UTM


def test_a_spend_file_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "there is no file /nowhere/spend.csv" in fault(monkeypatch, SPEND_FILE="/nowhere/spend.csv")


@pytest.mark.parametrize("name", [name.upper() for name in Settings.model_fields])
def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert load(monkeypatch, **{name: ""}) == load_settings()


def test_arguments_come_before_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + "STREAM_SHARDS", "7")
    assert load_settings(stream_shards=3).stream_shards == 3
    assert load_settings().stream_shards == 7


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        setattr(load_settings(), "stream_shards", 5)  # noqa: B010 - a plain assignment does not pass the type checker


def test_the_plan_is_the_shipped_one_unless_a_folder_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert (load_settings().plan / "purchase.yaml").is_file()
    assert load(monkeypatch, PLAN_DIR=str(tmp_path)).plan == tmp_path


# Errors --------------------------------------------------------------------------------------------------------------

WRONG = {
    "PROFILE": "gcp",
    "STREAM_KIND": "rabbitmq",
    "STREAM_SHARDS": "0",
    "STREAM_RETENTION_HOURS": "forever",
    "STREAM_ENDPOINT_URL": "localhost:4567",
    "S3_ENDPOINT_URL": "minio",
    "SPARK_REMOTE": "spark://master:7077",
    "WAREHOUSE_KIND": "snowflake",
    "WAREHOUSE_URL": "warehouse.example",
    "WAREHOUSE_SCHEMA": "Robert'); DROP TABLE",
    "COLLECTOR_PORT": "70000",
    "DAGSTER_PORT": "http",
    "IP_PRIVACY": "remove",
    "CONSENT_REFUSED": "keep",
    "PARTITIONS": "weekly",
    "FIRST_DAY": "yesterday",
    "SESSION_TIMEOUT_MINUTES": "0",
    "SESSION_MAX_HOURS": "25",
    "ENGAGED_SECONDS": "-1",
    "CONVERSION_EVENTS": '["purchase"',
    "SENSOR_INTERVAL_SECONDS": "0",
    "MAX_RUNS_IN_FLIGHT": "0",
    "MAX_RECORDS_PER_RUN": "many",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_names_its_variable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    sentence = fault(monkeypatch, **{name: WRONG[name]})
    assert sentence.startswith(PREFIX + name)
    assert "It means: " in sentence
    assert "\n" not in sentence
    assert (WRONG[name] in sentence) is (name.lower() not in SECRETS)


def test_every_wrong_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sentences = fault(monkeypatch, STREAM_SHARDS="0", PARTITIONS="weekly").splitlines()
    assert [sentence.split()[0] for sentence in sentences] == [PREFIX + "STREAM_SHARDS", PREFIX + "PARTITIONS"]


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, "KAFKA_BROKERS is missing"),
        ({"KAFKA_BROKERS": "broker"}, "KAFKA_BROKERS"),
        ({"KAFKA_BROKERS": "b:9092", "KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "do not go together"),
        ({"KAFKA_BROKERS": "b:9092", "KAFKA_SASL_MECHANISM": "PLAIN"}, "do not go together"),
        ({"KAFKA_BROKERS": "b:9092", "KAFKA_READER": "spark"}, "SPARK_REMOTE is missing"),
        (
            {"KAFKA_BROKERS": "b:9092", "KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": "PLAIN"},
            "KAFKA_USERNAME or EVENT_ASSETS_KAFKA_PASSWORD is missing",
        ),
    ],
)
def test_a_stream_on_kafka_names_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: str
) -> None:
    assert named in fault(monkeypatch, STREAM_KIND="kafka", **variables)


@pytest.mark.parametrize("missing", ["LAKE_URL", "WAREHOUSE_URL"])
def test_the_aws_profile_names_what_it_needs(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    sentence = fault(monkeypatch, **{name: value for name, value in AWS.items() if name != missing})
    assert sentence.startswith(f"{PREFIX}{missing} is missing")
    assert PASSWORD not in sentence


def test_hashing_addresses_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    assert f"{PREFIX}IP_HASH_KEY is missing" in fault(monkeypatch, IP_PRIVACY="hash")
    assert load(monkeypatch, IP_PRIVACY="hash", IP_HASH_KEY="k").ip_hash_key is not None


def test_pseudonyms_before_the_first_write_need_fields_that_can_be_and_addresses_that_are_not_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    where = {"PII_AT": "collector", "PII_KEY": "k"}
    assert f"{PREFIX}PII_FIELDS is missing" in fault(monkeypatch, **where)
    assert "'extra.page' can be replaced in cleaning alone" in fault(monkeypatch, **where, PII_FIELDS="extra.page")
    assert load(monkeypatch, **where, PII_FIELDS="user_id,extra.page.theme").pii_at == "collector"
    assert f"{PREFIX}IP_PRIVACY is 'keep'" in fault(monkeypatch, **where, IP_PRIVACY="keep")


# Secrets -------------------------------------------------------------------------------------------------------------


def test_the_settings_that_hold_secrets_are_known() -> None:
    assert {"warehouse_url", "ip_hash_key", "spark_remote"} <= SECRETS


def test_secrets_are_not_shown_by_any_way_of_printing(monkeypatch: pytest.MonkeyPatch) -> None:
    token = "tok-spark-123"
    key = "key-of-addresses"
    settings = load(monkeypatch, **AWS, IP_HASH_KEY=key, SPARK_REMOTE=f"sc://spark.example:15002/;token={token}")
    for text in (repr(settings), str(settings), f"{settings}", repr(settings.warehouse_url)):
        assert PASSWORD not in text and key not in text and token not in text
    for text in (settings.model_dump_json(), repr(settings.model_dump())):
        assert PASSWORD not in text and key not in text
    assert settings.warehouse_url is not None and settings.warehouse_url.get_secret_value() == WAREHOUSE


@pytest.mark.parametrize("variables", [{"SESSION_MAX_HOURS": "99"}, {"LAKE_URL": ""}, {"WAREHOUSE_URL": PASSWORD}])
def test_secrets_are_not_shown_by_errors_nor_by_their_tracebacks(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in {**AWS, **variables}.items():
        monkeypatch.setenv(PREFIX + name, value)
    makers: tuple[Callable[..., Settings], ...] = (load_settings, Settings)
    for make in makers:
        with pytest.raises((SettingsError, ValidationError)) as error:
            make()
        assert PASSWORD not in "".join(traceback.format_exception(error.value))


def test_a_secret_survives_a_pickle(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, **AWS)
    assert pickle.loads(pickle.dumps(settings)) == settings


# The table -----------------------------------------------------------------------------------------------------------


def test_every_setting_is_in_the_table_with_its_meaning() -> None:
    rows = settings_table()
    assert sorted(row[0] for row in rows) == sorted(PREFIX + name.upper() for name in Settings.model_fields)
    assert rows[0][0] == "EVENT_ASSETS_PROFILE"
    assert [name for name, _, meaning in rows if not meaning.endswith((".", ")"))] == []


def test_the_table_shows_defaults_as_they_are_written_in_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = load_settings()
    for name, default, _ in settings_table():
        monkeypatch.setenv(name, default)
    assert load_settings() == defaults


# Enrichment ----------------------------------------------------------------------------------------------------------


def test_files_and_functions_of_enrichment_are_named_with_commas_between(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first, second = tmp_path / "city.mmdb", tmp_path / "asn.mmdb"
    for path in (first, second):
        path.touch()
    settings = load(monkeypatch, GEO_DATABASES=f"{first}, {second}", ENRICHMENTS="a.b:c,a.b:d")
    assert (settings.geo_databases, settings.enrichments) == ((first, second), ("a.b:c", "a.b:d"))


@pytest.mark.parametrize("name", ["GEO_DATABASES", "CURRENCY_RATES"])
def test_a_file_that_is_not_there_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    text = fault(monkeypatch, **{name: "/nowhere/file.x"})
    assert name in text and "there is no file /nowhere/file.x" in text


def test_a_reporting_currency_is_three_capital_letters_and_rates_need_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "EVENT_ASSETS_REPORTING_CURRENCY is 'euro'" in fault(monkeypatch, REPORTING_CURRENCY="euro")
    monkeypatch.delenv(PREFIX + "REPORTING_CURRENCY")
    (tmp_path / "rates.csv").touch()
    text = fault(monkeypatch, CURRENCY_RATES=str(tmp_path / "rates.csv"))
    assert "EVENT_ASSETS_REPORTING_CURRENCY is missing" in text
