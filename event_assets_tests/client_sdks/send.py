"""Sends a few events with another SDK for Python: `python send.py NAME ENDPOINT KEY`.

Runs in an environment of its own (requirements.txt), so that none of these packages is the project's.
"""

# mypy: ignore-errors

from __future__ import annotations

import sys
import time
from collections.abc import Callable

ORDER = {"order_id": "o1", "revenue": 12.5}


def segment(endpoint: str, key: str) -> None:
    import segment.analytics as analytics

    analytics.host, analytics.write_key, analytics.max_retries = endpoint, key, 10
    _calls_of_the_specification(analytics)
    analytics.shutdown()


def rudder(endpoint: str, key: str) -> None:
    import rudderstack.analytics as analytics

    analytics.dataPlaneUrl, analytics.write_key, analytics.max_retries = endpoint, key, 10
    _calls_of_the_specification(analytics)
    analytics.shutdown()


def _calls_of_the_specification(analytics) -> None:
    analytics.identify(user_id="u-1", anonymous_id="a-1", traits={"plan": "pro"})
    page = {"url": "https://shop.example/p/1?utm_source=news&utm_medium=email"}
    analytics.page(user_id="u-1", anonymous_id="a-1", name="P1", properties=page)
    analytics.track(user_id="u-1", anonymous_id="a-1", event="Order Completed", properties=ORDER)
    analytics.group(user_id="u-1", group_id="g-1", traits={"name": "Initech"})
    analytics.screen(user_id="u-1", name="Cart")
    analytics.alias("a-0", "u-1")


def snowplow(endpoint: str, key: str) -> None:
    from snowplow_tracker import Emitter, SelfDescribingJson, StructuredEvent, Subject, Tracker
    from snowplow_tracker.events import PageView, SelfDescribing

    sent: list[object] = []
    protocol, _, host = endpoint.partition("://")
    emitter = Emitter(
        f"{host}/{key}", protocol=protocol, batch_size=1, max_retry_delay_seconds=1, on_success=sent.extend
    )
    subject = Subject().set_user_id("u-1").set_domain_user_id("a-1").set_platform("srv")
    tracker = Tracker("sp", emitters=emitter, subject=subject, app_id="shop")
    tracker.track(PageView("https://shop.example/p/1?utm_source=news&utm_medium=email", "P1"))
    order = SelfDescribingJson("iglu:com.acme/order_completed/jsonschema/1-0-0", ORDER)
    tracker.track(SelfDescribing(order))
    tracker.track(StructuredEvent("shop", "add-to-cart", value=2))
    for _ in range(60):  # what failed is sent again by a thread that does not outlive this one
        if len(sent) < 3:
            tracker.flush()
            time.sleep(1)


def posthog(endpoint: str, key: str) -> None:
    from posthog import Posthog

    client = Posthog(key, host=endpoint, max_retries=10)
    page = {"$current_url": "https://shop.example/p/1?utm_source=news&utm_medium=email", "$session_id": "s-1"}
    client.capture("$pageview", distinct_id="u-1", properties=page)
    client.capture("Order Completed", distinct_id="u-1", properties={**ORDER, "$session_id": "s-1"})
    client.set(distinct_id="u-1", properties={"plan": "pro"})
    client.group_identify("company", "g-1", {"name": "Initech"})
    client.alias("a-1", "u-1")
    client.flush()
    client.shutdown()


def amplitude(endpoint: str, key: str) -> None:
    from amplitude import Amplitude, BaseEvent, EventOptions, Identify

    client = Amplitude(key)
    client.configuration.server_url = f"{endpoint}/2/httpapi"
    client.configuration.flush_max_retries = 20
    who = {"user_id": "u-1", "device_id": "a-1", "session_id": 1764331200000}
    client.track(BaseEvent("Order Completed", event_properties=ORDER, **who))
    client.identify(Identify().set("plan", "pro"), EventOptions(user_id="u-1", device_id="a-1"))
    client.group_identify("company", "g-1", Identify().set("name", "Initech"))
    client.flush()
    client.shutdown()


def mixpanel(endpoint: str, key: str) -> None:
    from mixpanel import Consumer, Mixpanel

    urls = (f"{endpoint}/{path}" for path in ("track", "engage", "groups", "import"))
    events_url, people_url, groups_url, import_url = urls
    consumer = Consumer(events_url, people_url, import_url, groups_url=groups_url, retry_limit=10)
    consumer._session.mount("http://", consumer._session.get_adapter("https://"))  # by itself it tries http once
    client = Mixpanel(key, consumer)
    client.track("u-1", "Order Completed", {**ORDER, "$device_id": "a-1"})
    client.people_set("u-1", {"plan": "pro"})
    client.group_set("company", "g-1", {"name": "Initech"})
    client.import_data(None, "u-1", "Imported", int(time.time()) - 60, api_secret=key)


SENDERS: dict[str, Callable[[str, str], None]] = {
    "segment": segment,
    "rudder": rudder,
    "snowplow": snowplow,
    "posthog": posthog,
    "amplitude": amplitude,
    "mixpanel": mixpanel,
}

if __name__ == "__main__":
    SENDERS[sys.argv[1]](*sys.argv[2:])
