"""Settings that cannot work are refused before anything starts, each in a sentence that names it."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.defs.resources.rules import require_usable_rules
from event_assets.settings import PREFIX, Settings, SettingsError, load_settings
from event_assets.settings.faults import misspelt

NAMES = sorted(Settings.model_fields)


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


def tomorrow() -> str:
    return str(dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1))


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("HOME", "/dev/null", "/dev/null is no folder"),
        ("HOME", "/dev/null/below", "/dev/null is no folder"),
        ("LAKE_URL", "ftp://x", "a folder or s3://bucket/prefix"),
        ("LAKE_URL", "s3://", "it must name a bucket"),
        ("LAKE_URL", "s3:///prefix", "it must name a bucket"),
        ("LAKE_URL", "file:///srv/lake", "a folder or s3://bucket/prefix"),
        ("LAKE_URL", "/dev/null", "/dev/null is no folder"),
        ("SEGMENTS_DIR", __file__, "there is no such folder"),
        ("FIRST_DAY", "9000-01-01", "it lies in the future"),
        ("ENRICHMENTS", "no_function", "'no_function' is not package.module:function"),
    ],
)
def test_what_cannot_work_is_refused_by_name(name: str, value: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(SettingsError, match=rf"{PREFIX}{name} is .*{why}"):
        load_settings()


PATHS = sorted(name for name, field in Settings.model_fields.items() if "Path" in str(field.annotation))


@pytest.mark.parametrize("name", [name for name in PATHS if name != "home"])
def test_a_file_or_folder_that_is_not_there_is_refused_by_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + name.upper(), "/nowhere/at/all")
    with pytest.raises(SettingsError, match=rf"{PREFIX}{name.upper()} is '/nowhere/at/all': there is no "):
        load_settings()


def test_the_first_day_may_be_today_and_not_tomorrow(monkeypatch: pytest.MonkeyPatch) -> None:
    load_settings(first_day=dt.datetime.now(dt.UTC).date())
    with pytest.raises(SettingsError, match=r"FIRST_DAY is '.*': it lies in the future"):
        load_settings(first_day=tomorrow())


def test_a_folder_that_can_be_made_is_as_good_as_one_that_is_there(tmp_path: Path) -> None:
    load_settings(home=tmp_path / "not" / "there" / "yet", lake_url=str(tmp_path / "lake"))
    load_settings(lake_url="s3://bucket")
    load_settings(lake_url="s3://bucket/and/a/prefix/")


@given(name=st.sampled_from(NAMES), data=st.data())
def test_a_letter_too_many_too_few_or_exchanged_names_the_setting_that_was_meant(
    name: str, data: st.DataObject
) -> None:
    place = data.draw(st.integers(1, len(name) - 1))
    kind = data.draw(st.sampled_from(["dropped", "doubled", "exchanged"]))
    wrong = {
        "dropped": name[:place] + name[place + 1 :],
        "doubled": name[:place] + name[place] + name[place:],
        "exchanged": name[: place - 1] + name[place] + name[place - 1] + name[place + 1 :],
    }[kind].upper()
    told = misspelt([PREFIX + wrong], PREFIX, NAMES)
    if wrong.lower() in NAMES:
        assert told == []
    else:
        (sentence,) = told
        assert sentence.startswith(f"There is no setting {PREFIX}{wrong}; {PREFIX}") and "is the nearest" in sentence


def test_a_misspelt_name_is_refused_with_the_nearest_right_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_ASSETS_COLECTOR_PORT", "9000")
    monkeypatch.setenv("EVENT_ASSETS_QUITE_ANOTHER", "1")
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert str(error.value).splitlines() == [
        "There is no setting EVENT_ASSETS_COLECTOR_PORT; EVENT_ASSETS_COLLECTOR_PORT is the nearest. "
        "`event-assets settings` lists them.",
        "There is no setting EVENT_ASSETS_QUITE_ANOTHER. `event-assets settings` lists them.",
    ]


def test_every_fault_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_ASSETS_HOMES", "x")
    monkeypatch.setenv("EVENT_ASSETS_HOME", "/dev/null")
    monkeypatch.setenv("EVENT_ASSETS_FIRST_DAY", tomorrow())
    with pytest.raises(SettingsError) as error:
        load_settings()
    misspelt_name, home, first_day = str(error.value).splitlines()
    assert misspelt_name.startswith("There is no setting EVENT_ASSETS_HOMES; EVENT_ASSETS_HOME is the nearest")
    assert home.startswith("EVENT_ASSETS_HOME is '/dev/null'") and first_day.startswith("EVENT_ASSETS_FIRST_DAY is")


@pytest.mark.parametrize(
    "reference", ["math:tau", "math:nothing", "no_such_module:it", "math:sqrt", "broken_module:it"]
)
def test_an_enrichment_that_is_no_function_is_refused_by_its_variable(
    reference: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_module.py").write_text("raise RuntimeError('not today')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(SettingsError, match=f"EVENT_ASSETS_ENRICHMENTS: '{reference}' is no enrichment"):
        require_usable_rules(load_settings(enrichments=[reference]))


def test_an_enrichment_that_is_one_is_taken() -> None:
    require_usable_rules(load_settings(enrichments=["event_assets_tests.transforms.own_enrichments:tier"]))


@pytest.mark.slow
def test_the_stack_does_not_start_with_an_enrichment_that_is_none(tmp_path: Path) -> None:
    environment = {**os.environ, "EVENT_ASSETS_HOME": str(tmp_path / "home"), "EVENT_ASSETS_ENRICHMENTS": "math:tau"}
    command = [sys.executable, "-m", "event_assets.cli", "up"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert ended.stderr.startswith("EVENT_ASSETS_ENRICHMENTS: 'math:tau' is no enrichment")
    assert not (tmp_path / "home").exists()
