"""Group commit: what is ready is written together, and nobody waits for who is not there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from event_assets.collector.buffer import GroupCommit
from event_assets.streams import EventLines


def written_in_groups(turns: Sequence[int], **limits: int) -> list[int]:
    """Events of each write, where a request is served after each of so many turns of the loop."""
    groups: list[int] = []

    def write(lines: Sequence[EventLines]) -> Mapping[str, str]:
        groups.append(sum(len(each.keys) for each in lines))
        return {}

    async def run() -> None:
        commit = GroupCommit(write, **limits)  # type: ignore[arg-type]
        commit.start()

        async def serve(after: int) -> None:
            for _ in range(after):
                await asyncio.sleep(0)
            assert await commit.write(EventLines(["a", "a"], [b"1", b"2"]), 60) == {}

        await asyncio.gather(*map(serve, turns))
        await commit.stop()

    asyncio.run(run())
    return groups


def test_requests_that_are_served_one_turn_after_the_other_share_a_write() -> None:
    assert written_in_groups([0]) == [2]
    assert written_in_groups([0, 1, 2, 3, 4]) == [10]


def test_a_group_that_is_large_enough_waits_for_no_more() -> None:
    assert written_in_groups([0] * 6, group_events=4) == [4, 4, 4]
    assert sum(written_in_groups(range(12), group_requests=3)) == 24
