"""An app: its config, add-ons and features, its releases one after another, and the dynos of the last good one."""

import random
import secrets
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from stack.compose import CommandError
from stack.heroku.containers import Network
from stack.heroku.dyno import Dyno, command_of, has_curl
from stack.heroku.output import Output

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
    output: Output = field(default_factory=Output)
    ended: threading.Event = field(default_factory=threading.Event)
    id: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def kept(self) -> bool:
        """Heroku has its images, and would go back to it."""
        return self.status == "succeeded" and bool(self.processes)


class App:
    def __init__(self, name: str, stack: str, network: Network) -> None:
        self.name, self.stack, self._network = name, stack, network
        self.generation = "cedar"
        self.domain = f"{name}-{secrets.token_hex(6)}.herokuapp.com"
        self.config: dict[str, str] = {}
        self.addons: list[str] = []  # plans
        self.features: set[str] = set()
        self.quantity = {"web": 1}
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

    def scale(self, kind: str, quantity: int) -> None:
        """More or fewer dynos of what serves; the others stay as they are."""
        with self._one_at_a_time:
            self.quantity[kind] = quantity
            staying = [each for each in self.dynos if each.kind != kind or each.number <= quantity]
            self._retire_all([each for each in self.dynos if each not in staying])
            here = {each.name for each in staying}
            self.dynos = staying + [
                self._start(self.current, kind, name) for name in self._names(kind) if name not in here
            ]

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
                release.output.write(str(error))
                good = False
            self._end(release, "succeeded" if good else "failed")

    def _release_phase(self, release: Release) -> bool:
        """What it says leaves the dyno by the image's own curl; without one it is in the app's logs only."""
        dyno = self._start(release, "release", f"release.{random.randrange(1000, 9999)}")
        limit = threading.Timer(RELEASE_SECONDS, dyno.kill)
        limit.start()
        if has_curl(dyno.image):
            for line in dyno.follow():
                release.output.write(line)
        good = dyno.wait_end(RELEASE_SECONDS) and dyno.exit_code == 0
        limit.cancel()
        dyno.remove()
        return good

    def _replace_dynos(self, release: Release) -> None:
        """Without preboot: the old are told to leave while the new start."""
        kinds = [kind for kind in release.processes if kind != "release"]
        new = [self._start(release, kind, name) for kind in kinds for name in self._names(kind)]
        old, self.dynos = self.dynos, new
        self._retire_all(old)

    def _names(self, kind: str) -> list[str]:
        return [f"{kind}.{number}" for number in range(1, self.quantity.get(kind, 0) + 1)]

    def _start(self, release: Release, kind: str, name: str) -> Dyno:
        process = release.processes[kind]
        config = self.config | (self._metadata(release) if METADATA in self.features else {})
        return Dyno(name, process.image, process.command, config, release.version, self._network)

    def _metadata(self, release: Release) -> dict[str, str]:
        return {"HEROKU_APP_DEFAULT_DOMAIN_NAME": self.domain, "HEROKU_RELEASE_VERSION": f"v{release.version}"}

    def _retire_all(self, dynos: list[Dyno]) -> None:
        for dyno in dynos:
            dyno.leaving = True
            threading.Thread(target=self._retire, args=[dyno], daemon=True).start()

    def _retire(self, dyno: Dyno) -> None:
        with suppress(CommandError):  # at the end of the test its container goes before it has left
            dyno.stop()
            self.retired.append(dyno)

    @staticmethod
    def _end(release: Release, status: str) -> None:
        release.status = status
        release.output.end()
        release.ended.set()
