"""Works off the requests for erasure: all that are open as one batch, step by step, each of which does nothing where it
was done before. A run that was killed goes on where it was.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import replace

from event_assets.lake.lake import Lake
from event_assets.lake.tombstones import ErasureRules
from event_assets.privacy.batches import Batch, read_batch, read_places, write_batch, write_places
from event_assets.privacy.erasing import erase_tables
from event_assets.privacy.finding import People, places_of
from event_assets.privacy.requests import Request, requests, write_request
from event_assets.privacy.sharing import mixed


def begin(lake: Lake, now: dt.datetime) -> tuple[Batch, list[Request]] | None:
    """The batch to be worked off: the one that was begun, else a new one of all open requests; None without any."""
    waiting_ones = [request for request in requests(lake.storage) if request.is_open]
    begun = next((each.batch for each in waiting_ones if each.batch), "")
    if begun:
        try:
            batch = read_batch(lake.storage, begun)
            by_id = {request.id: request for request in waiting_ones}
            return batch, [by_id[name] for name in batch.requests if name in by_id]
        except FileNotFoundError:
            pass  # killed before it was written: nothing was done of it
    if not waiting_ones:
        return None
    name = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    batch = Batch(name, [request.id for request in waiting_ones], now.isoformat())
    write_batch(lake.storage, batch)
    return batch, _all(lake, [replace(request, batch=name) for request in waiting_ones])


def erase_from_lake(lake: Lake, rules: ErasureRules, batch: Batch, of: list[Request]) -> None:
    """Finds the events of the batch's people and erases them and what is made of them."""
    people = People(of, rules)
    if batch.mixed is None:
        places = places_of(lake, people)
        write_places(lake.storage, batch, places)
        batch.mixed = mixed(lake, people, places)
        write_batch(lake.storage, batch)
    erase_tables(lake, batch, people, read_places(lake.storage, batch))


def _all(lake: Lake, changed: list[Request]) -> list[Request]:
    for request in changed:
        write_request(lake.storage, request)
    return changed
