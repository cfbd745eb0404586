"""The demo's company data: made up where nobody has any, and never on a server that is not ours."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from event_assets.settings import Settings
from event_assets.stack.demo import describe_company


def test_files_are_written_where_there_are_none_and_the_database_is_embedded(tmp_path: Path) -> None:
    home = tmp_path / "home"
    describe_company(Settings(home=home, warehouse_url=SecretStr("postgresql://me:secret@example.com/db")))
    assert not home.exists()
    (tmp_path / "own").mkdir()
    describe_company(Settings(home=home, company_dir=tmp_path / "own"))
    assert not home.exists() and list((tmp_path / "own").iterdir()) == []
    describe_company(Settings(home=home))
    assert sorted(path.name for path in (home / "company").iterdir()) == ["billing.yaml", "crm.yaml"]
    (home / "company" / "crm.yaml").write_text("mine")
    (home / "company" / "billing.yaml").unlink()
    describe_company(Settings(home=home))
    assert [path.name for path in (home / "company").iterdir()] == ["crm.yaml"], "whoever has some, has them all"
