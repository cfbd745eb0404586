"""What must be found is no more than can be left of what was sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from event_assets.simulator.generate import TimedEvent
from event_assets.simulator.truth import Receipt, TruthLedger
from event_assets.verification import Evidence
from event_assets.verification.expected import CONFLICTS, work_out


@pytest.mark.parametrize(("refused", "found"), [(False, 1), (True, 0)])
@pytest.mark.parametrize("name", ["add_to_cart", "consent_changed"])
def test_a_copy_says_something_else_where_its_person_did_not_refuse(
    name: str, refused: bool, found: int, tmp_path: Path
) -> None:
    with TruthLedger(tmp_path / "truth.db") as truth:
        truth.begin("run", 1, 1, 1.0, 0.0)
        copies = [
            TimedEvent(1.0, 1.0, b"{}", "e", name, "a", None, None, None, "web", "", "", refused=refused, fault=fault)
            for fault in (None, "conflict")
        ]
        truth.record("run", [Receipt(copy, "api", "accepted", None, 1.0, 1.0) for copy in copies])
    evidence = Evidence(tmp_path / "truth.db")
    work_out(evidence, "any")
    assert evidence.number(CONFLICTS) == found
