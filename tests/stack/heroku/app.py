"""An app: its config, add-ons and features, its releases one after another, and the dynos of the last good one."""

import random
import secrets
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from stack.compose import CommandError
from stack.heroku.containers import Network
from stack.heroku.dyno import Dyno, command_of

RELEASE_SECONDS = 120
METADATA = "runtime-dyno-metadata"


@dataclass
class Process:
    image: str  # the digest of its configuration
    command: str


@dataclass
class Release:
    version: int
    description: str
    processes: dict[str, Process]
    status: str = "pending"
    output: str = ""
    ended: threading.Event = field(default_factory=threading.Event)
    id: str = field(default_factory=lambda: secrets.token_hex(8))


class App:
    def __init__(self, name: str, stack: str, network: Network) -> None:
        self.name, self.stack, self._network = name, stack, network
        self.domain = f"{name}-{secrets.token_hex(6)}.herokuapp.com"
        self.config: dict[str, str] = {}
        self.addons: list[str] = []  # plans
        self.features: set[str] = set()
        self.releases: list[Release] = []
        self.dynos: list[Dyno] = []
        self.retired: list[Dyno] = []
        self._one_at_a_time = threading.Lock()
        self.release("Initial release", {})

    @property
    def current(self) -> Release:
        """The last one that succeeded."""
        return next(each for each in reversed(self.releases) if each.status == "succeeded")

    def set_config(self, changes: Mapping[str, str | None]) -> None:
        merged = self.config | dict(changes)
        self.config = {name: str(value) for name, value in merged.items() if value is not None}
        self.release(f"Set {', '.join(changes)} config vars", self.latest_processes)

    def release_images(self, images: Mapping[str, str], commands: Mapping[str, str] | None = None) -> None:
        """The digests by process. Does nothing where all of them are what is released already."""
        given = commands or {kind: command_of(image) for kind, image in images.items()}
        processes = {kind: Process(image, given[kind]) for kind, image in images.items()}
        if processes != self.current.processes:
            self.release(f"Deployed {' '.join(image[7:19] for image in images.values())}", processes)

    @property
    def latest_processes(self) -> dict[str, Process]:
        return self.current.processes if self.releases else {}

    def release(self, description: str, processes: dict[str, Process]) -> Release:
        release = Release(len(self.releases) + 1, description, processes)
        self.releases.append(release)
        if processes:
            threading.Thread(target=self._carry_out, args=[release], daemon=True).start()
        else:
            self._end(release, "succeeded")
        return release

    def restart(self) -> None:
        """As Heroku does once a day."""
        with self._one_at_a_time:
            self._replace_dynos(self.current)

    def where(self) -> tuple[str, int] | None:
        """The address of a web dyno that is not about to leave."""
        web = [each for each in self.dynos if each.kind == "web" and not each.leaving]
        return random.choice(web).where if web else None

    def _carry_out(self, release: Release) -> None:
        with self._one_at_a_time:
            try:
                good = "release" not in release.processes or self._release_phase(release)
                if good:
                    self._replace_dynos(release)
            except Exception as error:
                release.output += str(error)
                good = False
            self._end(release, "succeeded" if good else "failed")

    def _release_phase(self, release: Release) -> bool:
        dyno = self._start(release, "release", f"release.{random.randrange(1000, 9999)}")
        good = dyno.wait_end(RELEASE_SECONDS) and dyno.exit_code == 0
        release.output = dyno.output()
        dyno.remove()
        return good

    def _replace_dynos(self, release: Release) -> None:
        """Without preboot: the old are told to leave while the new start."""
        old, self.dynos = self.dynos, [self._start(release, kind) for kind in release.processes if kind != "release"]
        for dyno in old:
            dyno.leaving = True
            threading.Thread(target=self._retire, args=[dyno], daemon=True).start()

    def _start(self, release: Release, kind: str, name: str = "") -> Dyno:
        process = release.processes[kind]
        config = self.config | (self._metadata(release) if METADATA in self.features else {})
        return Dyno(name or f"{kind}.1", process.image, process.command, config, release.version, self._network)

    def _metadata(self, release: Release) -> dict[str, str]:
        return {"HEROKU_APP_DEFAULT_DOMAIN_NAME": self.domain, "HEROKU_RELEASE_VERSION": f"v{release.version}"}

    def _retire(self, dyno: Dyno) -> None:
        with suppress(CommandError):  # at the end of the test its container goes before it has left
            dyno.stop()
            self.retired.append(dyno)

    @staticmethod
    def _end(release: Release, status: str) -> None:
        release.status = status
        release.ended.set()
