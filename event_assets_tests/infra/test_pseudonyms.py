"""Pseudonyms of the stacks: who has the key of them, by what was chosen, and nobody else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from event_assets_tests.infra.templates import VARIANTS, Resource, Synthesised, statements

pytestmark = pytest.mark.slow

SECRETS = {"EVENT_ASSETS_PII_KEY": "PiiKey", "EVENT_ASSETS_PRIVACY_KEY": "PrivacyKey"}


def keys_of(made: Synthesised) -> dict[str, set[str]]:
    """Which of the platform's own keys each container and function gets, by what it is."""
    found: dict[str, set[str]] = {}
    for task in made.resources("AWS::ECS::TaskDefinition"):
        (container,) = task.properties["ContainerDefinitions"]
        given = {each["Name"]: json.dumps(each["ValueFrom"]) for each in container.get("Secrets", ())}
        found[task.name.partition("Task")[0]] = {name for name in SECRETS if SECRETS[name] in given.get(name, "")}
    for function in made.resources("AWS::Lambda::Function"):
        variables = function.properties.get("Environment", {}).get("Variables", {})
        named = {name: json.dumps(variables.get(f"{name}_SECRET", "")) for name in SECRETS}
        found[kind_of(function)] = {name for name in SECRETS if SECRETS[name] in named[name]}
    return found


def kind_of(function: Resource) -> str:
    kinds = ("Collector", "Retention", "Simulator", "Rotation", "ReadsFirewall", "ReadsBrokers")
    return next(kind for kind in kinds if function.name.startswith(kind))


def settings_of(made: Synthesised, kind: str) -> dict[str, Any]:
    """The environment of one of them."""
    for task in made.resources("AWS::ECS::TaskDefinition"):
        if task.name.startswith(f"{kind}Task"):
            (container,) = task.properties["ContainerDefinitions"]
            return {each["Name"]: each["Value"] for each in container["Environment"]}
    (function,) = (each for each in made.resources("AWS::Lambda::Function") if kind_of(each) == kind)
    return dict(function.properties["Environment"]["Variables"])


def makes_them(chosen: Mapping[str, str]) -> bool:
    """Whether the ingest API does: for events, or for who asks for a person by an id that tables have not."""
    return "pii_fields" in chosen and ("pii_at" in chosen or "online" in chosen)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_key_is_given_to_who_makes_pseudonyms_alone(variant: str, variants: dict[str, Synthesised]) -> None:
    pii, privacy = SECRETS
    chosen = VARIANTS[variant]
    works = {privacy} | ({pii} if "pii_fields" in chosen else set())
    expected = dict.fromkeys(("Run", "Code", "Retention"), works)
    expected |= {"Daemon": set(), "Webserver": set()}
    if "dashboards" in chosen:
        expected["Dashboards"] = {privacy}  # the log of who did what is kept by it
    if "continuous" in chosen:
        expected["Continuous"] = works
    expected["Collector"] = {pii} if makes_them(chosen) else set()
    found = keys_of(variants[variant])
    assert {kind: keys for kind, keys in found.items() if kind in expected} == expected
    assert not any(keys for kind, keys in found.items() if kind not in expected)


@pytest.mark.parametrize("variant", [name for name, chosen in VARIANTS.items() if "pii_fields" in chosen])
def test_fields_and_place_are_said_to_who_has_the_key(variant: str, variants: dict[str, Synthesised]) -> None:
    chosen = VARIANTS[variant]
    for kind in ("Run", "Code", "Retention", *(["Collector"] if makes_them(chosen) else [])):
        settings = settings_of(variants[variant], kind)
        assert settings["EVENT_ASSETS_PII_FIELDS"] == chosen["pii_fields"], kind
        assert settings["EVENT_ASSETS_PII_AT"] == chosen.get("pii_at", "clean"), kind
        assert not any(name in settings for name in SECRETS), kind


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_role_reads_a_key_that_its_component_is_not_given(variant: str, variants: dict[str, Synthesised]) -> None:
    made = variants[variant]
    given = keys_of(made)
    roles: dict[str, list[str]] = {}
    for owner, lines in statements(made).items():  # what is AWS's own of a role stands beside what is ours
        roles.setdefault(owner.partition("/")[2].strip("{}"), []).extend(lines)
    for role, lines in roles.items():
        kind = next((each for each in given if role.startswith(each)), None)
        for variable, secret in SECRETS.items():
            reads = any("secretsmanager:GetSecretValue" in line and secret in line for line in lines)
            has = kind is not None and variable in given[kind] and ("Execution" in role or kind_is_function(made, kind))
            assert reads == has, (role, secret)


def kind_is_function(made: Synthesised, kind: str) -> bool:
    return any(kind_of(each) == kind for each in made.resources("AWS::Lambda::Function"))


@pytest.mark.parametrize("variant", VARIANTS)
def test_keys_are_made_whatever_is_chosen_and_outlive_their_stack(
    variant: str, variants: dict[str, Synthesised]
) -> None:
    (data,) = (stack for name, stack in variants[variant].stacks.items() if name.endswith("Data"))
    kept = {
        name: resource
        for name, resource in data["Resources"].items()
        if resource["Type"] == "AWS::SecretsManager::Secret" and name.startswith(tuple(SECRETS.values()))
    }
    assert len(kept) == len(SECRETS)
    for resource in kept.values():
        assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"
        assert resource["Properties"]["GenerateSecretString"]["PasswordLength"] >= 32
