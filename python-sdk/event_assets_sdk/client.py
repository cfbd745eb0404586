"""The client that an application uses. It writes events to a queue on disk; a thread of its own sends them.

No call raises or waits for the network, save `flush` and `close`, which wait as long as they are told to, and the
constructor, which raises `ValueError` for options that cannot mean anything.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, Self, Unpack, cast

from event_assets_sdk import forks
from event_assets_sdk.bounds import Bounds, WhenFull
from event_assets_sdk.delivery import Delivery
from event_assets_sdk.events import (
    DetailsOfGroup,
    DetailsOfUser,
    EventFields,
    InvalidEvent,
    event_of,
    text_of,
)
from event_assets_sdk.exceptions import follow_uncaught, properties_of
from event_assets_sdk.ids import Uuid7
from event_assets_sdk.install import Install
from event_assets_sdk.options import check_choices, check_range, check_seconds, check_sizes, queue_file
from event_assets_sdk.queue import EventQueue
from event_assets_sdk.quiet import quiet
from event_assets_sdk.report import Problem, Report, Stats
from event_assets_sdk.requests.current import current_request
from event_assets_sdk.sender import Pace
from event_assets_sdk.transport import LIBRARY, Transport

Platform = Literal["server", "desktop", "ios", "android", "web", "tv", "console", "iot"]
Disk = Literal[True, False, "spool"]
Values = Mapping[str, Any] | None
BeforeSend = Callable[[dict[str, Any]], Values]


class EventClient:
    """Sends an application's events to a collector. One per process is enough; safe to use from threads and asyncio.

    `endpoint`, `write_key`: the collector's address, and a key made with `event-assets keys create` (`signed`: one
    that signs).
    `platform`: on `server` each call says whom it is about; on any other the install is one person's, whose anonymous
    id, user id, group and consent are remembered.
    `context`: fields that every event gets (`app`, `device`, …).
    `queue_path`: the file that keeps events until they are sent; several processes may share it. By default a file of
    this endpoint and key under `~/.event-assets-sdk`.
    `disk`: `True` has each event in the file when its call returns; `"spool"` a twentieth of a second later, so that
    no call waits for the disk; `False` keeps events in memory only.
    `queue_bytes`, `when_full`: the most bytes of events that wait, and whether the oldest or the newest is dropped.
    `batch_size`, `batch_bytes`, `flush_interval`: events are sent when so many or so large, or after so many seconds.
    `first_wait`, `longest_wait`: seconds of the exponential waits between tries. `timeout`: seconds for one request.
    `sync`: no thread (AWS Lambda): a call that completes a batch sends it, `flush` sends the rest.
    `exit_timeout`: seconds that the end of the program, and in `sync` a call that sends, waits for the network.
    `before_send`: gets each event before it is stored; gives the event to keep, or None to drop it.
    `on_error`: is told of each `Problem`. `opt_out`: records nothing. `debug`: prints what is sent, and the answers.
    """

    def __init__(
        self,
        endpoint: str,
        write_key: str,
        *,
        platform: Platform = "server",
        context: Values = None,
        queue_path: str | os.PathLike[str] | None = None,
        disk: Disk = True,
        queue_bytes: int = 100_000_000,
        when_full: WhenFull = "drop_oldest",
        batch_size: int = 100,
        batch_bytes: int = 250_000,
        flush_interval: float = 5.0,
        first_wait: float = 1.0,
        longest_wait: float = 60.0,
        timeout: float = 10.0,
        exit_timeout: float = 2.0,
        sync: bool = False,
        signed: bool = False,
        before_send: BeforeSend | None = None,
        on_error: Callable[[Problem], object] | None = None,
        opt_out: bool = False,
        debug: bool = False,
    ) -> None:
        check_sizes(batch_size, batch_bytes, queue_bytes)
        check_seconds(flush_interval=flush_interval, timeout=timeout, first_wait=first_wait)
        check_range("longest_wait", longest_wait, first_wait, 86_400)
        check_choices(when_full, disk)
        self._report = Report(on_error)
        transport = Transport(endpoint, write_key, timeout, signed)
        path = queue_file(queue_path, endpoint, write_key, self._report) if disk else None
        self._base = {"platform": platform, "library": LIBRARY, **(context or {})}
        self._new_id = Uuid7()
        self._queue = EventQueue(path, Bounds(queue_bytes, when_full), self._report, spools=disk == "spool")
        self._install = Install(self._queue, platform != "server", self._new_id)
        pace = Pace(batch_size, batch_bytes, flush_interval, first_wait, longest_wait)
        self._delivery = Delivery(
            self._queue, transport, self._report, pace, sync=sync, exit_timeout=exit_timeout, debug=debug
        )
        self._before_send = before_send
        self._is_off = opt_out
        self._exit_timeout = exit_timeout
        forks.follow(self)
        atexit.register(self.close)

    @quiet
    def track(self, event: str, properties: Values = None, **fields: Unpack[EventFields]) -> str | None:
        """Records an event. Gives its `event_id`; None if it was not taken (see `stats`)."""
        return self._record(event, properties, fields)

    @quiet
    def page(
        self,
        url: str,
        title: str | None = None,
        referrer: str | None = None,
        properties: Values = None,
        **fields: Unpack[EventFields],
    ) -> str | None:
        """Records that a page was shown."""
        page = {name: said for name, said in (("url", url), ("title", title), ("referrer", referrer)) if said}
        return self._record("page_view", properties, fields, {"page": page})

    @quiet
    def screen(self, name: str, properties: Values = None, **fields: Unpack[EventFields]) -> str | None:
        """Records that a screen of an app was shown."""
        screen = {**((fields.get("context") or {}).get("screen") or {}), "name": name}
        return self._record("screen_view", properties, fields, {"screen": screen})

    @quiet
    def identify(self, user_id: str, traits: Values = None, **fields: Unpack[DetailsOfUser]) -> str | None:
        """Records who the person is. Where the install is one person's, later events are this user's."""
        more = {"traits": dict(traits)} if traits else None
        event_id = self._record("identify", None, {**fields, "user_id": user_id}, more)
        if event_id is not None:
            self._install.sign_in(user_id)
        return event_id

    @quiet
    def group(self, group_id: str, traits: Values = None, **fields: Unpack[DetailsOfGroup]) -> str | None:
        """Records that the person belongs to a group, such as a company, and what is known of it.

        Where the install is one person's, later events carry the group."""
        more = {"traits": dict(traits)} if traits else None
        event_id = self._record("group", None, {**fields, "group_id": group_id}, more)
        if event_id is not None:
            self._install.join(group_id)
        return event_id

    @quiet
    def alias(self, previous_id: str, **fields: Unpack[EventFields]) -> str | None:
        """Records that `previous_id` and the user (`user_id=`) are the same person."""
        return self._record("alias", {"previous_id": previous_id}, fields)

    @quiet
    def set_consent(
        self,
        analytics: bool | None = None,
        marketing: bool | None = None,
        personalisation: bool | None = None,
        properties: Values = None,
        *,
        sell_or_share: bool | None = None,
        source: str | None = None,
        text_version: str | None = None,
        **fields: Unpack[EventFields],
    ) -> str | None:
        """Records what the person agreed to (None: nothing was said of it), where they were asked (`source`: `banner`,
        `settings`, `support`, …) and by which version of the text. `sell_or_share` is to be sold or shared, in the
        words of the CCPA.

        Where the install is one person's, later events carry it. On a server each call has to say it (`consent=`).
        """
        said: dict[str, bool | str | None] = {
            "analytics": analytics,
            "marketing": marketing,
            "personalisation": personalisation,
            "sell_or_share": sell_or_share,
            "source": source,
            "text_version": text_version,
        }
        agreed = self._install.agree({name: value for name, value in said.items() if value is not None})
        return self._record("consent_changed", properties, {**fields, "consent": agreed})

    @quiet
    def capture_exception(
        self, error: BaseException | None = None, properties: Values = None, **fields: Unpack[EventFields]
    ) -> str | None:
        """Records an exception as `app_error`; without one, that which is being handled.

        Where nobody is known whom it is about, the installation stands for a person."""
        said = error if error is not None else sys.exception()
        if said is None:
            return None
        whole = {**current_request(), **self._install.person(), **fields}
        if not whole.get("anonymous_id") and not whole.get("user_id"):
            fields["anonymous_id"] = self._install.install_id or self._new_id()
        return self._record("app_error", {**properties_of(said), **(properties or {})}, fields)

    @quiet
    def capture_uncaught(self) -> None:
        """From now on records what nobody catches, in every thread; what Python did with it before, it still does."""
        follow_uncaught(self.capture_exception)

    def refuse(self, detail: str) -> None:
        """Counts and tells of an event that was not made because it breaks a rule; `detail` says which."""
        self._report.count("invalid")
        self._report.problem("invalid", f"an event was not taken: {detail}")

    @quiet
    def opt_out(self) -> None:
        """Records nothing from now on, and drops what was not sent. Kept over restarts, until `opt_in`."""
        self._install.opt(out=True)
        self._queue.clear()

    @quiet
    def opt_in(self) -> None:
        """Records again."""
        self._install.opt(out=False)

    @quiet
    def reset(self) -> None:
        """Forgets who uses the install, as after signing out: a new anonymous id, no user, no consent."""
        self._install.reset()

    def flush(self, timeout: float = 10.0) -> bool:
        """Waits until what is in the queue now has left it, at most so many seconds. Whether it has.

        In asyncio's loop it would stop everything: `await client.aflush()`.
        """
        return bool(self._flush(time.monotonic() + timeout))

    async def aflush(self, timeout: float = 10.0) -> bool:
        """`flush` for asyncio: the loop goes on meanwhile."""
        import asyncio  # takes as long to import as all of the SDK, and few need it

        return await asyncio.to_thread(self.flush, timeout)

    async def aclose(self, timeout: float | None = None) -> None:
        """`close` for asyncio: the loop goes on meanwhile."""
        import asyncio

        await asyncio.to_thread(self.close, timeout)

    def close(self, timeout: float | None = None) -> None:
        """Flushes and ends the thread. Runs at exit by itself, with `exit_timeout`.

        What could not be sent stays in the file, for the next process that is given it.
        """
        deadline = time.monotonic() + (self._exit_timeout if timeout is None else timeout)
        atexit.unregister(self.close)
        self._close(deadline)

    @property
    def stats(self) -> Stats:
        """Counters, what is waiting, and the last problem."""
        return self._report.stats(*self._queue.waiting(), self._queue.storage)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close(timeout=10.0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose(timeout=10.0)

    def before_fork(self) -> None:
        """Called before the process forks."""
        self._delivery.before_fork()

    def after_fork_in_parent(self) -> None:
        """Called in the parent of a fork."""
        self._delivery.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        """Called in the child of a fork: its events are its own, and it starts a thread when it has some."""
        self._report.begin_anew()
        self._delivery.after_fork_in_child()
        self._install.forget_id()
        self._new_id = Uuid7()

    def _record(
        self, name: str, properties: Values, fields: EventFields | Mapping[str, Any], more: Values = None
    ) -> str | None:
        if self._is_off or self._install.opted_out:
            self._report.count("opted_out")
            return None
        event = self._event(name, properties, fields, more or {})
        kept = self._hooked(event)
        if kept is None:
            return None
        try:
            text = text_of(kept)
        except InvalidEvent as fault:
            self._report.count("invalid")
            self._report.problem("invalid", f"an event was not taken: {fault}", event["event_id"])
            return None
        self._report.count("tracked")
        event_id = str(kept["event_id"])
        self._delivery.put(event_id, kept.get("anonymous_id"), text)
        return event_id

    def _event(
        self, name: str, properties: Values, fields: EventFields | Mapping[str, Any], more: Mapping[str, Any]
    ) -> dict[str, Any]:
        event_id = fields.get("event_id") or self._new_id()
        request = current_request()
        context = {**self._base, **request.get("context", {}), **(fields.get("context") or {}), **more}
        if name == "page_view":
            context.setdefault("page_view_id", event_id)
        said = {field: value for field, value in fields.items() if value is not None}
        whole = cast("EventFields", {**self._install.person(), **request, **said, "context": context})
        if whole.get("anonymous_id") and (install_id := self._install.install_id) is not None:
            context.setdefault("install_id", install_id)
        return event_of(name, properties, whole, str(event_id), time.time())

    def _hooked(self, event: dict[str, Any]) -> Values:
        if self._before_send is None:
            return event
        event_id = event["event_id"]
        try:
            kept = self._before_send(event)
            if kept is not None:
                return {**kept, "event_id": event_id}
        except Exception as error:
            # Unaltered it might hold what the hook is there to take out.
            detail = f"before_send failed, its event was dropped: {type(error).__name__}: {error}"
            self._report.problem("before_send", detail, event_id)
        self._report.count("dropped_by_before_send")
        return None

    @quiet
    def _flush(self, deadline: float) -> bool:
        return self._delivery.flush(deadline)

    @quiet
    def _close(self, deadline: float) -> None:
        self._delivery.close(deadline)
        forks.leave(self)
