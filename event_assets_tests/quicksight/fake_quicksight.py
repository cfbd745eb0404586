"""QuickSight's API on loopback, as much of it as is called: it keeps what it is given, and records each call.

Requests are routed by AWS's own model and refused where they are not as it says, so that a client cannot send what AWS
would not take. What is made is in progress once before it is there.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from event_assets.quicksight.kinds import KINDS, Kind
from event_assets.quicksight.requests import operation, service_model
from event_assets.quicksight.validation import walk

Json = dict[str, Any]
_NAMES = "|".join(kind.name for kind in KINDS)
_OPERATION = re.compile(rf"(Create|Update|Describe|Delete)({_NAMES})(Permissions|Definition|PublishedVersion)?")
_BY_NAME = {kind.name: kind for kind in KINDS}
_WITH_STATUS = ("DataSource", "Analysis", "Dashboard")


class Refused(Exception):
    """An error of the service."""

    def __init__(self, status: int, code: str, words: str = "") -> None:
        super().__init__(words or code)
        self.status, self.code = status, code


class FakeQuickSight:
    """`things` by kind and id, `calls` in their order. `fails` says what AWS will find wrong with a kind of resource;
    `throttles` how many of the next calls are too many; `ingestion` what becomes of the next reading of SPICE, and
    `ingestions` what became of each, by data set, told in two parts.
    Analyses that are `gone` are described nevertheless. `client` is one of boto3's that calls it."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.things: dict[str, dict[str, Json]] = {kind.name: {} for kind in KINDS}
        self.calls: list[tuple[str, Json]] = []
        self.fails: dict[str, list[Json]] = {}
        self.throttles = 0
        self.gone: set[str] = set()
        self.ingestion: Json = {"IngestionStatus": "COMPLETED"}
        self.ingestions: dict[str, list[Json]] = {}

    def named(self, prefix: str) -> list[str]:
        """The operations called that begin so, with the id of what they were about."""
        return [f"{name} {_id_in(given)}" for name, given in self.calls if name.startswith(prefix)]

    def answer(self, name: str, given: Json) -> Json:
        if self.throttles:
            self.throttles -= 1
            raise Refused(429, "ThrottlingException", "Rate exceeded")
        self.calls.append((name, given))
        if faults := list(walk(operation(name).input_shape, given, name)):
            raise Refused(400, "InvalidParameterValueException", "; ".join(faults))
        if name in ("TagResource", "ListTagsForResource"):
            return self._tags(name, given)
        if name == "ListIngestions":
            begun = enumerate(self.ingestions.get(given["DataSetId"], []))
            listed = [{"Arn": "a", "CreatedTime": number, **each} for number, each in begun]
            return (
                {"Ingestions": listed[::2]} if "NextToken" in given else {"Ingestions": listed[1::2], "NextToken": "n"}
            )
        if name.startswith("List"):
            [kind] = [each for each in KINDS if each.list_operation == name]
            return {kind.listed: [thing["request"] for thing in self.things[kind.name].values()]}
        if name == "CreateIngestion":
            if given["DataSetId"] not in self.things["DataSet"]:
                raise Refused(404, "ResourceNotFoundException", f"{given['DataSetId']} is not there")
            self.ingestions.setdefault(given["DataSetId"], []).append(self.ingestion)
            return {"Arn": "a", "IngestionId": given["IngestionId"], "IngestionStatus": "INITIALIZED"}
        if name == "DescribeIngestion":
            return {"Ingestion": {"Arn": "a", "CreatedTime": 0, **self.ingestion}}
        found = _OPERATION.fullmatch(name)
        assert found is not None, name
        verb, kind, more = found[1], _BY_NAME[found[2]], found[3] or ""
        here = self.things[kind.name]
        id_ = given[kind.id_field]
        if verb == "Create":
            return self._create(kind, id_, given)
        if kind.name == "Analysis" and verb == "Describe" and not more and id_ in self.gone - set(here):
            return {kind.answer: {kind.id_field: id_, "Status": "DELETED"}}
        if id_ not in here:
            raise Refused(404, "ResourceNotFoundException", f"{id_} is not there")
        if verb == "Delete":
            del here[id_]
            self.gone |= {id_} if kind.name == "Analysis" else set()
            return {}
        answers = {"Permissions": self._permissions, "Definition": self._definition, "PublishedVersion": self._publish}
        if more:
            return answers[more](here[id_], given)
        return self._update(kind, here[id_], given) if verb == "Update" else self._describe(kind, here[id_], given)

    def _tags(self, name: str, given: Json) -> Json:
        part, id_ = given["ResourceArn"].split(":", 5)[5].split("/", 1)
        [kind] = [each for each in KINDS if each.arn == part]
        tags = self.things[kind.name][id_]["tags"]
        if name == "TagResource":
            tags.update({tag["Key"]: tag["Value"] for tag in given["Tags"]})
            return {}
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _create(self, kind: Kind, id_: str, given: Json) -> Json:
        if id_ in self.things[kind.name]:
            raise Refused(409, "ResourceExistsException", f"{id_} is there")
        tags = {tag["Key"]: tag["Value"] for tag in given.get("Tags", ())}
        permissions = {each["Principal"]: set(each["Actions"]) for each in given.get("Permissions", ())}
        thing: Json = {"request": dict(given), "tags": tags, "permissions": permissions, "versions": [], "published": 1}
        self.things[kind.name][id_] = thing
        return self._begin(kind, thing, "CREATION")

    def _update(self, kind: Kind, thing: Json, given: Json) -> Json:
        thing["request"] |= given
        return self._begin(kind, thing, "UPDATE" if kind.name != "Dashboard" else "CREATION")

    def _begin(self, kind: Kind, thing: Json, doing: str) -> Json:
        errors = self.fails.pop(kind.name, [])
        version = {"errors": errors, "asked": 0, "doing": doing, "definition": thing["request"].get("Definition")}
        thing["versions"].append(version)
        made: Json = {"VersionArn": f"arn:x/version/{len(thing['versions'])}"} if kind.name == "Dashboard" else {}
        if kind.name == "DataSet" and thing["request"]["ImportMode"] == "SPICE":
            made |= {"IngestionId": "ingestion-1"}
            self.ingestions.setdefault(thing["request"]["DataSetId"], []).append(self.ingestion)
        return made

    def _describe(self, kind: Kind, thing: Json, given: Json) -> Json:
        number = int(given.get("VersionNumber") or thing["published"])
        version = thing["versions"][number - 1 if kind.name == "Dashboard" else -1]
        request = thing["request"]
        if kind.name == "RefreshSchedule":
            return {"RefreshSchedule": request["Schedule"]}
        body = {name: value for name, value in request.items() if name not in ("Credentials", "Tags", "Permissions")}
        if kind.name in _WITH_STATUS:
            version["asked"] += 1
            end = "FAILED" if version["errors"] else "SUCCESSFUL"
            state: Json = {"Status": f"{version['doing']}_{'IN_PROGRESS' if version['asked'] == 1 else end}"}
            if version["errors"] and version["asked"] > 1:
                state |= (
                    {"ErrorInfo": version["errors"][0]} if kind.name == "DataSource" else {"Errors": version["errors"]}
                )
            body |= {"Version": state | {"VersionNumber": number}} if kind.name == "Dashboard" else state
        return {kind.answer: body}

    def _definition(self, thing: Json, given: Json) -> Json:
        number = int(given.get("VersionNumber") or thing["published"])
        version = thing["versions"][number - 1 if "DashboardId" in given else -1]
        return {"Definition": version["definition"], "Name": thing["request"]["Name"]}

    def _publish(self, thing: Json, given: Json) -> Json:
        thing["published"] = int(given["VersionNumber"])
        return {}

    def _permissions(self, thing: Json, given: Json) -> Json:
        have: dict[str, set[str]] = thing["permissions"]
        for each in given.get("GrantPermissions", ()):
            have.setdefault(each["Principal"], set()).update(each["Actions"])
        for each in given.get("RevokePermissions", ()):
            have.setdefault(each["Principal"], set()).difference_update(each["Actions"])
            if not have[each["Principal"]]:
                del have[each["Principal"]]
        return {"Permissions": [{"Principal": who, "Actions": sorted(actions)} for who, actions in have.items()]}


def _id_in(given: Json) -> str:
    return next((given[kind.id_field] for kind in KINDS if kind.id_field in given), "")


def _routes() -> list[tuple[str, re.Pattern[str], str]]:
    made = []
    for name in service_model().operation_names:
        http = operation(name).http
        path = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(http["requestUri"].split("?")[0]))
        made.append((http["method"], re.compile(path), name))
    return made


class _Handler(BaseHTTPRequestHandler):
    fake: FakeQuickSight
    routes = _routes()

    def _handle(self) -> None:
        url = urlsplit(self.path)
        [(name, found)] = [
            (name, match)
            for method, path, name in self.routes
            if method == self.command and (match := path.fullmatch(url.path)) is not None
        ]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        wire = {**dict(parse_qsl(url.query)), **{key: unquote(value) for key, value in found.groupdict().items()}}
        shape = operation(name).input_shape
        names = {member.serialization.get("name", key): (key, member) for key, member in shape.members.items()}
        given: Json = json.loads(body) if body else {}
        for key, value in wire.items():
            field, member = names[key]
            given[field] = int(value) if member.type_name == "long" else value
        try:
            self._reply(200, self.fake.answer(name, given))
        except Refused as fault:
            self._reply(fault.status, {"Message": str(fault)}, fault.code)

    do_GET = do_POST = do_PUT = do_DELETE = _handle  # noqa: N815

    def _reply(self, status: int, answer: Json, code: str = "") -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        if code:
            self.send_header("x-amzn-ErrorType", code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@contextmanager
def serving() -> Iterator[tuple[type[_Handler], str]]:
    """Who answers, by the `fake` that it is given, and the address, while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield _Handler, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
