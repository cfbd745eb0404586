"""Requests for erasure that a legal hold covers: they wait, say why, and go on once it is released.

While a request is held, what arrives of the person is landed as everybody's is: it is held, too.
"""

from __future__ import annotations

from dataclasses import replace

from event_assets.lake.lake import Lake
from event_assets.lake.tombstones import FOLDER, ErasureRules, write_tombstones
from event_assets.privacy.holds import Hold, active_holds, holding_ids
from event_assets.privacy.requests import Request, requests, write_request


def hold_requests(lake: Lake, rules: ErasureRules) -> int:
    """Holds the requests that are not begun and that a hold covers, and opens those again that none covers any more.
    Gives how many are held."""
    holds, held = active_holds(lake.storage), 0
    for request in [*requests(lake.storage)]:
        if not request.is_open or request.batch:
            continue
        closure = request.closure
        hold = holding_ids(lake, holds, closure.users | closure.devices)
        held += hold is not None
        if hold is not None:
            _hold(lake, request, hold)
        elif request.state == "held":
            _open(lake, request, rules)
    return held


def _hold(lake: Lake, request: Request, hold: Hold) -> None:
    lake.storage.delete(f"{FOLDER}/{request.id}.json")
    if (request.state, request.note) != ("held", hold.sentence):
        write_request(lake.storage, replace(request, state="held", note=hold.sentence))


def _open(lake: Lake, request: Request, rules: ErasureRules) -> None:
    closure = request.closure
    write_tombstones(lake.storage, rules, request.id, request.requested_at, closure.users, closure.devices)
    write_request(lake.storage, replace(request, state="open", note=""))
