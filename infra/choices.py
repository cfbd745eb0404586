"""What whoever deploys may choose, as context of CDK (`-c size=small -c edge=lambda`), checked before it is used."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args

from infra.sizes import SIZES, Size, Spark, Warehouse

Edge = Literal["alb", "lambda"]
Retention = Literal["on", "off"]


class ChoiceError(ValueError):
    """A choice cannot be. The message names it, what is wrong, and what can be."""


class Choices(NamedTuple):
    """An installation as it is wanted. `name` begins the stacks' names, so that one account can hold several."""

    size: Size
    edge: Edge
    warehouse: Warehouse
    spark: Spark
    name: str
    certificate: str | None
    domain: str | None
    email: str | None
    retention: Retention
    github: str | None
    github_provider: str | None


MEANINGS = {
    "size": "how large: dev (a trial), small (about 1 M events a day), large (about 1 B); default: dev",
    "edge": "how the ingest API is reached: alb (a load balancer and Fargate) or lambda (an HTTP API); default: lambda",
    "warehouse": "postgres (RDS) or redshift (Serverless); default: by size",
    "spark": "embedded (in each run's task) or cluster (Apache Spark on EC2); default: by size",
    "name": "what the stacks' names begin with; default: EventAssets",
    "certificate": "ARN of a certificate of ACM for the ingest API's name; the edge alb requires it",
    "domain": "the ingest API's own name, such as events.example.com; needs the certificate",
    "email": "who is written to by alarms and by the budget",
    "retention": "whether old days go every night, as event_assets/rules/retention.yaml says: on or off; default: off",
    "github": "the repository whose workflow deploys, as owner/name: makes the role that it takes",
    "github_provider": "ARN of the identity provider of GitHub, where the account has one already",
}
_RULES = {
    "name": (r"[A-Z][A-Za-z0-9]{1,24}", "2 to 25 letters and digits that begin with a capital letter"),
    "certificate": (r"arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/[\w-]+", "the ARN of a certificate of ACM"),
    "domain": (r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}", "a host name, such as events.example.com"),
    "github": (r"[A-Za-z0-9-]{1,39}/[\w.-]{1,100}", "a repository of GitHub, as owner/name"),
    "github_provider": (r"arn:aws[a-z-]*:iam::\d{12}:oidc-provider/[\w./-]+", "the ARN of an identity provider"),
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
    return Choices(
        size=size,
        edge=edge,
        warehouse=_one_of(given, "warehouse", get_args(Warehouse), size.warehouse),
        spark=_one_of(given, "spark", get_args(Spark), size.spark),
        name=given.get("name", "EventAssets"),
        certificate=given.get("certificate"),
        domain=given.get("domain"),
        email=given.get("email"),
        retention=_one_of(given, "retention", get_args(Retention), "off"),
        github=given.get("github"),
        github_provider=given.get("github_provider"),
    )


def _one_of(given: Mapping[str, str], name: str, known: tuple[Any, ...], default: Any) -> Any:
    value = given.get(name, default)
    if value not in known:
        raise ChoiceError(f"{name} is {value!r}: it must be one of {', '.join(known)}")
    return value
