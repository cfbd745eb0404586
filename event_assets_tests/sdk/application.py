"""An application as a process of its own: tracks what it is told to, says so line by line, and then lives or dies.

`python -m event_assets_tests.sdk.application ENDPOINT QUEUE HOW EVENTS NAME [KEY]`
"""

from __future__ import annotations

import os
import signal
import sys
import time

from event_assets_sdk import EventClient


def main(endpoint: str, queue: str, how: str, events: str, name: str, key: str = "ea_0_0") -> None:
    """`how`: `killed` dies by SIGKILL when all is tracked, `exits` ends as programs do, `stays` goes on living."""
    client = EventClient(endpoint, key, queue_path=queue, flush_interval=0.05, first_wait=0.01, longest_wait=0.05)
    for number in range(int(events)):
        print(client.track("search", {"n": number, "by": name}, anonymous_id=name), flush=True)
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "stays":
        time.sleep(600)


if __name__ == "__main__":
    main(*sys.argv[1:])
