"""Takes up what people asked for through the ingest API: requests for erasure become ours, with the time at which they
were made, so that what happened until then goes. The API may not write the audit log: what it took is entered here.
"""

from __future__ import annotations

from dataclasses import replace

from event_assets.audit import Action, AuditLog, anchor_of
from event_assets.lake.asked import Asked, all_asked, write_asked
from event_assets.lake.lake import Lake
from event_assets.lake.tombstones import ErasureRules
from event_assets.privacy.closure import KnownPeople, LinkedUsers, Named
from event_assets.privacy.requests import request_erasure
from event_assets.settings import Settings

LINKED = "the person has other user ids too: ask again with linked_users, erase, or keep and the user id that is to go"
_ONE_BY_ONE = 3
"""So many look for their ids in all events, each for itself; more than that share what is read of them."""


def take_asked(lake: Lake, settings: Settings) -> int:
    """Takes up all requests for erasure that wait. Gives how many. One that was taken up by a run that was killed is
    taken up again under the same id. The first of all makes the installation's key: who works them off knows none from
    before. Raises `WrongPrivacyKey`."""
    taken = 0
    log_asked(lake, AuditLog(lake.storage, ErasureRules.of(settings).key, anchor_of(settings)))
    erasures = [asked for asked in waiting(lake) if asked.kind == "erasure"]
    known = KnownPeople(lake, for_many=True) if len(erasures) > _ONE_BY_ONE else None
    for number, asked in enumerate(erasures):
        of_all = known if number else None  # the first looks at the key
        try:
            request = request_erasure(lake, settings, named_by(asked), asked.asked_at, asked.id, of_all)
        except LinkedUsers:
            write_asked(lake.storage, asked.closed("refused", LINKED))
        else:
            write_asked(lake.storage, asked.closed("taken", told=request.state))
            taken += 1
    return taken


def log_asked(lake: Lake, log: AuditLog) -> None:
    """Enters into the audit log what waits and is not there yet: which key asked for what, when, and of nobody's
    name. Whatever is entered by a run that is killed just then is entered twice. Raises `AuditFault`."""
    for asked in waiting(lake):
        if not asked.is_logged:
            action: Action = "erasure_requested" if asked.kind == "erasure" else "access_requested"
            log.append(action, asked.id, by=f"key {asked.by}", asked_at=asked.asked_at.isoformat())
            write_asked(lake.storage, replace(asked, is_logged=True))


def waiting(lake: Lake) -> list[Asked]:
    """What was asked for and not answered."""
    return [asked for asked in all_asked(lake.storage) if asked.state == "queued"]


def named_by(asked: Asked) -> Named:
    """Whom a request names."""
    return Named(asked.users, asked.devices, asked.emails, asked.device_events, asked.linked_users)
