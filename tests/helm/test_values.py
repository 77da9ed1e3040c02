"""The schema of the values refuses what would install and then fail, or install something unsafe."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import helm_python
import pytest
import yaml

from tests.helm.chart import CHART, render, values

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown name": ({"replicaCount": 3}, "replicaCount"),
    "unknown name inside": ({"image__tagg": "1"}, "tagg"),
    "empty origin": ({"origin": ""}, "origin"),
    "origin with a space": ({"origin": "two words"}, "origin"),
    "no replica": ({"replicas": 0}, "replicas"),
    "replicas as text": ({"replicas": "2"}, "replicas"),
    "two pods on one node's volume": ({"materials__accessMode": "ReadWriteOnce"}, "replicas"),
    "image that moves": ({"image__tag": "latest"}, "tag"),
    "digest of another kind": ({"image__digest": "md5:0123"}, "digest"),
    "port that needs root": ({"port": 443}, "port"),
    "service open on every node": ({"service__type": "NodePort"}, "type"),
    "address range without a length": ({"networkPolicy__clients__cidrs": ["10.0.0.0"]}, "cidrs"),
    "secret without a name": ({"tls__secretName": ""}, "secretName"),
    "password in the collector's address": ({"telemetry__otlpEndpoint": "http://user:word@collector"}, "otlpEndpoint"),
    "password in the authority's address": ({"timestamp__url": "http://user:word@tsa.example"}, "url"),
    "policy by a path": ({"sealing__policyConfigMapName": "/etc/policy.toml"}, "policyConfigMapName"),
    "two schedulers": ({"scheduler__replicas": 2}, "replicas"),
    "year of holidays as text": ({"clocks__holidays__years": ["2027"]}, "years"),
    "two signers": ({"signer__replicas": 2}, "replicas"),
    "signer that never looks": ({"signer__intervalSeconds": 0}, "intervalSeconds"),
    "tiles on a port that needs root": ({"tiles__port": 80}, "port"),
    "settings without a ConfigMap": ({"settings__rulesKey": "rules.yaml"}, "rulesKey"),
    "ConfigMap of settings without a file": ({"settings__configMapName": "readings"}, "settings"),
    "settings in another folder": (
        {"settings__configMapName": "readings", "settings__formsKey": "../tls/tls.key"},
        "formsKey",
    ),
    "size without a unit": ({"materials__size": "100"}, "size"),
    "security context from outside": ({"securityContext": {"runAsUser": 0}}, "securityContext"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_values_when_wrong_are_refused_by_name(case: str) -> None:
    """A wrong value is refused before anything is made, and the message names it."""
    changes, name = REFUSED[case]
    with helm_python.Chart.load(CHART) as chart, pytest.raises(helm_python.HelmValuesError, match=name):
        chart.validate_schema(chart.merge_values(values(**changes)))


def test_values_when_the_origin_is_missing_are_refused() -> None:
    """The name of the ledger can never be changed, so there is no default for it."""
    with helm_python.Chart.load(CHART) as chart, pytest.raises(helm_python.HelmValuesError, match="origin"):
        chart.validate_schema(chart.merge_values({}))


def test_values_when_rendered_with_the_fewest_are_accepted() -> None:
    """One value is enough, so that every refusal above is about its own change."""
    with helm_python.Chart.load(CHART) as chart:
        chart.validate_schema(chart.merge_values(values()))
    assert render()


def test_values_when_listed_are_each_explained() -> None:
    """Every line that names a value has a comment directly above it, or above the group it belongs to."""
    lines = (CHART / "values.yaml").read_text().splitlines()
    free_below = ("resources", "podLabels", "namespaceLabels")
    missing, skipped_indent = [], 99
    for above, line in pairwise(lines):
        named = re.match(r"( *)([A-Za-z]+):", line)
        if not named:
            continue
        indent = len(named[1])
        if indent > skipped_indent:
            continue
        skipped_indent = indent if named[2] in free_below else 99
        if not above.strip().startswith("#"):
            missing.append(line.strip())
    assert missing == []


def test_schema_when_compared_with_the_values_knows_the_same_names() -> None:
    """No value is without a rule and no rule is about a value that does not exist."""

    def names(schema: dict[str, Any], given: Any, path: str) -> None:
        if schema.get("additionalProperties") is not False:
            return
        known = set(schema["properties"]) - {"global"}
        if "cpu" not in known:
            assert known == set(given), path
        for name in known & set(given):
            names(schema["properties"][name], given[name], f"{path}.{name}")

    with helm_python.Chart.load(CHART) as chart:
        schema = chart.schema
    assert schema is not None
    names(schema, yaml.safe_load((CHART / "values.yaml").read_text()), "")
