"""The Helm chart, rendered: what Kubernetes would get is valid, and is what docker-compose.yml says."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import pytest
import yaml
from django.conf import settings

from realtime import limits
from realtime.ending import EXIT_SECONDS

ROOT = Path(__file__).parents[3]
CHART = ROOT / "docker/helm"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
ROLES = ("web", "ws")
OLDEST, NEWEST = "1.27", "1.37"
NOTES = "rooms/templates/NOTES.txt"
FOREIGN = {"HTTPRoute", "ServiceMonitor"}  # whose schemas are not Kubernetes' own

Object = dict[str, Any]

NEEDED: Object = {
    "image": {"repository": "registry.example.org/owner/rooms/app"},
    "hosts": ["rooms.example.org"],
    "database": {"url": "postgres://rooms:word@db.example.org:5432/rooms"},
}
GATEWAY: Object = {"httpRoute": {"enabled": True, "parentRefs": [{"name": "public", "namespace": "gateways"}]}}
SETS: dict[str, Object] = {
    "least": NEEDED,
    "gateway": NEEDED | GATEWAY | {"redis": {"url": "rediss://:word@redis.example.org:6379/0", "connections": 100}},
    "ingress": NEEDED
    | {
        "hosts": ["rooms.example.org", "talk.example.org"],
        "ingress": {
            "enabled": True,
            "className": "any",
            "tls": [{"secretName": "tls", "hosts": ["rooms.example.org"]}],
        },
    },
    "own secret": NEEDED | {"database": {}, "secrets": {"existing": "mine", "env": ["EMAIL_URL"]}},
    "scaled by CPU": NEEDED
    | {"web": {"autoscaling": {"enabled": True}}, "ws": {"autoscaling": {"enabled": True, "max": 12}}},
    "scaled by sockets": NEEDED | {"ws": {"autoscaling": {"enabled": True, "sockets": 5000}}},
    "trial": yaml.safe_load((CHART / "values-trial.yaml").read_text()) | {"image": NEEDED["image"]},
    "everything": NEEDED
    | GATEWAY
    | {
        "database": NEEDED["database"] | {"migrateUrl": "postgres://owner:word@db.example.org:5432/rooms"},
        "imagePullSecrets": [{"name": "registry"}],
        "env": {"ALLOW_GUESTS": "0", "WS_SERVER": "uvicorn"},
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "networkPolicy": {
            "gateway": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "gateways"}}}],
            "metrics": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        },
        "nodeSelector": {"disk": "fast"},
        "tolerations": [{"key": "talk", "operator": "Exists"}],
        "priorityClassName": "high",
        "podAnnotations": {"example.org/team": "talk"},
        "leaving": {"preStopSeconds": 10, "drainSeconds": 25, "graceSeconds": 45},
    },
}


def render(values: Object, *, upgrade: bool = False) -> list[Object]:
    """What nobody may change: each is rendered once."""
    texts = rendered(json.dumps(values), upgrade=upgrade)
    return [
        found
        for name, text in texts.items()
        if name != NOTES
        for found in yaml.load_all(text, yaml.CSafeLoader)
        if found
    ]


@cache
def rendered(values: str, *, upgrade: bool) -> dict[str, str]:
    with helm_python.Chart.load(CHART) as chart:
        chart.validate_schema(json.loads(values))
        return chart.render(
            json.loads(values), name="talk", namespace="people", is_install=not upgrade, is_upgrade=upgrade
        )


@pytest.fixture(params=SETS)
def objects(request: pytest.FixtureRequest) -> list[Object]:
    return render(SETS[request.param])


@pytest.fixture(scope="module")
def least() -> list[Object]:
    return render(NEEDED)


def only(objects: list[Object], kind: str, name: str) -> Object:
    (found,) = (each for each in objects if (each["kind"], each["metadata"]["name"]) == (kind, f"talk-rooms{name}"))
    return found


def pods(objects: list[Object]) -> dict[str, Object]:
    """The specification of each pod, by the name of what makes it."""
    made = {each["metadata"]["name"]: each["spec"] for each in objects if each["kind"] == "Pod"}
    return made | {
        each["metadata"]["name"]: each["spec"]["template"]["spec"]
        for each in objects
        if each["kind"] in {"Deployment", "Job"}
    }


def containers(pod: Object) -> list[Object]:
    return [*pod.get("initContainers", []), *pod["containers"]]


# --- whether it is valid ---


@pytest.mark.parametrize("name", SETS)
def test_nothing_in_it_displeases_helm(name: str) -> None:
    report = helm_python.lint(CHART, SETS[name], strict=True)
    assert report["errors"] == []
    assert [message["error"] for message in report["messages"]] == ["icon is recommended"]


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_knows_every_field_of_it(objects: list[Object], version: str) -> None:
    for each in objects:
        if each["kind"] not in FOREIGN:
            kubernetes_validate.validate(each, version, strict=True)


def test_no_two_objects_have_one_name(objects: list[Object]) -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in objects]
    assert len(set(names)) == len(names)


def test_every_pod_may_run_where_the_restricted_standard_holds(objects: list[Object]) -> None:
    for name, pod in pods(objects).items():
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod), name
        assert pod["automountServiceAccountToken"] is pod["enableServiceLinks"] is False, name
        assert {kind for volume in pod["volumes"] for kind in volume} <= {"name", "emptyDir", "persistentVolumeClaim"}
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert container["resources"]["limits"]["memory"], name


def test_what_is_named_is_there(objects: list[Object]) -> None:
    """Secrets with their keys, services with their pods, pods with their ports, routes with their services."""
    keys = {each["metadata"]["name"]: set(each["stringData"]) for each in objects if each["kind"] == "Secret"}
    for pod in pods(objects).values():
        for container in containers(pod):
            for variable in container.get("env", []):
                if ref := variable.get("valueFrom", {}).get("secretKeyRef"):
                    known = ref["name"] == "mine" or ref["key"] in keys[ref["name"]] or ref.get("optional")
                    assert known, ref
    labelled = [
        (each["spec"]["template"]["metadata"]["labels"], each["spec"]["template"]["spec"])
        for each in objects
        if each["kind"] == "Deployment"
    ]
    for service in (each for each in objects if each["kind"] == "Service"):
        selected = [pod for labels, pod in labelled if service["spec"]["selector"].items() <= labels.items()]
        assert len(selected) == 1, service
        ports = {port["name"] for container in selected[0]["containers"] for port in container["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
    services = {each["metadata"]["name"] for each in objects if each["kind"] == "Service"}
    for route in (each for each in objects if each["kind"] == "HTTPRoute"):
        backends = {(ref["name"], ref["port"]) for rule in route["spec"]["rules"] for ref in rule["backendRefs"]}
        assert backends == {("talk-rooms-web", 8000), ("talk-rooms-ws", 8000)}
        assert {name for name, _ in backends} <= services


def test_what_people_read_after_an_install_names_what_there_is() -> None:
    for values in SETS.values():
        notes = rendered(json.dumps(values), upgrade=False)[NOTES]
        deployments = {name for name in pods(render(values)) if name.endswith(("-web", "-ws"))}
        assert set(re.findall(r"(?:deploy|service)/([\w-]+)", notes)) <= deployments
        assert "helm test --namespace people talk" in notes


# --- whether it is what compose says ---


@pytest.mark.parametrize("role", ROLES)
def test_a_server_is_started_and_asked_as_in_compose(least: list[Object], role: str) -> None:
    (container,) = pods(least)[f"talk-rooms-{role}"]["containers"]
    service = COMPOSE["services"][role]
    check = service["healthcheck"]
    assert container["command"] == service["command"]
    for probe in (container["livenessProbe"], container["startupProbe"]):
        assert ["CMD", *probe["exec"]["command"]] == check["test"]
        assert probe["timeoutSeconds"] == seconds(check["timeout"])
    assert container["livenessProbe"]["periodSeconds"] == seconds(check["interval"])
    assert container["livenessProbe"]["failureThreshold"] == check["retries"]
    starting = container["startupProbe"]
    assert starting["periodSeconds"] * starting["failureThreshold"] == seconds(check["start_period"])
    assert {port["name"]: port["containerPort"] for port in container["ports"]} == {
        "http": settings.PORT,
        "metrics": int(re.findall(r"METRICS_PORT:-(\d+)", (ROOT / "docker-compose.yml").read_text())[0]),
    }


def seconds(written: str) -> int:
    return int(re.fullmatch(r"(\d+)s", written)[1])  # type: ignore[index]


@pytest.mark.parametrize("role", [*ROLES, "migrate"])
def test_it_has_the_memory_the_user_and_the_scratch_room_that_it_has_in_compose(least: list[Object], role: str) -> None:
    pod, service = pods(least)[f"talk-rooms-{role}"], COMPOSE["services"][role]
    (container,) = pod["containers"]
    assert container["command"] == service["command"]
    memory = container["resources"]["limits"]["memory"]
    assert memory.replace("Mi", "m").replace("Gi", "g") == service["deploy"]["resources"]["limits"]["memory"]
    (user,) = re.findall(r"^USER (\d+:\d+)$", (ROOT / "app/Dockerfile").read_text(), re.MULTILINE)
    assert f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" == user
    size = pod["volumes"][0]["emptyDir"]["sizeLimit"].replace("Mi", "m")
    assert service["tmpfs"] == [f"/tmp:size={size},mode=1777"]


def bare() -> set[str]:
    """The variables that compose hands on where somebody sets them."""
    return {name for name in COMPOSE["x-app"]["environment"] if "=" not in name}


def variables(container: Object) -> dict[str, Any]:
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}


def test_every_variable_of_compose_reaches_the_pods_or_is_decided_by_a_value() -> None:
    with helm_python.Chart.load(CHART) as chart:
        free = set((chart.schema or {})["properties"]["env"]["properties"])
    env = variables(pods(render(NEEDED))["talk-rooms-ws"]["containers"][0])
    set_by_compose = {name.partition("=")[0] for name in COMPOSE["x-app"]["environment"] if "=" in name}
    decided = {name for name in set_by_compose if re.fullmatch("[A-Z_]+", name) and not name.endswith("_FILE")}
    assert free == bare() - set(env), "values.schema.json lists under `env` what compose hands on"
    assert set(env) == decided | {"SECRET_KEY", "VAPID_KEY", "DATABASE_URL", "REDIS_URL", "DRAIN_SECONDS"}


def test_files_are_in_a_bucket_or_in_a_claim_that_every_pod_mounts() -> None:
    claimed = pods(render(NEEDED | {"storage": {"claim": "files"}}))
    for role in ("web", "ws"):
        pod = claimed[f"talk-rooms-{role}"]
        assert {"name": "files", "persistentVolumeClaim": {"claimName": "files"}} in pod["volumes"]
        assert {"name": "files", "mountPath": "/files"} in pod["containers"][0]["volumeMounts"]
        assert variables(pod["containers"][0])["STORAGE_URL"] == "file:///files"
    url = "s3://key:secret@s3.example.org/files"
    bucket = render(NEEDED | {"storage": {"url": url}})
    assert only(bucket, "Secret", "-addresses")["stringData"]["STORAGE_URL"] == url
    with pytest.raises(Exception, match="both set"):
        render(NEEDED | {"storage": {"url": url, "claim": "files"}})


def test_who_migrates_alone_knows_the_owner_and_what_there_must_be_room_for() -> None:
    objects = render(SETS["everything"])
    migrate = variables(pods(objects)["talk-rooms-migrate"]["containers"][0])
    own = {name.partition("=")[0].removesuffix("_FILE") for name in COMPOSE["services"]["migrate"]["entrypoint"][1:]}
    assert set(migrate) - set(variables(pods(objects)["talk-rooms-ws"]["containers"][0])) == own
    assert migrate["ALLOW_GUESTS"] == "0"
    most = render(SETS["scaled by CPU"])
    assert variables(pods(most)["talk-rooms-migrate"]["containers"][0])["REPLICAS"] == "12"


def test_the_way_in_is_that_of_nginx() -> None:
    site = (ROOT / "nginx/site.conf").read_text()
    blocks = re.findall(r"location (/\S*) \{(.*?)\n    \}", site, re.DOTALL)
    to_ws = {path.removesuffix("/") for path, block in blocks if "proxy_pass http://ws;" in block}
    route = only(render(SETS["gateway"]), "HTTPRoute", "")["spec"]
    sockets, rest = route["rules"]
    assert {match["path"]["value"] for match in sockets["matches"]} == to_ws == {"/ws", "/topics"}
    assert sockets["backendRefs"][0]["name"] == "talk-rooms-ws"
    assert rest["backendRefs"][0]["name"] == "talk-rooms-web"
    ingress = only(render(SETS["ingress"]), "Ingress", "")["spec"]
    assert [rule["host"] for rule in ingress["rules"]] == SETS["ingress"]["hosts"]
    for rule in ingress["rules"]:
        leads = {path["path"]: path["backend"]["service"]["name"] for path in rule["http"]["paths"]}
        assert leads == {**dict.fromkeys(to_ws, "talk-rooms-ws"), "/": "talk-rooms-web"}


# --- how it is renewed, grows and leaves ---


def test_everybody_leaves_in_order() -> None:
    for values in (NEEDED, SETS["everything"]):
        objects = render(values)
        for role in ROLES:
            pod = pods(objects)[f"talk-rooms-{role}"]
            grace = pod["terminationGracePeriodSeconds"]
            (sleep, before) = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
            drain = int(variables(pod["containers"][0])["DRAIN_SECONDS"])
            assert sleep == "sleep"
            after_the_drain = limits.FLUSH_SECONDS + limits.STOP_SECONDS + limits.END_SECONDS + EXIT_SECONDS
            assert int(before) + drain + after_the_drain < grace
            assert grace - int(before) >= seconds(COMPOSE["x-container"]["stop_grace_period"]) == limits.GRACE_SECONDS


def test_the_new_pods_all_stand_before_an_old_one_leaves(least: list[Object]) -> None:
    """Or whoever comes back could come to one that leaves as well."""
    for role in ROLES:
        strategy = only(least, "Deployment", f"-{role}")["spec"]["strategy"]["rollingUpdate"]
        assert strategy == {"maxUnavailable": 0, "maxSurge": "100%"}
        assert only(least, "PodDisruptionBudget", f"-{role}")["spec"]["maxUnavailable"] == 1


def test_the_migration_runs_before_the_servers_and_asks_first_when_there_are_some() -> None:
    for upgrade in (False, True):
        job = only(render(NEEDED, upgrade=upgrade), "Job", "-migrate")
        assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
        checks = [each["command"] for each in job["spec"]["template"]["spec"].get("initContainers", [])]
        assert checks == ([["python", "manage.py", "check_migrations"]] if upgrade else [])
    secrets = [each["metadata"] for each in render(NEEDED) if each["kind"] == "Secret"]
    assert len(secrets) == 2
    assert all(int(each["annotations"]["helm.sh/hook-weight"]) < 0 for each in secrets), "before the migration"


def test_a_pod_of_sockets_goes_late_and_alone() -> None:
    for name, metric in (("scaled by CPU", "Resource"), ("scaled by sockets", "Pods")):
        objects = render(SETS[name])
        scaler = only(objects, "HorizontalPodAutoscaler", "-ws")["spec"]
        assert [each["type"] for each in scaler["metrics"]] == [metric]
        down = scaler["behavior"]["scaleDown"]
        assert down["stabilizationWindowSeconds"] == 1800
        assert down["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 600}]
        assert "replicas" not in only(objects, "Deployment", "-ws")["spec"], "an upgrade would undo what the scaler did"
    from realtime import metrics

    assert metrics.sockets._name == scaler["metrics"][0]["pods"]["metric"]["name"]


def test_only_the_gateway_and_the_test_reach_the_servers_where_the_gateway_is_named() -> None:
    http, metrics = only(render(SETS["everything"]), "NetworkPolicy", "")["spec"]["ingress"]
    assert http["from"][:-1] == SETS["everything"]["networkPolicy"]["gateway"]
    assert http["from"][-1]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "test"
    assert metrics["from"] == SETS["everything"]["networkPolicy"]["metrics"]


# --- what is refused ---


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "hosts is missing"),
        ({"hosts": ["a.example.org"]}, "database.url is missing"),
        (NEEDED | {"image": {}}, "image.repository is missing"),
        (NEEDED | {"hosts": [".example.org"]}, "hosts"),
        (NEEDED | {"leaving": {"graceSeconds": 34}}, "leaving.graceSeconds is 34"),
        (NEEDED | {"leaving": {"drainSeconds": 26}}, "drainSeconds"),
        (NEEDED | {"httpRoute": {"enabled": True}}, "httpRoute.parentRefs is missing"),
        (NEEDED | {"env": {"ALLOW_GUEST": "0"}}, "ALLOW_GUEST"),
        (NEEDED | {"env": {"PROXY_HOPS": "0"}}, "PROXY_HOPS"),
        (NEEDED | {"env": {"ALLOW_GUESTS": 0}}, "ALLOW_GUESTS"),
        (NEEDED | {"database": {"url": "mysql://a@b/c"}}, "database"),
        (NEEDED | {"replicas": 3}, "replicas"),
        (NEEDED | {"secrets": {"env": ["EMAIL_URL"]}}, "secrets.env names variables of secrets.existing"),
        (NEEDED | {"trial": {"enabled": True}}, "trial.enabled brings a Postgres and a Redis of its own"),
        (SETS["trial"] | {"migrate": {"by": "hook"}}, "trial.enabled needs migrate.by=init"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(values: Object, says: str) -> None:
    with pytest.raises(helm_python.HelmError, match=says):
        render(values)
