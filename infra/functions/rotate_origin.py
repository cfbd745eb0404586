"""Changes the secret that CloudFront says to the ingest API, as Secrets Manager asks for it: in steps, each of which
may be done again.

The API takes the next one as soon as it is made, and the one before until the next change. The file is in the template
as it is: it needs nothing but what Lambda's Python has.
"""

import datetime
import os
import secrets
import time
from typing import Any

import botocore.session

KNOWN_SECONDS = 60
"""After which every function knows the next secret."""
LOOK_SECONDS = 10


def handler(event: dict[str, Any], context: Any) -> None:
    """Does one step."""
    STEPS[event["Step"]](_client("secretsmanager"), event["SecretId"], event["ClientRequestToken"])


def _client(service: str) -> Any:
    return botocore.session.get_session().create_client(service)


def _pending(vault: Any, secret: str, token: str) -> dict[str, Any]:
    return dict(vault.get_secret_value(SecretId=secret, VersionId=token, VersionStage="AWSPENDING"))


def _create(vault: Any, secret: str, token: str) -> None:
    try:
        _pending(vault, secret, token)
    except vault.exceptions.ResourceNotFoundException:
        text = secrets.token_hex(24)
        vault.put_secret_value(
            SecretId=secret, ClientRequestToken=token, SecretString=text, VersionStages=["AWSPENDING"]
        )


def _set(vault: Any, secret: str, token: str) -> None:
    pending = _pending(vault, secret, token)
    known_at = pending["CreatedDate"] + datetime.timedelta(seconds=KNOWN_SECONDS)
    time.sleep(max(0.0, (known_at - datetime.datetime.now(datetime.UTC)).total_seconds()))
    cloudfront = _client("cloudfront")
    found = cloudfront.get_distribution_config(Id=os.environ["DISTRIBUTION"])
    for header in _headers(found["DistributionConfig"]):
        header["HeaderValue"] = pending["SecretString"]
    cloudfront.update_distribution(
        Id=os.environ["DISTRIBUTION"], IfMatch=found["ETag"], DistributionConfig=found["DistributionConfig"]
    )


def _test(vault: Any, secret: str, token: str) -> None:
    """Waits until CloudFront says it everywhere. Lambda ends what takes too long, and it is asked for again."""
    cloudfront, text = _client("cloudfront"), _pending(vault, secret, token)["SecretString"]
    while (found := cloudfront.get_distribution(Id=os.environ["DISTRIBUTION"])["Distribution"])["Status"] != "Deployed":
        time.sleep(LOOK_SECONDS)
    assert [header["HeaderValue"] for header in _headers(found["DistributionConfig"])] == [text]


def _finish(vault: Any, secret: str, token: str) -> None:
    stages = vault.describe_secret(SecretId=secret)["VersionIdsToStages"]
    (current,) = (version for version, names in stages.items() if "AWSCURRENT" in names)
    if current != token:
        vault.update_secret_version_stage(
            SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current
        )


def _headers(config: dict[str, Any]) -> list[dict[str, str]]:
    origins = config["Origins"]["Items"]
    headers = [header for origin in origins for header in origin["CustomHeaders"].get("Items", ())]
    return [header for header in headers if header["HeaderName"].lower() == os.environ["HEADER"].lower()]


STEPS = {"createSecret": _create, "setSecret": _set, "testSecret": _test, "finishSecret": _finish}
