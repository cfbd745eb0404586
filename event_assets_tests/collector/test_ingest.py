"""The API as a client sees it: bodies in, verdicts out, and what is on the stream afterwards."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import httpx
import msgspec
import pytest
import zstandard

from event_assets.collector.validator import Validator
from event_assets.streams import EventStream
from event_assets_tests.collector.serving import event, written

NDJSON = {"content-type": "application/x-ndjson"}


def ids_on(stream: EventStream) -> list[str]:
    return sorted(json.loads(line)["event_id"] for line in written(stream))


def test_one_event_is_on_the_stream_when_it_is_answered_accepted(client: httpx.Client, stream: EventStream) -> None:
    answer = client.post("/v1/events", json=event(1))
    assert answer.status_code == 200
    assert answer.json() == {
        "accepted": 1,
        "rejected": 0,
        "dropped": 0,
        "retry": 0,
        "results": [{"event_id": "e-1", "status": "accepted"}],
    }
    assert ids_on(stream) == ["e-1"]


def test_an_array_gets_a_verdict_for_each_event_in_its_order(client: httpx.Client, stream: EventStream) -> None:
    batch = [event(1), event(2, platform="fridge"), event(3), 17, {"event": "x"}]
    answer = client.post("/v1/events", json=batch)
    assert answer.status_code == 207
    body = answer.json()
    assert (body["accepted"], body["rejected"]) == (2, 3)
    assert [result["status"] for result in body["results"]] == [
        "accepted",
        "rejected",
        "accepted",
        "rejected",
        "rejected",
    ]
    assert [result.get("reason") for result in body["results"]] == [
        None,
        "invalid_value",
        None,
        "not_an_object",
        "missing_field",
    ]
    assert ids_on(stream) == ["e-1", "e-3"]


def test_a_body_whose_events_are_all_rejected_is_a_bad_request(client: httpx.Client, stream: EventStream) -> None:
    answer = client.post("/v1/events", json=[event(1, event="")])
    assert answer.status_code == 400
    assert answer.json()["results"][0] == {
        "event_id": "e-1",
        "status": "rejected",
        "reason": "invalid_value",
        "detail": answer.json()["results"][0]["detail"],
    }
    assert written(stream) == []


def test_lines_of_ndjson_are_judged_one_by_one_even_where_one_is_malformed(
    client: httpx.Client, stream: EventStream
) -> None:
    text = b"\n".join([json.dumps(event(1)).encode(), b'{"event_id": ', b"", json.dumps(event(2)).encode(), b""])
    for headers in (NDJSON, {"content-type": "text/plain"}, {"content-type": "application/json"}):
        answer = client.post("/v1/events", content=text, headers=headers)
        assert answer.status_code == 207
        assert [result.get("reason") for result in answer.json()["results"]] == [None, "malformed_json", None]
    assert ids_on(stream) == ["e-1"] * 3 + ["e-2"] * 3


def test_an_indented_object_is_one_event_and_one_line_on_the_stream(client: httpx.Client, stream: EventStream) -> None:
    answer = client.post("/v1/events", content=json.dumps(event(1), indent=2))
    assert answer.status_code == 200
    assert client.post("/v1/events", content=json.dumps([event(2), event(3)], indent=2)).status_code == 200
    assert ids_on(stream) == ["e-1", "e-2", "e-3"]


def test_a_beacon_is_text_with_its_key_in_the_query(client: httpx.Client, stream: EventStream, key: str) -> None:
    del client.headers["x-write-key"]
    answer = client.post(
        "/v1/events",
        params={"write_key": key},
        content=json.dumps([event(1)]),
        headers={"content-type": "text/plain;charset=UTF-8"},
    )
    assert answer.status_code == 200
    assert ids_on(stream) == ["e-1"]


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", deflated),
        ("zstd", zstandard.compress),
        ("zstd", lambda data: zstandard.compress(data[:100]) + zstandard.compress(data[100:])),
        ("gzip", lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:])),
        ("identity", bytes),
        ("GZIP", gzip.compress),
    ],
)
def test_a_compressed_body_is_unpacked(client: httpx.Client, stream: EventStream, encoding: str, pack: Any) -> None:
    content = pack(json.dumps([event(n) for n in range(20)]).encode())
    answer = client.post("/v1/events", content=content, headers={"content-encoding": encoding})
    assert answer.status_code == 200
    assert len(written(stream)) == 20


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_a_compressed_body_that_is_cut_off_is_a_bad_encoding(client: httpx.Client, encoding: str) -> None:
    packs: dict[str, Any] = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstandard.compress}
    content = packs[encoding](json.dumps([event(n) for n in range(50)]).encode())
    for broken in (content[:-5], content[: len(content) // 2], b"", b"nothing of the kind"):
        answer = client.post("/v1/events", content=broken, headers={"content-encoding": encoding})
        assert answer.status_code == 400
        assert answer.json()["error"] in ("bad_encoding", "empty_body")


def test_curl_may_call_json_a_form_and_a_form_is_no_json(client: httpx.Client, stream: EventStream) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    for content in (json.dumps(event(1)), json.dumps([event(2)]), f" {json.dumps(event(3))}\n{json.dumps(event(4))}"):
        assert client.post("/v1/events", content=content, headers=form).status_code == 200
    answer = client.post("/v1/events", data={"event_id": "e-5", "event": "search"})
    assert (answer.status_code, answer.json()["error"]) == (415, "unsupported_type")
    thief = {**form, "origin": "https://thief.example"}
    assert client.post("/v1/events", content=json.dumps(event(6)), headers=thief).status_code == 403
    assert sorted(json.loads(line)["event_id"] for line in written(stream)) == ["e-1", "e-2", "e-3", "e-4"]


def test_an_unknown_encoding_or_type_is_unsupported(client: httpx.Client) -> None:
    for headers in ({"content-encoding": "br"}, {"content-encoding": "gzip, gzip"}, {"content-type": "text/html"}):
        assert client.post("/v1/events", content=json.dumps(event()), headers=headers).status_code == 415


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "empty_body"), (b" \n ", "empty_body"), (b"[]", "empty_body"), (b'[{"a":1},{', "malformed_json")],
)
def test_a_body_without_events_or_that_cannot_be_cut_is_a_bad_request(
    client: httpx.Client, content: bytes, code: str
) -> None:
    answer = client.post("/v1/events", content=content)
    assert (answer.status_code, answer.json()["error"]) == (400, code)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "malformed_json"),
        (b'"text"', "not_an_object"),
        (b"null", "not_an_object"),
        (json.dumps(event(1, sequence="many")).encode(), "wrong_type"),
        (json.dumps(event(1, sequence=-1)).encode(), "invalid_value"),
        (json.dumps({key: value for key, value in event(1).items() if key != "event_id"}).encode(), "missing_field"),
        (json.dumps(event(1, anonymous_id=None)).encode(), "missing_field"),
        (json.dumps(event(1, occurred_at="yesterday")).encode(), "invalid_value"),
        (json.dumps(event(1, properties={"text": "x" * 70_000})).encode(), "too_large"),
        (json.dumps(event(1, properties={"text": "x" * 33_000})).encode(), "too_large"),
        (json.dumps(event(1, properties={str(n): n for n in range(600)})).encode(), "too_large"),
        (json.dumps(event(1)).replace("shoes", "§").encode("latin-1"), "invalid_utf8"),
        (json.dumps(event(1)).replace("e-1", "§").encode("latin-1"), "invalid_utf8"),
        (json.dumps(event(1, properties=json.loads('{"a":' * 25 + "1" + "}" * 25))).encode(), "too_deep"),
    ],
)
def test_an_event_that_breaks_a_rule_is_rejected_with_its_reason(
    client: httpx.Client, stream: EventStream, line: bytes, reason: str
) -> None:
    answer = client.post("/v1/events", content=line + b"\n" + json.dumps(event(2)).encode(), headers=NDJSON)
    results = answer.json()["results"]
    assert (results[0]["status"], results[0]["reason"]) == ("rejected", reason)
    assert results[1]["status"] == "accepted"
    assert ids_on(stream) == ["e-2"]


def test_more_events_or_bytes_than_allowed_are_too_much(client: httpx.Client, stream: EventStream) -> None:
    answer = client.post("/v1/events", json=[event(n) for n in range(501)])
    assert (answer.status_code, answer.json()["error"]) == (413, "too_many_events")
    answer = client.post("/v1/events", content=b"[" + b" " * 1_100_000 + b"]")
    assert (answer.status_code, answer.json()["error"]) == (413, "body_too_large")
    assert client.post("/v1/events", json=[event(n) for n in range(500)]).status_code == 200
    assert len(written(stream)) == 500


def test_a_body_of_unknown_length_is_counted_while_it_is_read(client: httpx.Client) -> None:
    chunks = (b" " * 65_536 for _ in range(40))
    try:
        status = client.post("/v1/events", content=chunks).status_code
    except httpx.WriteError:  # the collector answered and hung up before everything was sent
        return
    assert status == 413


def test_the_pixel_puts_an_event_on_the_stream_and_answers_with_a_picture(
    client: httpx.Client, stream: EventStream, key: str
) -> None:
    del client.headers["x-write-key"]
    query = {
        "write_key": key,
        "anonymous_id": "a-1",
        "event": "mail_opened",
        "url": "https://x.example/?a=1&b=ü",
        "mail": "May",
    }
    answer = client.get("/v1/pixel.gif", params=query)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
    assert answer.content.startswith(b"GIF89a")
    (line,) = written(stream)
    sent = json.loads(line)
    assert (sent["event"], sent["platform"], sent["properties"]) == ("mail_opened", "web", {"mail": "May"})
    assert sent["page"] == {"url": "https://x.example/?a=1&b=ü"}


def test_a_pixel_without_a_person_is_a_bad_request(client: httpx.Client) -> None:
    answer = client.get("/v1/pixel.gif", params={"event": "mail_opened"})
    assert answer.status_code == 400
    assert answer.json()["results"][0]["reason"] == "missing_field"


def test_unknown_fields_and_the_text_of_properties_reach_the_stream_as_they_were_sent(
    client: httpx.Client, stream: EventStream
) -> None:
    text = json.dumps(event(1))[:-1] + ', "future_field": {"kept": 1.10}, "traits": {"n": 12345678901234567890123}}'
    assert client.post("/v1/events", content=text).status_code == 200
    (line,) = written(stream)
    assert b'"future_field":{"kept": 1.10}' in line
    assert b'"traits":{"n": 12345678901234567890123}' in line


def test_what_is_not_there_is_answered_in_json(client: httpx.Client) -> None:
    assert client.get("/v1/nothing").json()["error"] == "not_found"
    answer = client.get("/v1/events")
    assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")


def test_health_and_readiness_are_answered_without_a_key(client: httpx.Client) -> None:
    del client.headers["x-write-key"]
    assert client.get("/v1/health").json() == {"status": "ok"}
    assert client.get("/v1/ready").json() == {"status": "ready"}


def test_metrics_count_verdicts_by_reason(client: httpx.Client) -> None:
    client.post("/v1/events", json=[event(1), event(2, platform="fridge")])
    text = client.get("/metrics").text
    assert "collector_events_accepted_total 1.0" in text
    assert 'collector_events_rejected_total{protocol="event_assets",reason="invalid_value"} 1.0' in text
    assert "collector_buffer_bytes 0.0" in text


def test_the_document_is_openapi_3_1_and_knows_the_contract(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    example = document["paths"]["/v1/events"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert client.post("/v1/events", json=example["one"]["value"]).status_code == 200
    assert msgspec.json.encode(document)


def test_a_fault_of_the_collectors_own_is_answered_as_such_and_never_as_a_success(
    client: httpx.Client, stream: EventStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: object) -> None:
        raise RuntimeError("a fault of the collector's own")

    monkeypatch.setattr(Validator, "validate", fault)
    answer = client.post("/v1/events", json=event(1))
    assert (answer.status_code, answer.json()["error"]) == (500, "internal_error")
    assert ids_on(stream) == []


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_an_event_with_a_number_that_json_has_not_is_refused_alone(
    client: httpx.Client, stream: EventStream, word: str
) -> None:
    broken = json.dumps(event(2)).replace('"shoes"', word)
    said = json.dumps(event(3, properties={"query": f"a, {word}, b"}))
    answer = client.post("/v1/events", content=f"[{json.dumps(event(1))}, {broken} ,{said}]")
    assert [result["status"] for result in answer.json()["results"]] == ["accepted", "rejected", "accepted"]
    assert answer.json()["results"][1]["reason"] == "malformed_json"
    assert [json.loads(line)["properties"]["query"] for line in written(stream)] == ["shoes", f"a, {word}, b"]


def test_a_byte_order_mark_before_a_body_says_nothing(client: httpx.Client, stream: EventStream) -> None:
    for number, body in enumerate((json.dumps(event(0)), json.dumps([event(1)]), f"{json.dumps(event(2))}\n")):
        assert client.post("/v1/events", content=b"\xef\xbb\xbf" + body.encode()).status_code == 200, number
    assert sorted(json.loads(line)["event_id"] for line in written(stream)) == ["e-0", "e-1", "e-2"]
