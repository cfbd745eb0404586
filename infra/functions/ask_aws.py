"""Tells CloudFormation what AWS answers to a question that a template cannot ask.

The file is in the template as it is: it needs nothing but what Lambda's Python has.
"""

import json
import urllib.request
from functools import reduce
from typing import Any

import botocore.session


def handler(event: dict[str, Any], context: Any) -> None:
    """Answers CloudFormation: with the value as `Value`, or with what went wrong. What is deleted needs no value."""
    answer: dict[str, Any] = {"Status": "SUCCESS", "Data": {}}
    try:
        if event["RequestType"] != "Delete":
            asked = event["ResourceProperties"]
            client = botocore.session.get_session().create_client(asked["Service"], region_name=asked["Region"])
            found = getattr(client, asked["Operation"])(**asked["Arguments"])
            answer["Data"] = {"Value": reduce(lambda inside, name: inside[name], asked["Path"].split("."), found)}
    except Exception as error:
        answer = {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"}
    known = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    told = {**answer, **known, "PhysicalResourceId": event.get("PhysicalResourceId", event["LogicalResourceId"])}
    body = json.dumps(told).encode()
    request = urllib.request.Request(event["ResponseURL"], body, {"Content-Type": ""}, method="PUT")
    urllib.request.urlopen(request, timeout=30).close()
