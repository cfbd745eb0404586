"""What moto has of QuickSight, by its account of what AWS answers: groups, data sources, tags."""

from __future__ import annotations

import pytest
from moto import mock_aws

from event_assets.quicksight.kinds import DATA_SOURCE, GROUP
from event_assets.quicksight.requests import hash_of
from event_assets.quicksight.resources import wanted
from event_assets.quicksight.service import Service
from event_assets.quicksight.target import Target
from event_assets.rules.dashboard import Dashboard
from event_assets_tests.quicksight.conftest import ANALYSES


def test_groups_and_data_sources_are_made_read_and_deleted(
    target: Target, dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_QUICKSIGHT", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    resources = wanted(dashboard, ANALYSES, target).resources
    made = [each for each in resources if each.key.kind in (GROUP, DATA_SOURCE)]
    with mock_aws():
        service = Service.of(target, pause=lambda seconds: None)
        for each in made:
            assert service.state(each.key, each) is None
            service.create(each)
            # moto does not describe the permissions of a data source, which drift is read from.
            state = service.state(each.key, each if each.key.kind is GROUP else None)
            assert state is not None and state.is_ours and state.hash == hash_of(each)
            service.delete(each.key)
            assert service.state(each.key, each) is None
