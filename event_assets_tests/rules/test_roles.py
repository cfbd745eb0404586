"""The file of the roles: what it may say, what is wrong in it, and what is shipped."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.rules.roles import Roles, roles_of
from event_assets.settings import Settings


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("{shared: {fct_sesions: [country]}, roles: {a: {}}}", 1, "no such table, did you mean fct_sessions?"),
        ("shared:\n  fct_sessions: [land]\nroles: {a: {}}", 2, "there is no column 'land'"),
        ("roles:\n  a: {warehouse: everything, rows: {country: [DE]}}", 2, "limited by it only with warehouse: shared"),
        ("roles:\n  a:\n    warehouse: shared\n    tables: [dim_users]", 4, "'dim_users' is not shared"),
        ("roles:\n  a: {dashboards: sql}", 2, "the dashboards read the warehouse"),
        ("roles:\n  a: {warehouse: shared, dashboards: people}", 2, "it needs warehouse: everything"),
        ("roles:\n  a: {groups: [x]}", 2, "groups are those of a sign-in"),
        ("roles:\n  a: {warehouse: shared, rows: {city: [x]}}", 2, "'app_id' or 'country'"),
        ("roles:\n  a: {warehuse: shared}", 2, "did you mean warehouse?"),
        ("roles:\n  a: {warehouse: shared, rows: {country: [NO]}}", 2, "it must be a text"),
        ("roles: {}", 1, "roles"),
    ],
)  # fmt: skip
def test_a_slip_is_told_with_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    path = tmp_path / "roles.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"roles\.yaml") as told:
        roles_of(path)
    assert f"{path}:{line}: " in str(told.value) and words in str(told.value)


def test_every_personal_column_is_named_as_such_wherever_it_stands() -> None:
    names = {"person_id", "user_id", "anonymous_id", "stitched_user_id", "user_ids", "anonymous_ids", "traits", "ip"}
    names |= {"session_id", "first_session_id", "install_id"}
    wrong = [f"{t.name}.{c.name}" for t in WAREHOUSE_TABLES for c in t.specs() if c.name in names and not c.pii]
    assert wrong == []


def test_every_column_is_shared_or_kept_private_on_purpose() -> None:
    """Who adds a column says here or in the file whether roles that do not see everything see it."""
    kept = {
        "dim_companies.attributes", "dim_groups.traits", "dim_page.title",
        "dim_person_attributes.text", "dim_person_attributes.value", "dim_user_history.traits", "dim_user_traits.*",
        "dim_person_features.features",
        "dim_users.anonymous_ids", "dim_users.traits", "dim_users.user_ids",
        *(f"fct_events.{name}" for name in (
            "city", "click_id", "custom", "device_advertising_id", "device_id", "device_user_agent", "ip",
            "page_referrer", "page_title", "page_url", "plan_violations", "properties", "region",
            "search_term", "traits", "traits_once",
        )),
        "fct_page_views.referrer", "fct_page_views.title", "fct_page_views.url",
        "fct_sessions.entry_url", "fct_sessions.exit_url", "fct_sessions.referrer",
    }  # fmt: skip
    assert set(roles_of(Settings().roles).private_columns()) == kept


_LIMITS = st.dictionaries(st.sampled_from(["app_id", "country"]), st.lists(st.text(min_size=1), min_size=1, max_size=2))


@given(
    shared=st.dictionaries(
        st.sampled_from([table.name for table in WAREHOUSE_TABLES]),
        st.sets(st.sampled_from(["country", "app_id", "event_date", "platform", "person_id"]), min_size=1),
    ),
    rows=_LIMITS,
)
def test_a_role_sees_shared_columns_alone_and_limited_tables_only_that_can_be_limited(
    shared: dict[str, set[str]], rows: dict[str, list[str]]
) -> None:
    has = {table.name: set(table.columns) for table in WAREHOUSE_TABLES}
    told = {name: sorted(columns & has[name]) for name, columns in shared.items() if columns & has[name]}
    role = {"warehouse": "shared", "rows": {name: [v[:128] for v in values] for name, values in rows.items()}}
    roles = Roles.model_validate({"shared": told, "roles": {"a": role}})
    seen = roles.tables_of(roles.roles["a"])
    assert {name: sorted(columns) for name, columns in seen.items()} == {
        name: columns for name, columns in told.items() if rows.keys() <= has[name]
    }
