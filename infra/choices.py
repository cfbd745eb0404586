"""What whoever deploys may choose, as context of CDK (`-c size=small -c edge=lambda`), checked before it is used."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args

from event_assets.contract.personal_data import wrong_at_collector, wrong_fields
from infra.sizes import SIZES, Size, Spark, Stream, Warehouse

Edge = Literal["alb", "lambda"]
Keys = Literal["secret", "bucket", "table"]
Switch = Literal["on", "off"]
PiiAt = Literal["clean", "collector"]


class ChoiceError(ValueError):
    """A choice cannot be. The message names it, what is wrong, and what can be."""


class SignIn(NamedTuple):
    """How people reach Dagster's pages and the dashboards: names, the certificate of both, and the provider of OpenID
    Connect that knows people (its issuer, our client there, the ARN of the secret with the client's secret), where it
    is not a pool of our own."""

    host: str
    dashboards: str | None
    certificate: str
    issuer: str | None
    client: str | None
    secret: str | None


class Choices(NamedTuple):
    """An installation as it is wanted. `name` begins the stacks' names, so that one account can hold several."""

    size: Size
    edge: Edge
    stream: Stream
    landing_runs: int
    keys: Keys
    warehouse: Warehouse
    spark: Spark
    continuous: Switch
    name: str
    certificate: str | None
    domain: str | None
    email: str | None
    retention: Switch
    simulator: Switch
    quicksight: Switch
    online: Switch
    pii_fields: tuple[str, ...]
    pii_at: PiiAt
    pages: SignIn | None
    github: str | None
    github_provider: str | None


MEANINGS = {
    "size": "how large: dev (a trial), small (about 1 M events a day), large (about 1 B); default: dev",
    "edge": "how the ingest API is reached: alb (a load balancer and Fargate) or lambda (CloudFront and an HTTP API); "
    "default: lambda",
    "stream": "shards (Kinesis, so many as the size says), on-demand (Kinesis, which scales by itself) or kafka "
    "(Amazon MSK; with the edge alb); default: by size",
    "landing_runs": "runs that land the stream side by side, 1 to 16; default: by size",
    "keys": "where write keys are: secret (Secrets Manager; some hundred), bucket (the lake's, beside it) or table "
    "(DynamoDB); default: secret",
    "warehouse": "postgres (RDS) or redshift (Serverless); default: by size",
    "spark": "embedded (in each run's task) or cluster (Apache Spark on EC2); default: by size",
    "continuous": "whether a streaming query of Spark's stays with the stream, which has to have a cluster: on or off; "
    "default: off",
    "name": "what the stacks' names begin with; default: EventAssets",
    "certificate": "ARN of a certificate of ACM for the ingest API's name; the edge alb requires it, the edge lambda "
    "takes one of us-east-1 alone",
    "domain": "the ingest API's own name, such as events.example.com; needs the certificate",
    "email": "who is written to by alarms and by the budget",
    "retention": "whether old days go every night, as event_assets/rules/retention.yaml says: on or off; default: off",
    "quicksight": "whether QuickSight gets a way to the warehouse, which has to be redshift: on or off; default: off",
    "online": "whether front ends can ask who is in which segment: on or off; default: off",
    "simulator": "whether simulated visitors come every hour: on or off; default: off",
    "pii_fields": "what is replaced by pseudonyms, with commas between, such as user_id,traits.email; default: nothing",
    "pii_at": "where: clean, or collector (before the first write, so that nothing has them); default: clean",
    "pages": "the name of Dagster's pages, such as dagster.example.com: people reach them there once they signed in",
    "dashboards": "the name of the dashboards, such as dashboards.example.com: makes their server, behind a sign-in",
    "pages_certificate": "ARN of a certificate of ACM for these names, of the stacks' region",
    "oidc_issuer": "issuer of the OpenID Connect that knows these people; default: a user pool of Cognito's does",
    "oidc_client": "our client's id there",
    "oidc_secret": "ARN of the secret of Secrets Manager that holds the client's secret",
    "github": "the repository whose workflow deploys, as owner/name: makes the role that it takes",
    "github_provider": "ARN of the identity provider of GitHub, where the account has one already",
}
_CERTIFICATE = (r"arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/[\w-]+", "the ARN of a certificate of ACM")
_HOST = (r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}", "a host name, such as events.example.com")
_RULES = {
    "name": (r"[A-Z][A-Za-z0-9]{1,24}", "2 to 25 letters and digits that begin with a capital letter"),
    "certificate": _CERTIFICATE,
    "domain": _HOST,
    "pages": _HOST,
    "dashboards": _HOST,
    "pages_certificate": _CERTIFICATE,
    "oidc_issuer": (r"https://[^\s/]+(/\S*)?", "an address of https"),
    "oidc_client": (r"\S+", "the id of a client"),
    "oidc_secret": (r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+", "the ARN of a secret"),
    "github": (r"[A-Za-z0-9-]{1,39}/[\w.-]{1,100}", "a repository of GitHub, as owner/name"),
    "github_provider": (r"arn:aws[a-z-]*:iam::\d{12}:oidc-provider/[\w./-]+", "the ARN of an identity provider"),
    "landing_runs": (r"[1-9]|1[0-6]", "a number from 1 to 16"),
    "email": (r"[^@\s]+@[^@\s]+\.[^@\s]+", "an address, such as data@example.com"),
}


def choices_of(context: Mapping[str, Any]) -> Choices:
    """The choices that the context makes. Raises `ChoiceError`."""
    given = {name: str(value) for name, value in context.items() if name in MEANINGS and value not in (None, "")}
    for name in context:
        if name not in MEANINGS and (near := difflib.get_close_matches(name, MEANINGS, n=1, cutoff=0.75)):
            raise ChoiceError(f"There is no choice {name!r}; {near[0]} is the nearest: {MEANINGS[near[0]]}")
    for name, (pattern, rule) in _RULES.items():
        if name in given and not re.fullmatch(pattern, given[name]):
            raise ChoiceError(f"{name} is {given[name]!r}: it must be {rule}")
    size = SIZES[_one_of(given, "size", tuple(SIZES), "dev")]
    edge = _one_of(given, "edge", get_args(Edge), "lambda")
    if edge == "alb" and "certificate" not in given:
        raise ChoiceError(
            "certificate is missing: the edge alb serves nothing but HTTPS. Make one for your name in ACM, or choose "
            "edge=lambda, whose address comes with a certificate of AWS's"
        )
    if "domain" in given and "certificate" not in given:
        raise ChoiceError(f"certificate is missing: {given['domain']} needs one of ACM's")
    if edge == "lambda" and ":acm:us-east-1:" not in given.get("certificate", ":acm:us-east-1:"):
        raise ChoiceError(
            "certificate is of another region than us-east-1, where CloudFront looks for it: make one there, or choose "
            "edge=alb"
        )
    stream = _one_of(given, "stream", get_args(Stream), size.stream)
    if stream == "kafka" and edge != "alb":
        raise ChoiceError(
            "stream is 'kafka' and the edge lambda: each of its instances would open connections of its own to every "
            "broker, of which IAM lets in few a second. Choose edge=alb"
        )
    spark = _one_of(given, "spark", get_args(Spark), size.spark)
    continuous = _one_of(given, "continuous", get_args(Switch), "off")
    if continuous == "on" and spark != "cluster":
        raise ChoiceError(f"continuous is 'on' and spark {spark}: a streaming query needs Apache Spark, spark=cluster")
    pii_fields, pii_at = _pseudonyms(given)
    warehouse = _one_of(given, "warehouse", get_args(Warehouse), size.warehouse)
    quicksight = _one_of(given, "quicksight", get_args(Switch), "off")
    if quicksight == "on" and warehouse != "redshift":
        raise ChoiceError(f"quicksight is 'on' and the warehouse {warehouse}: its dashboards are over redshift")
    return Choices(
        size=size,
        edge=edge,
        stream=stream,
        landing_runs=int(given.get("landing_runs", size.landing_runs)),
        keys=_one_of(given, "keys", get_args(Keys), "secret"),
        warehouse=warehouse,
        spark=spark,
        continuous=continuous,
        name=given.get("name", "EventAssets"),
        certificate=given.get("certificate"),
        domain=given.get("domain"),
        email=given.get("email"),
        retention=_one_of(given, "retention", get_args(Switch), "off"),
        quicksight=quicksight,
        online=_one_of(given, "online", get_args(Switch), "off"),
        simulator=_one_of(given, "simulator", get_args(Switch), "off"),
        pii_fields=pii_fields,
        pii_at=pii_at,
        pages=_pages(given),
        github=given.get("github"),
        github_provider=given.get("github_provider"),
    )


def _pages(given: Mapping[str, str]) -> SignIn | None:
    oidc = [given.get(f"oidc_{name}") for name in ("issuer", "client", "secret")]
    if any(oidc) and not all(oidc):
        raise ChoiceError("oidc_issuer, oidc_client and oidc_secret go together: one of them is missing")
    if "pages" not in given:
        if any(oidc) or {"pages_certificate", "dashboards"} & given.keys():
            raise ChoiceError("pages is missing: the name under which people reach Dagster's pages")
        return None
    if "pages_certificate" not in given:
        raise ChoiceError(f"pages_certificate is missing: {given['pages']} needs one of ACM's")
    return SignIn(given["pages"], given.get("dashboards"), given["pages_certificate"], *oidc)


def _pseudonyms(given: Mapping[str, str]) -> tuple[tuple[str, ...], PiiAt]:
    fields = tuple(name for each in given.get("pii_fields", "").split(",") if (name := each.strip()))
    where: PiiAt = _one_of(given, "pii_at", get_args(PiiAt), "clean")
    if where == "collector" and not fields:
        raise ChoiceError("pii_fields is missing: pii_at is 'collector', and no field is named")
    wrong = [*wrong_fields(fields), *(wrong_at_collector(fields) if where == "collector" else ())]
    if wrong:
        raise ChoiceError(f"pii_fields is {given['pii_fields']!r}: {'; '.join(wrong)}")
    return fields, where


def _one_of(given: Mapping[str, str], name: str, known: tuple[Any, ...], default: Any) -> Any:
    value = given.get(name, default)
    if value not in known:
        raise ChoiceError(f"{name} is {value!r}: it must be one of {', '.join(known)}")
    return value
