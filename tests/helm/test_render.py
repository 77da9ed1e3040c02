"""The chart renders valid Kubernetes objects that are restricted by default."""

from __future__ import annotations

from typing import Any

import helm_python
import kubernetes_validate
import pytest

from tests.helm.chart import CHART, default_documents, one, pod_specs, render, values

NAME = "test-fasttrack-gateway"
VARIANTS: dict[str, dict[str, Any]] = {
    "fewest values": {},
    "one replica": {"replicas": 1, "materials__accessMode": "ReadWriteOnce", "materials__storageClassName": "fast"},
    "claim of one's own": {"materials__existingClaim": "records"},
    "telemetry": {"telemetry__otlpEndpoint": "http://collector:4317", "networkPolicy__otlp__cidrs": ["10.1.0.0/16"]},
    "time stamps": {"timestamp__url": "http://tsa.example/tsr", "networkPolicy__timestamp__cidrs": ["198.51.100.0/24"]},
    "time stamps and telemetry": {
        "timestamp__url": "https://tsa.example",
        "telemetry__otlpEndpoint": "http://collector:4317",
    },
    "sealed receipts": {"sealing__policyConfigMapName": "fasttrack-witness-policy"},
    "no scheduler": {"scheduler__enabled": False},
    "scheduler with readings": {
        "clocks__readingsConfigMapName": "readings",
        "clocks__holidays__years": [2027, 2028],
        "telemetry__otlpEndpoint": "http://collector:4317",
    },
    "log": {"signer__enabled": True, "tiles__enabled": True},
    "log, begun, with telemetry": {
        "signer__enabled": True,
        "signer__init": True,
        "signer__state__storageClassName": "fast",
        "tiles__enabled": True,
        "tiles__hashesOnly": False,
        "networkPolicy__tiles__cidrs": ["198.51.100.0/24"],
        "telemetry__otlpEndpoint": "http://collector:4317",
    },
    "log without policies": {"signer__enabled": True, "tiles__enabled": True, "networkPolicy__enabled": False},
    "no policies": {"networkPolicy__enabled": False},
    "settings": {
        "settings__configMapName": "readings",
        "settings__rulesKey": "rules.yaml",
        "settings__schemaVersionsKey": "schemas.toml",
    },
    "everything named": {
        "image__digest": "sha256:" + "a" * 64,
        "image__pullSecrets": ["registry"],
        "service__type": "LoadBalancer",
        "service__annotations": {"example/internal": "true"},
        "networkPolicy__clients__cidrs": ["10.0.0.0/8", "2001:db8::/32"],
        "networkPolicy__postgres__cidrs": ["192.0.2.7/32"],
        "podAnnotations": {"example/team": "gateway"},
        "nodeSelector": {"kubernetes.io/arch": "amd64"},
        "tolerations": [{"key": "dedicated", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
    },
}


PROCESSES = ("timestamp__url", "signer__enabled", "tiles__enabled")
"""Values that run a process beside the gateway."""


@pytest.mark.parametrize("kube_version", ["v1.27.0", "v1.34.0"])
def test_chart_when_linted_strictly_has_no_warning(kube_version: str) -> None:
    """Helm's own linter finds nothing above an information."""
    report = helm_python.lint(CHART, values(), strict=True, kube_version=kube_version)
    assert report["total_charts_linted"] == 1
    assert report["errors"] == []
    assert [message for message in report["messages"] if message["severity"] > 1] == []


@pytest.mark.parametrize("version", ["1.27", "1.30", "1.34"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_documents_when_rendered_are_valid_for_kubernetes(variant: str, version: str) -> None:
    """Every object follows the strict schema of its kind, so no field is misspelt or misplaced."""
    documents = render(**VARIANTS[variant])
    assert documents
    for document in documents:
        kubernetes_validate.validate(document, version, strict=True)


def test_documents_when_rendered_are_the_intended_kinds() -> None:
    """The chart makes exactly these objects; above all, no Secret with a value in it."""
    made = sorted((item["kind"], item["metadata"]["name"].removeprefix(NAME)) for item in default_documents())
    assert made == [
        ("Deployment", ""),
        ("Deployment", "-scheduler"),
        ("Job", "-migrate"),
        ("NetworkPolicy", ""),
        ("NetworkPolicy", "-default-deny"),
        ("NetworkPolicy", "-migrate"),
        ("NetworkPolicy", "-scheduler"),
        ("PersistentVolumeClaim", "-materials"),
        ("PodDisruptionBudget", ""),
        ("Service", ""),
        ("ServiceAccount", ""),
        ("ServiceAccount", "-migrate"),
    ]


@pytest.mark.parametrize("variant", VARIANTS)
def test_pods_when_rendered_are_restricted(variant: str) -> None:
    """No pod runs as root, writes its own image, gains a privilege or holds a token of the cluster."""
    specs = pod_specs(render(**VARIANTS[variant]))
    runs_scheduler = VARIANTS[variant].get("scheduler__enabled", True)
    assert len(specs) == 2 + runs_scheduler + sum(name in VARIANTS[variant] for name in PROCESSES)
    for spec in specs:
        assert spec["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["privileged"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"]
        assert not [volume for volume in spec["volumes"] if "hostPath" in volume]


def test_gateway_when_rendered_reads_secrets_from_files_it_cannot_write() -> None:
    """Keys come from mounted files; the secrets in the environment are the two DSNs, by reference."""
    [container] = one(default_documents(), "Deployment", NAME)["spec"]["template"]["spec"]["containers"]
    writable = {mount["name"] for mount in container["volumeMounts"] if not mount.get("readOnly")}
    assert writable == {"materials", "tmp"}
    referenced = {item["name"] for item in container["env"] if "valueFrom" in item}
    assert referenced == {"FASTTRACK_DATABASE_URL", "FASTTRACK_VAULT_URL"}
    mounted = [mount["mountPath"] for mount in container["volumeMounts"]]
    paths = [item["value"] for item in container["env"] if item.get("value", "").startswith("/")]
    assert len(paths) == 10
    for path in paths:
        assert any(path == folder or path.startswith(f"{folder}/") for folder in mounted), path


@pytest.mark.parametrize(
    ("key", "variable"),
    [
        ("rulesKey", "FASTTRACK_RULE_SETTINGS"),
        ("formsKey", "FASTTRACK_FORM_SETTINGS"),
        ("schemaVersionsKey", "FASTTRACK_SCHEMA_VERSIONS"),
    ],
)
def test_gateway_when_given_settings_reads_the_named_file_and_no_other(key: str, variable: str) -> None:
    """Each setting is a key of the one ConfigMap; without it the variable is not there."""
    documents = render(settings__configMapName="readings", **{f"settings__{key}": "chosen.yaml"})
    spec = one(documents, "Deployment", NAME)["spec"]["template"]["spec"]
    [container] = spec["containers"]
    paths = {item["name"]: item["value"] for item in container["env"] if "/settings/" in item.get("value", "")}
    assert paths == {variable: "/etc/fasttrack/settings/chosen.yaml"}
    [mount] = [mount for mount in container["volumeMounts"] if mount["name"] == "settings"]
    assert (mount["mountPath"], mount["readOnly"]) == ("/etc/fasttrack/settings", True)
    assert {"name": "settings", "configMap": {"name": "readings"}} in spec["volumes"]
    assert "/etc/fasttrack/settings" not in str(default_documents())


def test_gateway_when_a_witness_policy_is_named_reads_it_from_its_file() -> None:
    """Receipts are sealed by the policy of the ConfigMap; a pod whose ConfigMap lacks the file does not start."""
    spec = one(render(sealing__policyConfigMapName="quorum"), "Deployment", NAME)["spec"]["template"]["spec"]
    [container] = spec["containers"]
    environ = {item["name"]: item.get("value") for item in container["env"]}
    assert environ["FASTTRACK_WITNESS_POLICY"] == "/etc/fasttrack/policy/witness-policy.toml"
    [mount] = [mount for mount in container["volumeMounts"] if mount["name"] == "policy"]
    assert mount == {"name": "policy", "mountPath": "/etc/fasttrack/policy", "readOnly": True}
    [volume] = [volume for volume in spec["volumes"] if volume["name"] == "policy"]
    file = "witness-policy.toml"
    assert volume["configMap"] == {"name": "quorum", "items": [{"key": file, "path": file}]}
    assert "FASTTRACK_WITNESS_POLICY" not in str(one(default_documents(), "Deployment", NAME))


def test_gateway_when_probed_uses_its_own_certificate() -> None:
    """All three probes run the health command, since a probe from outside has no client certificate."""
    [container] = one(default_documents(), "Deployment", NAME)["spec"]["template"]["spec"]["containers"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["exec"]["command"] == ["fasttrack", "health"]


def test_migration_when_rendered_runs_before_the_gateway_with_the_owner_of_the_schema() -> None:
    """Only the job holds the role that may change tables, and it brings along what it needs to start."""
    documents = default_documents()
    job = one(documents, "Job", f"{NAME}-migrate")
    container, vault = job["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["migrate"]
    assert vault["args"] == ["vault", "init"]
    assert [item["valueFrom"]["secretKeyRef"]["name"] for item in vault["env"]] == ["fasttrack-vault"]
    [dsn] = [item["valueFrom"]["secretKeyRef"]["name"] for item in container["env"]]
    assert dsn == "fasttrack-database-owner"
    gateway = str(one(documents, "Deployment", NAME))
    assert dsn not in gateway
    weights = {}
    for kind in ("ServiceAccount", "NetworkPolicy", "Job"):
        annotations = one(documents, kind, f"{NAME}-migrate")["metadata"]["annotations"]
        assert annotations["helm.sh/hook"] == "pre-install,pre-upgrade"
        weights[kind] = int(annotations["helm.sh/hook-weight"])
    assert weights["ServiceAccount"] < weights["Job"] > weights["NetworkPolicy"]


def test_deployment_when_the_volume_is_on_one_node_stops_the_old_pod_first() -> None:
    """A rolling update would wait for ever for a volume that the old pod holds."""
    documents = render(replicas=1, materials__accessMode="ReadWriteOnce")
    assert one(documents, "Deployment", NAME)["spec"]["strategy"] == {"type": "Recreate"}


def test_stamper_when_an_authority_is_named_runs_once_with_its_settings() -> None:
    """One pod has the address, the roots and the database, and neither a key nor a material."""
    documents = render(timestamp__url="http://tsa.example/tsr", timestamp__intervalSeconds=5)
    deployment = one(documents, "Deployment", f"{NAME}-stamper")
    assert (deployment["spec"]["replicas"], deployment["spec"]["strategy"]) == (1, {"type": "Recreate"})
    spec = deployment["spec"]["template"]["spec"]
    [container] = spec["containers"]
    assert container["args"] == ["stamper"]
    environ = {item["name"]: item.get("value") for item in container["env"]}
    assert environ == {
        "FASTTRACK_DATABASE_URL": None,
        "FASTTRACK_TSA_URL": "http://tsa.example/tsr",
        "FASTTRACK_TSA_ROOTS": "/etc/fasttrack/tsa/roots.pem",
        "FASTTRACK_TSA_INTERVAL_SECONDS": "5",
    }
    assert [next(iter(volume.keys() - {"name"})) for volume in spec["volumes"]] == ["configMap", "emptyDir"]


def test_signer_when_enabled_runs_once_with_its_own_key_and_memory() -> None:
    """One pod, never two at a time, alone has the key of the log; its claim outlives the release."""
    documents = render(signer__enabled=True)
    deployment = one(documents, "Deployment", f"{NAME}-signer")
    assert (deployment["spec"]["replicas"], deployment["spec"]["strategy"]) == (1, {"type": "Recreate"})
    spec = deployment["spec"]["template"]["spec"]
    [container] = spec["containers"]
    assert container["args"] == ["signer", "--interval", "1"]
    environ = {item["name"]: item.get("value") for item in container["env"]}
    assert environ == {
        "FASTTRACK_DATABASE_URL": None,
        "FASTTRACK_ORIGIN": "fasttrack.example/test",
        "FASTTRACK_SIGNER_KEY": "/etc/fasttrack/signer/log.key",
        "FASTTRACK_SIGNER_STATE": "/var/lib/fasttrack/signer.json",
    }
    assert container["env"][0]["valueFrom"]["secretKeyRef"]["name"] == "fasttrack-signer-database"
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    assert volumes["state"]["persistentVolumeClaim"] == {"claimName": f"{NAME}-signer"}
    claim = one(documents, "PersistentVolumeClaim", f"{NAME}-signer")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    holders = [pod for pod in pod_specs(documents) if "fasttrack-log-key" in str(pod)]
    assert holders == [spec]


def test_signer_when_begun_makes_its_memory_and_otherwise_never() -> None:
    """A signer that would make a new memory by itself would sign a fork."""
    begun = one(render(signer__enabled=True, signer__init=True), "Deployment", f"{NAME}-signer")
    assert begun["spec"]["template"]["spec"]["containers"][0]["args"][-1] == "--init"


def test_tiles_when_enabled_read_as_oversight_and_show_hashes() -> None:
    """The server of tiles has the reader's role and no file; entries are shown only when that is said."""
    documents = render(tiles__enabled=True)
    spec = one(documents, "Deployment", f"{NAME}-tiles")["spec"]["template"]["spec"]
    [container] = spec["containers"]
    assert container["args"] == ["tiles", "--hashes-only"]
    assert container["env"][0]["valueFrom"]["secretKeyRef"]["name"] == "fasttrack-oversight-database"
    assert [volume["name"] for volume in spec["volumes"]] == ["tmp"]
    [port] = one(documents, "Service", f"{NAME}-tiles")["spec"]["ports"]
    assert (port["port"], port["targetPort"], container["ports"][0]["containerPort"]) == (8480, "http", 8480)
    shown = one(render(tiles__enabled=True, tiles__hashesOnly=False), "Deployment", f"{NAME}-tiles")
    assert shown["spec"]["template"]["spec"]["containers"][0]["args"] == ["tiles"]


def test_scheduler_when_rendered_has_no_key_and_counts_by_the_readings_that_are_named() -> None:
    """It appends without receipts, so its only secret is the DSN; readings and years are files it cannot write."""
    spec = one(default_documents(), "Deployment", f"{NAME}-scheduler")["spec"]["template"]["spec"]
    [container] = spec["containers"]
    assert container["args"] == ["scheduler"]
    assert [item["name"] for item in container["env"]] == ["FASTTRACK_DATABASE_URL", "FASTTRACK_ORIGIN"]
    assert container["env"][0]["valueFrom"]["secretKeyRef"]["name"] == "fasttrack-database"
    assert [volume["name"] for volume in spec["volumes"]] == ["tmp"]
    documents = render(clocks__readingsConfigMapName="readings", clocks__holidays__years=[2027])
    [container] = one(documents, "Deployment", f"{NAME}-scheduler")["spec"]["template"]["spec"]["containers"]
    assert {mount["name"] for mount in container["volumeMounts"] if not mount.get("readOnly")} == {"tmp"}


def test_gateway_and_scheduler_count_by_the_same_files() -> None:
    """The same variables name the same mounted ConfigMaps in both, and neither can write them."""
    documents = render(clocks__readingsConfigMapName="readings", clocks__holidays__years=[2027])
    found = []
    for name in (NAME, f"{NAME}-scheduler"):
        spec = one(documents, "Deployment", name)["spec"]["template"]["spec"]
        [container] = spec["containers"]
        named = {item["name"]: item.get("value") for item in container["env"]}
        mounts = [item for item in container["volumeMounts"] if item["name"] in ("clocks", "holidays")]
        volumes = [item for item in spec["volumes"] if item["name"] in ("clocks", "holidays")]
        assert all(item["readOnly"] for item in mounts)
        found.append((named["FASTTRACK_CLOCK_SETTINGS"], named["FASTTRACK_HOLIDAYS_DIR"], mounts, volumes))
    assert found[0] == found[1]
    assert found[0][:2] == ("/etc/fasttrack/clocks/readings.yaml", "/etc/fasttrack/holidays")
    assert found[0][3][1]["configMap"]["items"] == [{"key": "2027.yaml", "path": "2027.yaml"}]
    assert "FASTTRACK_CLOCK_SETTINGS" not in str(default_documents())
