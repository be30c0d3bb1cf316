"""What docker/helm renders really runs: people talk through it, through a crash and through a new version."""

import asyncio
import http.client
import shutil
from collections.abc import Iterator
from typing import Any

import helm_python
import pytest
import yaml

from client import new_room
from ledger import Account, keep
from servers.nginx import Nginx
from servers.postgres import Database
from stack.compose import ROOT, run, until
from stack.conftest import need_engine, unable
from stack.podman import Podman

pytestmark = pytest.mark.nightly  # each commit has tests/unit/docker/test_chart.py

APP = "chart-test-app:latest"
SERVICES = ("postgres:17-trixie", "redis:8-trixie")
CHART = ROOT / "docker/helm"
PORT = 8000

Object = dict[str, Any]


def render(**values: Any) -> list[Object]:
    trial = yaml.safe_load((CHART / "values-trial.yaml").read_text())
    with helm_python.Chart.load(CHART) as chart:
        texts = chart.render(trial | {"hosts": ["127.0.0.1"]} | values, name="rooms", namespace="people")
    texts = {name: text for name, text in texts.items() if not name.endswith("NOTES.txt")}
    return [found for text in texts.values() for found in yaml.safe_load_all(text) if found]


class Cluster:
    """The pods of a release, and nginx in the Gateway's place."""

    def __init__(self, podman: Podman, images: dict[str, str]) -> None:
        self.podman = podman
        self.image = {"repository": images[APP].removesuffix(":latest"), "tag": "latest", "pullPolicy": "Never"}
        postgres, redis = (images[name] for name in SERVICES)
        trial = {"enabled": True, "postgres": {"image": postgres, "storage": "1Gi"}, "redis": {"image": redis}}
        self.values = {"image": self.image, "trial": trial}
        self.objects = render(**self.values)
        self.podman.secrets = {
            each["metadata"]["name"]: each["stringData"] for each in self.objects if each["kind"] == "Secret"
        }
        self.ws = {"rooms-ws": podman.addresses["rooms-ws"], "rooms-ws-2": podman.address()}

    def start(self) -> None:
        for each in self.objects:
            if each["kind"] == "PersistentVolumeClaim":
                self.podman.claim(each)
        for name in ("rooms-postgres", "rooms-redis", "rooms-web"):
            self.podman.play(self.only("Deployment", name))
        for name, address in self.ws.items():
            self.podman.play(self.only("Deployment", "rooms-ws"), name, address)
        for address in (self.podman.addresses["rooms-web"], *self.ws.values()):
            self.ready(address)
        self.nginx = Nginx(web=[self.at("rooms-web")], ws=[f"{address}:{PORT}" for address in self.ws.values()])
        self.nginx.start()

    def only(self, kind: str, name: str, objects: list[Object] | None = None) -> Object:
        named = ((each["kind"], each["metadata"]["name"]) == (kind, name) for each in objects or self.objects)
        (found,) = (each for each, is_it in zip(objects or self.objects, named, strict=True) if is_it)
        return found

    def at(self, service: str) -> str:
        return f"{self.podman.addresses[service]}:{PORT}"

    def ready(self, address: str) -> None:
        """What the readiness probe asks, which podman does not."""
        probe = self.only("Deployment", "rooms-ws")["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]
        until(lambda: status(address, probe["httpGet"]["path"]) == 200, f"{address} being ready", 120)

    @property
    def database(self) -> Database:
        url = self.podman.secrets["rooms-trial"]["DATABASE_URL"]
        return Database(url.replace("rooms-postgres", self.podman.addresses["rooms-postgres"]))

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.nginx.port}"


def status(address: str, path: str) -> int:
    connection = http.client.HTTPConnection(address, PORT, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    need_engine()
    if not shutil.which("podman"):
        unable("podman is missing: tests/setup.sh podman installs it on Debian.")
    run(["docker", "build", "--quiet", "--tag", APP, str(ROOT / "app")])
    podman = Podman(render(image={"repository": "any"}))
    try:
        cluster = Cluster(podman, podman.begin(APP, *SERVICES))
        try:
            cluster.start()
            yield cluster
        finally:
            print(podman.run("ps", "--all"))
            if hasattr(cluster, "nginx"):
                cluster.nginx.stop()
    finally:
        podman.end()


def test_its_own_test_finds_a_page_and_a_sockets_round_trip(cluster: Cluster) -> None:
    podman, test = cluster.podman, cluster.only("Pod", "rooms-test")
    podman.play(test)
    podman.run("wait", "rooms-test-test")
    assert podman.run("logs", "rooms-test-test").splitlines() == ["web: 200", "ws: welcome, pong"]
    podman.run("pod", "rm", "--force", "rooms-test")


async def test_people_talk_on_while_a_pod_crashes_and_is_started_again(cluster: Cluster) -> None:
    async def crash() -> None:
        await asyncio.to_thread(cluster.podman.crash, "rooms-ws-2")
        await asyncio.to_thread(cluster.ready, cluster.ws["rooms-ws-2"])

    await talk_through(cluster, crash)


async def test_people_talk_on_while_a_new_version_takes_over(cluster: Cluster) -> None:
    """The new pods beside the old ones, then those leave, each within what the chart gives it."""
    podman = cluster.podman
    new = cluster.only("Deployment", "rooms-ws", render(**cluster.values, env={"WS_SERVER": "uvicorn"}))
    pod = new["spec"]["template"]["spec"]
    grace = int(pod["terminationGracePeriodSeconds"])
    before = int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][-1])

    async def update() -> None:
        addresses = [await asyncio.to_thread(podman.play, new, f"rooms-new-{number}") for number in (1, 2)]
        for address in addresses:
            await asyncio.to_thread(cluster.ready, address)
        cluster.nginx.lead_to(web=[cluster.at("rooms-web")], ws=[f"{address}:{PORT}" for address in addresses])
        cluster.nginx.reload()
        await asyncio.gather(*(asyncio.to_thread(podman.stop, name, grace - before) for name in cluster.ws))

    account = await talk_through(cluster, update)
    assert account.dials >= 8, "everybody had to come back"


async def talk_through(cluster: Cluster, fault: Any) -> Account:
    account = await keep(4 * [cluster.ws_url], new_room("ledger"), cluster.database, fault)
    print(account)
    assert account.faultless, account
    assert account.acked > 160
    return account
