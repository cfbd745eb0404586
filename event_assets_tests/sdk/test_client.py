"""The client against a real collector: what is called becomes events on the stream."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from event_assets.collector import WriteKeys
from event_assets.collector.limits import CollectorLimits
from event_assets.settings import Settings, load_settings
from event_assets.streams import open_stream
from event_assets_sdk import Problem
from event_assets_tests.collector.serving import serving, written
from event_assets_tests.sdk.conftest import Clients, Collector


def test_every_call_becomes_the_event_of_its_name(collector: Collector, client_of: Clients) -> None:
    client = client_of(collector.url, collector.key, context={"app": {"id": "shop"}})
    ids = [
        client.track("search", {"query": "shoes"}, anonymous_id="a", session_id="s"),
        client.page("https://shop.example/", "Shop", "https://search.example/", anonymous_id="a"),
        client.screen("home", anonymous_id="a", context={"screen": {"width": 100}}),
        client.identify("u", {"plan": "pro"}, anonymous_id="a"),
        client.group("acme", {"seats": 5}, user_id="u"),
        client.alias("a", user_id="u"),
        client.set_consent(
            analytics=True, marketing=False, sell_or_share=False, source="settings", text_version="2026-09", user_id="u"
        ),
    ]
    assert client.flush(20)
    events = collector.events()
    by_name = {event["event"]: event for event in events}
    assert sorted(event["event_id"] for event in events) == sorted(ids)  # type: ignore[type-var]
    assert by_name["search"]["properties"] == {"query": "shoes"} and by_name["search"]["session_id"] == "s"
    assert by_name["page_view"]["page"] == {
        "url": "https://shop.example/", "title": "Shop", "referrer": "https://search.example/",
    }  # fmt: skip
    assert by_name["page_view"]["page_view_id"]
    assert by_name["screen_view"]["screen"] == {"name": "home", "width": 100}
    assert by_name["identify"]["traits"] == {"plan": "pro"} and by_name["identify"]["user_id"] == "u"
    assert by_name["group"]["traits"] == {"seats": 5} and by_name["group"]["group_id"] == "acme"
    assert by_name["alias"]["properties"] == {"previous_id": "a"} and by_name["alias"]["user_id"] == "u"
    asked = {"source": "settings", "text_version": "2026-09"}
    refused = {"marketing": False, "sell_or_share": False}
    assert by_name["consent_changed"]["consent"] == {"analytics": True, **refused, **asked}
    assert all(event["app"] == {"id": "shop"} and event["platform"] == "server" for event in events)
    assert all(event["library"]["name"] == "event-assets-python" for event in events)
    assert client.stats.accepted == 7 and client.stats.queued == 0


def test_events_are_numbered_per_anonymous_id_in_the_order_of_the_calls(
    collector: Collector, client_of: Clients
) -> None:
    client = client_of(collector.url, collector.key, batch_size=7)
    for number in range(60):
        client.track("search", {"n": number}, anonymous_id=f"a{number % 3}")
    client.track("search", user_id="u")
    assert client.flush(20)
    for name in ("a0", "a1", "a2"):
        own = [event for event in collector.events() if event.get("anonymous_id") == name]
        assert [event["sequence"] for event in own] == list(range(20))
        assert [event["properties"]["n"] for event in own] == sorted(event["properties"]["n"] for event in own)
    assert next(event for event in collector.events() if event.get("user_id")).get("sequence") is None


def test_numbers_go_on_after_a_restart(collector: Collector, client_of: Clients) -> None:
    for _ in range(3):
        client = client_of(collector.url, collector.key)
        client.track("search", anonymous_id="a")
        client.close(timeout=300)
    assert [event["sequence"] for event in collector.events()] == [0, 1, 2]


def test_when_it_happened_and_when_it_was_sent_are_told(collector: Collector, client_of: Clients) -> None:
    client = client_of(collector.url, collector.key)
    at = dt.datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=dt.UTC)
    client.track("search", anonymous_id="a", occurred_at=at)
    client.track("search", anonymous_id="a")
    assert client.flush(20)
    given, now = collector.events()
    assert given["occurred_at"] == "2026-01-02T03:04:05.678Z"
    assert now["occurred_at"] <= now["sent_at"] <= now["received_at"]


def test_a_full_batch_is_sent_before_its_time(collector: Collector, client_of: Clients) -> None:
    client = client_of(collector.url, collector.key, batch_size=5, flush_interval=3_000)
    for _ in range(5):
        client.track("search", anonymous_id="a")
    until(lambda: client.stats.accepted == 5)


def test_a_large_batch_is_sent_before_its_time(collector: Collector, client_of: Clients) -> None:
    client = client_of(collector.url, collector.key, batch_bytes=10_000, flush_interval=3_000)
    client.track("search", {"query": "x" * 20_000}, anonymous_id="a")
    until(lambda: client.stats.accepted == 1)


def test_what_waits_is_sent_after_the_interval(collector: Collector, client_of: Clients) -> None:
    client = client_of(collector.url, collector.key, flush_interval=0.2)
    client.track("search", anonymous_id="a")
    until(lambda: client.stats.accepted == 1)


def until(is_so: Any) -> None:
    waited = threading.Event()
    for _ in range(3_000):
        if is_so():
            return
        waited.wait(0.01)
    raise AssertionError("it never came to be")


def test_threads_lose_and_double_nothing(collector: Collector, client_of: Clients) -> None:
    client = client_of(collector.url, collector.key)

    def work(worker: int) -> list[str | None]:
        return [client.track("search", {"n": n}, anonymous_id=f"w{worker}") for n in range(100)]

    with ThreadPoolExecutor(8) as threads:
        ids = [event_id for made in threads.map(work, range(8)) for event_id in made]
    assert client.flush(30)
    events = collector.events()
    assert sorted(event["event_id"] for event in events) == sorted(ids)  # type: ignore[type-var]
    for worker in range(8):
        own = [event for event in events if event["anonymous_id"] == f"w{worker}"]
        assert [event["properties"]["n"] for event in own] == list(range(100))


def test_it_works_within_asyncio(collector: Collector, client_of: Clients) -> None:
    client = client_of(collector.url, collector.key)

    async def task(number: int) -> str | None:
        await asyncio.sleep(0)
        return client.track("search", {"n": number}, anonymous_id="a")

    async def main() -> tuple[list[str | None], bool]:
        ids = await asyncio.gather(*(task(number) for number in range(200)))
        return list(ids), await asyncio.to_thread(client.flush, 30)

    ids, flushed = asyncio.run(main())
    assert flushed
    assert [event["event_id"] for event in collector.events()] == ids


def test_in_sync_mode_there_is_no_thread_and_flush_sends(collector: Collector, client_of: Clients) -> None:
    before = threading.active_count()
    client = client_of(collector.url, collector.key, sync=True, batch_size=3)
    client.track("search", anonymous_id="a")
    client.track("search", anonymous_id="a")
    assert client.stats.accepted == 0
    client.track("search", anonymous_id="a")
    assert client.stats.accepted == 3, "a full batch is sent by the call that completes it"
    client.track("search", anonymous_id="a")
    assert client.flush(20)
    assert client.stats.accepted == 4
    assert threading.active_count() <= before + 1  # the collector's own pool may grow


def test_the_end_of_a_with_block_sends(collector: Collector, client_of: Clients) -> None:
    with client_of(collector.url, collector.key, flush_interval=3_000) as client:
        client.track("search", anonymous_id="a")
    assert len(collector.events()) == 1


def test_a_key_that_signs_is_signed_with(collector: Collector, client_of: Clients) -> None:
    key = collector.keys.create("signing", "server", signed=True)
    client = client_of(collector.url, key, signed=True)
    client.track("search", anonymous_id="a")
    assert client.flush(20)
    assert client.stats.accepted == 1


def test_a_rejected_event_is_told_of_and_its_neighbours_go_on(collector: Collector, client_of: Clients) -> None:
    problems: list[Problem] = []
    client = client_of(collector.url, collector.key, on_error=problems.append, sync=True)
    client.track("search", anonymous_id="a")
    broken = client.track("alias", {"previous": "no such property"}, user_id="u")
    client.track("search", anonymous_id="a")
    assert client.flush(20)
    assert (client.stats.accepted, client.stats.rejected) == (2, 1)
    [problem] = problems
    assert (problem.kind, problem.event_id) == ("rejected", broken)
    assert "previous_id" in problem.detail
    assert client.stats.last_problem == problem


def test_an_event_whose_consent_was_refused_is_counted(settings: Settings, tmp_path: Path, client_of: Clients) -> None:
    dropping = load_settings(home=settings.home, consent_refused="drop", collector_ip_rate=0)
    key = WriteKeys.of(dropping).create("backend", "server")
    with serving(dropping, open_stream(dropping)) as http:
        client = client_of(str(http.base_url), key)
        client.track("search", anonymous_id="a", consent={"analytics": False})
        assert client.flush(20)
    assert client.stats.consent_refused == 1


@pytest.mark.slow
def test_a_batch_that_is_too_much_for_the_collector_is_sent_in_parts(
    settings: Settings, tmp_path: Path, client_of: Clients
) -> None:
    stream = open_stream(settings)
    keys = WriteKeys.of(settings)
    with serving(settings, stream, keys, CollectorLimits(events=50)) as http:
        client = client_of(str(http.base_url), keys.create("backend", "server"), batch_size=500, sync=True)
        for number in range(170):
            client.track("search", {"n": number}, anonymous_id="a")
        assert client.flush(60)
    assert client.stats.accepted == 170
    assert [json.loads(line)["properties"]["n"] for line in written(stream)] == list(range(170))


def test_before_send_alters_and_drops(collector: Collector, client_of: Clients) -> None:
    def scrub(event: dict[str, Any]) -> dict[str, Any] | None:
        if event["properties"].get("secret"):
            return None
        event["properties"].pop("email", None)
        event["event_id"] = "another"  # the id is the client's
        return event

    client = client_of(collector.url, collector.key, before_send=scrub)
    kept = client.track("search", {"email": "a@b.example", "n": 1}, anonymous_id="a")
    assert client.track("search", {"secret": True}, anonymous_id="a") is None
    assert client.flush(20)
    [event] = collector.events()
    assert event["properties"] == {"n": 1} and event["event_id"] == kept
    assert client.stats.dropped_by_before_send == 1


def test_a_hook_that_fails_harms_neither_the_application_nor_other_events(
    collector: Collector, client_of: Clients
) -> None:
    def fail(event: dict[str, Any]) -> dict[str, Any]:
        if event["properties"]["n"] == 1:
            raise KeyError("oops")
        return event

    problems: list[Problem] = []
    client = client_of(collector.url, collector.key, before_send=fail, on_error=problems.append)
    for number in range(3):
        client.track("search", {"n": number}, anonymous_id="a")
    assert client.flush(20)
    assert [event["properties"]["n"] for event in collector.events()] == [0, 2]
    assert [problem.kind for problem in problems] == ["before_send"]
    assert [event["sequence"] for event in collector.events()] == [0, 1], "what is dropped leaves no gap"


def test_a_callback_that_fails_harms_nobody(collector: Collector, client_of: Clients) -> None:
    client = client_of(collector.url, collector.key, on_error=lambda _: 1 / 0)
    assert client.track("", anonymous_id="a") is None
    client.track("search", anonymous_id="a")
    assert client.flush(20)
    assert client.stats.invalid == 1 and client.stats.accepted == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.track(None),
        lambda client: client.track("search", anonymous_id="a", context=5),
        lambda client: client.track("search", 5, anonymous_id="a"),
        lambda client: client.track("search"),
        lambda client: client.identify(None),
        lambda client: client.page(object(), anonymous_id="a"),
        lambda client: client.set_consent(analytics="yes"),
        lambda client: client.track("search", {"x": Hostile()}, anonymous_id="a"),
    ],
)
def test_no_argument_makes_a_call_raise(call: Any, client_of: Clients) -> None:
    client = client_of("http://127.0.0.1:9", opt_out=False)
    call(client)


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError("no text of me")


def test_who_opted_out_is_left_alone(collector: Collector, client_of: Clients, tmp_path: Path) -> None:
    off = client_of(collector.url, collector.key, opt_out=True)
    assert off.track("search", anonymous_id="a") is None
    client = client_of(collector.url, collector.key, sync=True)
    client.track("search", anonymous_id="a")
    client.opt_out()
    assert client.stats.queued == 0, "what was not sent is dropped"
    assert client.track("search", anonymous_id="a") is None
    assert client.stats.opted_out == 1
    client.close()
    again = client_of(collector.url, collector.key, sync=True)
    assert again.track("search", anonymous_id="a") is None, "it is kept over a restart"
    again.opt_in()
    again.track("search", anonymous_id="a")
    assert again.flush(20)
    assert len(collector.events()) == 1


def test_an_install_of_one_person_remembers_them(collector: Collector, client_of: Clients) -> None:
    client = client_of(collector.url, collector.key, platform="desktop", sync=True)
    client.track("search")
    client.identify("u")
    client.group("acme")
    client.set_consent(analytics=True, source="settings")
    client.set_consent(marketing=False, text_version="2")
    client.close(timeout=300)
    again = client_of(collector.url, collector.key, platform="desktop", sync=True)
    again.track("search")
    again.reset()
    again.track("search")
    again.close(timeout=300)
    first, identified, joined, _, _, later, other = collector.events()
    assert first["anonymous_id"] == identified["anonymous_id"] == later["anonymous_id"] != other["anonymous_id"]
    assert "user_id" not in first and later["user_id"] == "u" and "user_id" not in other
    assert joined["group_id"] == later["group_id"] == "acme" and not any("group_id" in each for each in (first, other))
    assert later["consent"] == {"analytics": True, "marketing": False, "text_version": "2"} and "consent" not in other


def test_events_name_the_install_that_numbers_them(collector: Collector, client_of: Clients) -> None:
    def installs(**options: Any) -> list[str | None]:
        client = client_of(collector.url, collector.key, sync=True, **options)
        ids = [client.track("search", anonymous_id="a"), client.track("search", user_id="u")]
        client.reset()
        ids.append(client.track("search", anonymous_id="a"))
        client.close(timeout=300)
        install = {event["event_id"]: event.get("install_id") for event in collector.events()}
        return [install[str(event_id)] for event_id in ids]

    first, unnumbered, again = installs()
    assert first == again is not None and unnumbered is None
    assert installs() == [first, None, first], "the file is the same"
    in_memory = [installs(disk=False) for _ in range(2)]
    assert len({first, *(ids[0] for ids in in_memory)}) == 3
    device, shared, other = installs(platform="desktop")
    assert (device, shared) == (first, first) and other not in (first, None), "a new person is not known by it"


def test_debug_prints_what_is_sent_and_the_answer(
    collector: Collector, client_of: Clients, capsys: pytest.CaptureFixture[str]
) -> None:
    client = client_of(collector.url, collector.key, debug=True, sync=True)
    event_id = client.track("search", {"query": "schöne Schuhe"}, anonymous_id="a")
    assert client.flush(20)
    printed = capsys.readouterr().err
    sent = next(line for line in printed.splitlines() if line.startswith("{"))
    assert json.loads(sent)["properties"] == {"query": "schöne Schuhe"}
    assert f'"event_id":"{event_id}","status":"accepted"' in printed and "HTTP 200" in printed


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"endpoint": "events.example.com"}, "endpoint"),
        ({"endpoint": ""}, "endpoint"),
        ({"write_key": ""}, "write_key"),
        ({"write_key": "a\nb"}, "write_key"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 501}, "batch_size"),
        ({"flush_interval": 0}, "flush_interval"),
        ({"queue_bytes": 10}, "queue_bytes"),
        ({"longest_wait": 0.001}, "longest_wait"),
        ({"when_full": "drop"}, "when_full"),
    ],
)
def test_an_option_that_cannot_mean_anything_is_refused_when_the_client_is_made(
    options: dict[str, Any], rule: str, client_of: Clients
) -> None:
    with pytest.raises(ValueError, match=rule):
        client_of(**{"endpoint": "http://127.0.0.1:9", "write_key": "k", **options})


def test_the_quick_start_of_the_documentation_works(collector: Collector, tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "how-to" / "send-from-python.md"
    program = page.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
    for shown, real in (
        ("http://127.0.0.1:8080", collector.url),
        ("ea_…", collector.key),
        ("/var/lib/shop/events.sqlite", str(tmp_path / "events.sqlite")),
    ):
        assert shown in program
        program = program.replace(shown, real)
    names: dict[str, Any] = {}
    exec(program, names)
    names["events"].close(timeout=300)
    assert [event["event"] for event in collector.events()] == ["add_to_cart", "page_view", "identify"]


def test_who_opted_out_is_not_remembered_either(client_of: Clients) -> None:
    client = client_of("http://127.0.0.1:9", platform="desktop", sync=True)
    client.opt_out()
    client.identify("u")
    assert "user_id" not in client._install.person()
