"""Logs of web servers and load balancers: one form for all, and what has another goes on as it came."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from event_assets.importing.logs import Log
from event_assets.importing.reading import Form, read_lines

COMBINED = b"\n".join(
    [
        b'203.0.113.9 - ann [01/Mar/2026:10:00:00 +0100] "GET /shop/shoes?utm_source=mail HTTP/1.1" 200 512 '
        rb'"https://a.example/" "Mozilla/5.0 \"x\""',
        b'203.0.113.9 - - [01/Mar/2026:10:00:01 +0100] "GET /logo.PNG HTTP/2.0" 304 - "-" "-" "more" 0.003',
        rb'2001:db8::1 - - [01/Mar/2026:10:00:02 +0100] "\x16\x03" 400 0 "-" "-"',
        b'203.0.113.9 - - [01/Mar/2026:10:00:03 +0100] "GET / HTTP/1.0" 200 7',
        b"no line of a log",
    ]
)
ALB = (
    b"https 2026-03-01T10:00:00.123456Z app/web/50dc6c495c0c9188 203.0.113.9:46532 10.0.0.1:80 0.001 0.002 0.000 200 "
    b'200 34 366 "GET https://shop.example:443/shoes?a=1 HTTP/1.1" "Mozilla/5.0" ECDHE TLSv1.2 arn:aws:target '
    b'"Root=1-58337281" "shop.example" "arn:aws:acm:c" 1 2026-03-01T09:59:59.9Z "waf,forward" "-" "-" "10.0.0.1:80" '
    b'"200" "-" "-" TID_1\n'
    b"h2 2026-03-01T10:00:01.000000Z app/web/50dc6c495c0c9188 [2001:db8::1]:5 - -1 -1 -1 460 - 0 0 "
    b'"- http://shop.example:80- -" "-" - -\n'
)
CLOUDFRONT = (
    b"#Version: 1.0\n"
    b"#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) "
    b"cs(User-Agent) cs-uri-query x-host-header cs-protocol\n"
    b"2026-03-01\t10:00:00\tFRA2\t99\t203.0.113.9\tGET\td1.cloudfront.net\t/shoes\t200\thttps://a.example/%2520b"
    b"\tMozilla/5.0%20(X11)\ta=1\tshop.example\thttps\n"
    b"2026-03-01\t10:00:01\tFRA2\t0\t203.0.113.9\tGET\td1.cloudfront.net\t/a.js\t200\t-\t-\t-\tshop.example\thttp\n"
    b"cut short\n"
)


def read(folder: Path, data: bytes, log: Log) -> list[Any]:
    file = folder / "access.log"
    file.write_bytes(data.lstrip())
    lines = [line.text for line in read_lines(file, form=Form(log=log))]
    return [json.loads(line) if line.startswith(b"{") else line for line in lines]


def test_combined_logs_of_apache_and_nginx(tmp_path: Path) -> None:
    page, picture, noise, short, other = read(tmp_path, COMBINED, "combined")
    assert page == {
        "ip": "203.0.113.9",
        "user": "ann",
        "time": "01/Mar/2026:10:00:00 +0100",
        "status": "200",
        "bytes": "512",
        "referrer": "https://a.example/",
        "user_agent": 'Mozilla/5.0 \\"x\\"',
        "method": "GET",
        "url": "/shop/shoes?utm_source=mail",
        "protocol": "HTTP/1.1",
        "path": "/shop/shoes",
        "query": "utm_source=mail",
        "extension": "",
    }
    assert (picture["extension"], picture["more"]) == ("png", '"more" 0.003')
    assert not {"referrer", "user_agent", "bytes"} & picture.keys()
    assert noise["request"] == r"\x16\x03" and "method" not in noise
    assert (short["path"], short["bytes"]) == ("/", "7")
    assert other == b"no line of a log"


def test_logs_of_application_load_balancers(tmp_path: Path) -> None:
    page, refused = read(tmp_path, ALB, "alb")
    assert {name: page[name] for name in ("ip", "method", "host", "path", "query", "status", "user_agent", "time")} == {
        "ip": "203.0.113.9",
        "method": "GET",
        "host": "shop.example",
        "path": "/shoes",
        "query": "a=1",
        "status": "200",
        "user_agent": "Mozilla/5.0",
        "time": "2026-03-01T10:00:00.123456Z",
    }
    assert page["url"] == "https://shop.example:443/shoes?a=1" and page["connection"] == "TID_1"
    assert (refused["ip"], refused["status"]) == ("[2001:db8::1]", "460")


def test_standard_logs_of_cloudfront_by_the_names_that_they_give(tmp_path: Path) -> None:
    page, script, cut = read(tmp_path, CLOUDFRONT, "cloudfront")
    assert page["url"] == "https://shop.example/shoes?a=1"
    assert page["user_agent"] == "Mozilla/5.0 (X11)" and page["time"] == "2026-03-01 10:00:00"
    assert page["x-edge-location"] == "FRA2"
    assert (script["url"], script["extension"]) == ("http://shop.example/a.js", "js")
    assert not {"referrer", "user_agent", "query"} & script.keys()
    assert cut == b"cut short"
