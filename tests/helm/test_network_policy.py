"""The network policies deny everything and then open exactly what the gateway needs."""

from __future__ import annotations

from typing import Any

from tests.helm.chart import Document, default_documents, one, pod_specs, render

NAME = "test-fasttrack-gateway"


def opened(rules: list[Document]) -> set[int]:
    """Collect the ports that rules open; a rule without ports or peers would open everything."""
    for rule in rules:
        assert rule["ports"]
        assert rule.get("to") or rule.get("from")
    return {port["port"] for rule in rules for port in rule["ports"]}


def test_policy_when_nothing_else_matches_denies_both_directions() -> None:
    """Every pod of the release falls under a policy without a single rule."""
    documents = default_documents()
    spec = one(documents, "NetworkPolicy", f"{NAME}-default-deny")["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in spec
    assert "egress" not in spec
    chosen = spec["podSelector"]["matchLabels"].items()
    assert chosen
    for item in documents:
        if item["kind"] in {"Deployment", "Job"}:
            assert chosen <= item["spec"]["template"]["metadata"]["labels"].items()
    assert len(pod_specs(documents)) == 3


def test_ingress_when_clients_are_named_opens_only_the_grpc_port_for_them() -> None:
    """Callers are pods with the label, and the address ranges given; nobody else, and no other port."""
    documents = render(networkPolicy__clients__cidrs=["10.20.0.0/16"], port=9443)
    [rule] = one(documents, "NetworkPolicy", NAME)["spec"]["ingress"]
    assert rule == {
        "from": [
            {"podSelector": {"matchLabels": {"fasttrack-gateway/client": "true"}}},
            {"ipBlock": {"cidr": "10.20.0.0/16"}},
        ],
        "ports": [{"port": 9443, "protocol": "TCP"}],
    }


def test_ingress_when_no_client_is_named_lets_nobody_in() -> None:
    """An empty list of peers means everybody to Kubernetes, so the rule itself is left out."""
    # A null takes away the default label, since Helm merges maps.
    documents = render(networkPolicy__clients__podLabels={"fasttrack-gateway/client": None})
    assert one(documents, "NetworkPolicy", NAME)["spec"]["ingress"] == []


def test_egress_when_telemetry_is_off_reaches_only_postgres_and_names() -> None:
    """The gateway opens no connection but to its database and the name service."""
    egress = one(default_documents(), "NetworkPolicy", NAME)["spec"]["egress"]
    assert opened(egress) == {5432, 53}


def test_egress_when_telemetry_is_on_reaches_the_collector_too() -> None:
    """The collector's port is opened when something is sent there."""
    documents = render(telemetry__otlpEndpoint="http://collector:4317")
    assert opened(one(documents, "NetworkPolicy", NAME)["spec"]["egress"]) == {5432, 53, 4317}


def test_egress_when_the_database_is_outside_names_its_addresses_only() -> None:
    """A database outside the cluster is reached by its address range."""
    changes: dict[str, Any] = {
        "networkPolicy__postgres__podLabels": {"app.kubernetes.io/name": None},
        "networkPolicy__postgres__cidrs": ["192.0.2.7/32"],
        "networkPolicy__postgres__port": 6432,
    }
    documents = render(**changes)
    for name in (NAME, f"{NAME}-migrate"):
        rule = one(documents, "NetworkPolicy", name)["spec"]["egress"][0]
        assert rule == {
            "to": [{"ipBlock": {"cidr": "192.0.2.7/32"}}],
            "ports": [{"port": 6432, "protocol": "TCP"}],
        }


def test_migration_when_running_is_reachable_by_nobody() -> None:
    """The job that owns the schema listens to no one and reaches only the database and the name service."""
    spec = one(default_documents(), "NetworkPolicy", f"{NAME}-migrate")["spec"]
    assert spec["ingress"] == []
    assert opened(spec["egress"]) == {5432, 53}


def test_stamper_when_running_reaches_the_authority_and_is_reached_by_nobody() -> None:
    """The way out to the authority is open for the stamper alone, and only to the addresses that are named."""
    documents = render(timestamp__url="http://tsa.example/tsr", networkPolicy__timestamp__cidrs=["198.51.100.0/24"])
    spec = one(documents, "NetworkPolicy", f"{NAME}-stamper")["spec"]
    assert spec["ingress"] == []
    assert opened(spec["egress"]) == {5432, 53, 443}
    assert [rule["to"] for rule in spec["egress"] if rule["ports"][0]["port"] == 443] == [
        [{"ipBlock": {"cidr": "198.51.100.0/24"}}]
    ]
    assert opened(one(documents, "NetworkPolicy", NAME)["spec"]["egress"]) == {5432, 53}
    without = one(render(timestamp__url="http://tsa.example/tsr"), "NetworkPolicy", f"{NAME}-stamper")["spec"]
    assert opened(without["egress"]) == {5432, 53}


def test_signer_when_running_reaches_the_database_alone_and_is_reached_by_nobody() -> None:
    """Whoever holds the key of the log talks to as few as possible."""
    spec = one(render(signer__enabled=True), "NetworkPolicy", f"{NAME}-signer")["spec"]
    assert spec["ingress"] == []
    assert opened(spec["egress"]) == {5432, 53}
    assert spec["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "signer"


def test_tiles_when_running_are_open_for_the_named_readers_only() -> None:
    """One port, for the pods and ranges that are named; with none nobody is let in."""
    documents = render(tiles__enabled=True, networkPolicy__tiles__cidrs=["198.51.100.0/24"])
    spec = one(documents, "NetworkPolicy", f"{NAME}-tiles")["spec"]
    assert opened(spec["ingress"]) == {8480} and opened(spec["egress"]) == {5432, 53}
    assert spec["ingress"][0]["from"] == [
        {"podSelector": {"matchLabels": {"fasttrack-gateway/reader": "true"}}},
        {"ipBlock": {"cidr": "198.51.100.0/24"}},
    ]
    closed = render(tiles__enabled=True, networkPolicy__tiles__podLabels={"fasttrack-gateway/reader": None})
    assert one(closed, "NetworkPolicy", f"{NAME}-tiles")["spec"]["ingress"] == []


def test_scheduler_when_running_reaches_the_database_alone_and_is_reached_by_nobody() -> None:
    """Nobody calls it, and it calls nobody but the ledger."""
    spec = one(default_documents(), "NetworkPolicy", f"{NAME}-scheduler")["spec"]
    assert spec["ingress"] == []
    assert opened(spec["egress"]) == {5432, 53}
    assert spec["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "scheduler"
    assert not [item for item in render(scheduler__enabled=False) if "scheduler" in item["metadata"]["name"]]
