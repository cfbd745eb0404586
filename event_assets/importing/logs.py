"""Lines of web servers' and load balancers' logs as JSON objects of the same fields.

`time`, `ip`, `method`, `url`, `host`, `path`, `query`, `extension` (of the path's last part; empty where it has none),
`status`, `referrer`, `user_agent`; what else a log says keeps its own name. All are text; what a log marks as not there
is left out. A line of another form goes on as it came.

Forms: the combined format of Apache and nginx, access logs of AWS's Application Load Balancers, standard logs of
CloudFront, as their makers document them.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import msgspec

Log = Literal["combined", "alb", "cloudfront"]
Fields = dict[str, str | None]

_NOTHING = "-"
_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_COMBINED = re.compile(
    rf"(\S+) (\S+) (.*?) \[([^\]]+)\] {_QUOTED} (\d{{3}}) (\d+|-)(?: {_QUOTED} {_QUOTED})?(?: (.*))?", re.DOTALL
)
_COMBINED_NAMES = ("ip", "ident", "user", "time", "request", "status", "bytes", "referrer", "user_agent", "more")
_ALB_CELL = re.compile(rf"{_QUOTED}|(\S+)")
_ALB_NAMES = (
    *("type", "time", "load_balancer", "client", "target", "request_seconds", "target_seconds", "response_seconds"),
    *("status", "target_status", "received_bytes", "bytes", "request", "user_agent", "ssl_cipher", "ssl_protocol"),
    *("target_group", "trace_id", "domain", "certificate", "rule_priority", "created_at", "actions", "redirect_url"),
    *("error_reason", "targets", "target_statuses", "classification", "classification_reason", "connection"),
)
_ALB_FEWEST = 14
_CLOUDFRONT_NAMES = {
    "c-ip": "ip",
    "cs-method": "method",
    "cs(Host)": "distribution",
    "cs-uri-stem": "path",
    "cs-uri-query": "query",
    "sc-status": "status",
    "sc-bytes": "bytes",
    "cs(Referer)": "referrer",
    "cs(User-Agent)": "user_agent",
    "x-host-header": "host",
    "cs-protocol": "scheme",
}
_FIELDS = b"#Fields:"


def log_lines(text: io.BufferedIOBase, lines: Callable[[Any], Iterator[bytes]], log: Log) -> Iterator[bytes]:
    """Each line of a log, read by `lines`; remarks of the log about itself are blank."""
    read = _readers()[log]
    for line in lines(text):
        yield read(line) if line else line


def _readers() -> Mapping[Log, Callable[[bytes], bytes]]:
    cloudfront = _CloudFront()
    return {"combined": _reader(_combined), "alb": _reader(_alb), "cloudfront": cloudfront.read}


def _reader(fields_of: Callable[[str], Fields | None]) -> Callable[[bytes], bytes]:
    def read(line: bytes) -> bytes:
        try:
            fields = fields_of(line.decode())
        except ValueError:
            return line
        return line if fields is None else _json(fields)

    return read


def _json(fields: Fields) -> bytes:
    there = {name: value for name, value in fields.items() if value is not None and value != _NOTHING}
    last = (there.get("path") or "").rpartition("/")[2]
    there["extension"] = last.rpartition(".")[2].lower() if "." in last else ""
    return msgspec.json.encode(there)


def _combined(line: str) -> Fields | None:
    found = _COMBINED.fullmatch(line)
    if found is None:
        return None
    fields: Fields = dict(zip(_COMBINED_NAMES, found.groups(), strict=True))
    return fields | _request(fields.pop("request") or "")


def _alb(line: str) -> Fields | None:
    cells = [quoted or bare for quoted, bare in _ALB_CELL.findall(line)]
    if len(cells) < _ALB_FEWEST:
        return None
    fields: Fields = dict(zip(_ALB_NAMES, cells, strict=False))
    return fields | _request(fields.pop("request") or "") | {"ip": (fields.pop("client") or "").rpartition(":")[0]}


def _request(request: str) -> Fields:
    """What the first line of a request says; all of it as `request` where it is none."""
    method, _, rest = request.partition(" ")
    url, _, protocol = rest.rpartition(" ")
    if not url:
        return {"request": request}
    parts = urlsplit(url)
    return {
        "method": method,
        "url": url,
        "protocol": protocol,
        "host": parts.hostname,
        "path": parts.path or "/",
        "query": parts.query or None,
    }


class _CloudFront:
    """Reads lines by the names that the log's own remark gives."""

    def __init__(self) -> None:
        self._names: list[str] = []

    def read(self, line: bytes) -> bytes:
        if line.startswith(b"#"):
            if line.startswith(_FIELDS):
                self._names = [_CLOUDFRONT_NAMES.get(name, name) for name in line[len(_FIELDS) :].decode().split()]
            return b""
        try:
            cells = line.decode().split("\t")
        except UnicodeDecodeError:
            return line
        if len(cells) != len(self._names):
            return line
        fields: Fields = dict(zip(self._names, cells, strict=True))
        fields["time"] = f"{fields.pop('date', '')} {fields.get('time', '')}"
        for name in ("user_agent", "referrer"):
            fields[name] = unquote(fields.get(name) or _NOTHING)
        query = fields.get("query") or _NOTHING
        address = f"{fields.get('scheme', 'https')}://{fields.get('host')}{fields.get('path')}"
        return _json(fields | {"url": address if query == _NOTHING else f"{address}?{query}"})
