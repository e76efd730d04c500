"""The recipe for a container: built from its Dockerfile, and run as containers are run.

The base is one of Debian, made here: no registry of images is asked.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from docs.generate.recipes import FLEET_FOLDER, FOLDER
from tests.system.harness import invariants, sheets
from tests.system.harness.api import KEY, Api, wait_for
from tests.system.harness.home import accepted, night_of, working_folder
from tests.system.harness.product import LIMIT_S, ROOT, environment

pytestmark = pytest.mark.long

NEEDED = ("buildah", "crun", "debootstrap", "unshare")
CERTIFICATES = "/etc/ssl/certs"
WITHOUT_CGROUPS = (
    "mount --make-rprivate / && (umount -R -l /sys/fs/cgroup || true) 2>/dev/null && "
    'mount -t tmpfs none /sys/fs/cgroup && exec "$@"'
)
"""The runtime does not take every mixture of them, and none is needed here."""


def call(*words: str | Path, limit_s: float = 900) -> str:
    """Return what a program prints; a failure shows all that it said."""
    ended = subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, timeout=limit_s, check=False
    )
    assert ended.returncode == 0, f"{words}:\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


@dataclass(frozen=True)
class Image:
    """The image, unpacked, and what it says of itself."""

    tree: Path
    config: dict[str, Any]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """The Dockerfile, built on a Debian of its own in place of python:3.13-slim."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"an image takes root and {', '.join(missing or NEEDED)}: see .ci/recipes")
    folder = tmp_path_factory.mktemp("image")
    parts = "python3,python3-venv,ca-certificates"
    call("debootstrap", "--variant=minbase", f"--include={parts}", "bookworm", folder / "base")
    places = ("--root", folder / "store", "--runroot", folder / "run", "--storage-driver", "vfs")
    base = "localhost/python"
    call("buildah", *places, "from", "--name", "base", "scratch")
    call("buildah", *places, "add", "--quiet", "base", folder / "base", "/")
    call("buildah", *places, "commit", "--quiet", "base", base)
    options = ["--isolation", "chroot", "--network", "host", "--pull-never", "--format", "docker"]
    if Path(CERTIFICATES).is_dir():  # of the package index, if it has its own
        options += ["--volume", f"{CERTIFICATES}:{CERTIFICATES}:ro"]
    options += ["--ignorefile", str(FOLDER / "Dockerfile.dockerignore")]
    options += ["--build-arg", f"PYTHON={base}", "--file", str(FOLDER / "Dockerfile")]
    call("buildah", *places, "bud", *options, "--tag", "reelsheet", ".")
    said = json.loads(call("buildah", *places, "inspect", "--type", "image", "reelsheet"))
    container = call("buildah", *places, "from", "--pull-never", "localhost/reelsheet").strip()
    tree = Path(call("buildah", *places, "mount", container).strip())
    yield Image(tree, said["Docker"]["config"])
    call("buildah", *places, "umount", container)


@dataclass
class Container:
    """A container of the image: its own processes, its user, and a root that is read-only."""

    image: Image
    folder: Path
    data: Path | None
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self) -> subprocess.Popen[str]:
        """Run what the image runs by itself."""
        bundle = self.folder / "bundle"
        bundle.mkdir(parents=True, exist_ok=True)
        (bundle / "config.json").unlink(missing_ok=True)
        self._runtime("spec", "--bundle", str(bundle))
        path = bundle / "config.json"
        spec = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps(self._fitted(spec)), "utf-8")
        self.started.append(
            subprocess.Popen(
                self._words("run", "--bundle", str(bundle), "night"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return self.started[-1]

    def _fitted(self, spec: dict[str, Any]) -> dict[str, Any]:
        config = self.image.config
        user, _, group = config["User"].partition(":")
        spec["root"] = {"path": str(self.image.tree), "readonly": True}
        spec["process"] |= {
            "terminal": False,
            "user": {"uid": int(user), "gid": int(group)},
            "args": [*config["Entrypoint"], *config["Cmd"]],
            "cwd": config["WorkingDir"],
            "env": [*config["Env"], f"TOAPIS_API_KEY={KEY}"],
            "capabilities": {},
            "noNewPrivileges": True,
        }
        spec["mounts"] = [one for one in spec["mounts"] if one["type"] != "cgroup"]
        spec["mounts"].append({"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"})  # noqa: S108
        if self.data is not None:
            mount = {"destination": "/data", "type": "bind", "options": ["rbind", "rw"]}
            spec["mounts"].append({**mount, "source": str(self.data)})
        own = [
            one for one in spec["linux"]["namespaces"] if one["type"] not in {"network", "cgroup"}
        ]
        spec["linux"] = {"namespaces": own}  # the emulator is on this machine's loopback
        return spec

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to process 1, as a supervisor does."""
        self._runtime("kill", "night", str(int(number)))

    def healthy(self) -> bool:
        """Ask what the image says is to be asked."""
        kind, *words = self.image.config["Healthcheck"]["Test"]
        assert kind == "CMD"
        line = self._inside(*words)
        return subprocess.run(line, capture_output=True, check=False).returncode == 0

    def processes(self) -> str:
        """Every process in it, with its state."""
        listed = "for d in /proc/[0-9]*; do cat $d/stat; done"
        line = self._inside("sh", "-c", listed)
        return subprocess.run(line, capture_output=True, text=True, check=False).stdout

    def close(self) -> None:
        """End what a failed test left running, and what a kill left behind."""
        subprocess.run(self._words("delete", "--force", "night"), check=False, capture_output=True)
        for one in self.started:
            if one.poll() is None:
                one.kill()
                one.communicate()

    def _inside(self, *words: str) -> list[str]:
        """How to start more in it: as its user, in its working folder."""
        config = self.image.config
        return self._words(
            "exec", "--user", config["User"], "--cwd", config["WorkingDir"], "night", *words
        )

    def _runtime(self, *words: str) -> None:
        call(*self._words(*words))

    def _words(self, *words: str) -> list[str]:
        hidden = ["unshare", "--mount", "sh", "-c", WITHOUT_CGROUPS, "sh"]
        crun = ["crun", "--root", str(self.folder / "state"), "--cgroup-manager=disabled"]
        return [*hidden, *crun, *words]


@pytest.fixture
def data(tmp_path: Path, api: Api, image: Image) -> Path:
    """A working folder that belongs to the user of the image."""
    folder = working_folder(tmp_path / "data", api, sets={"output.verify": "full"}, shoes=60)
    user, _, group = image.config["User"].partition(":")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, int(user), int(group))
    return folder


@pytest.fixture
def container(tmp_path: Path, image: Image, data: Path) -> Iterator[Container]:
    """A container with the working folder."""
    made = Container(image, tmp_path / "container", data)
    yield made
    made.close()


def test_the_dockerfile_has_no_faults() -> None:
    """By the rules of hadolint."""
    linter = ROOT / ".venv" / "orchestrators" / "bin" / "hadolint"
    if not linter.exists():
        pytest.skip("hadolint is not there: make orchestrators")
    call(linter, FOLDER / "Dockerfile")


@pytest.mark.parametrize("file", [FOLDER / "cronjob.yaml", FLEET_FOLDER / "kubernetes.yaml"])
def test_kubernetes_takes_what_it_is_given(file: Path) -> None:
    """Its schemas, of the newest version and of the oldest with all that is used, are strict."""
    python = ROOT / ".venv" / "orchestrators" / "bin" / "python"
    if not python.exists():
        pytest.skip("kubernetes-validate is not there: make orchestrators")
    for version in ((), ("--kubernetes-version", "1.31")):
        call(python, "-m", "kubernetes_validate", "--strict", *version, file)


def test_a_night_in_a_container(container: Container, data: Path, api: Api) -> None:
    """Killed and begun again, in two at once, and told to end: nothing twice, nothing in doubt."""
    api.faults("query_never_finishing")
    first = container.start()
    wait_for("orders", lambda: len(accepted(api, data)) == 4)
    wait_for("health", container.healthy)
    first_record = night_of(data)
    assert (first_record["pid"], first_record["state"]) == (1, "running")
    container.signal(signal.SIGKILL)
    first.communicate(timeout=LIMIT_S)
    api.faults()
    second = container.start()
    wait_for("videos", lambda: night_of(data)["states"].get("done", 0) >= 8)
    beside = subprocess.run(
        [sys.executable, "-m", "pipeline", "night"],
        cwd=data,
        env=environment(TOAPIS_API_KEY=KEY, STATE_DIRECTORY=str(data / "state")),
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert beside.returncode == 75, beside.stderr
    states = [line.rpartition(") ")[2][:1] for line in container.processes().splitlines()]
    assert states
    assert "Z" not in states
    container.signal(signal.SIGTERM)
    out, err = second.communicate(timeout=LIMIT_S)
    assert second.returncode == 143, err
    assert out == ""
    record = night_of(data)
    assert (record["state"], record["exit_code"]) == ("ended", 143)
    assert "in_doubt" not in record["states"]
    results = data / "outputs" / "shoes"
    assert record["states"] == sheets.summary(results)["states"]
    third = container.start()
    _, err = third.communicate(timeout=LIMIT_S)
    assert third.returncode == 0, err
    assert night_of(data)["states"] == {"done": 60}
    assert len(accepted(api, data)) == len(set(accepted(api, data))) == 60
    invariants.book_holds(data / "state" / "book.db", results)
    user = int(container.image.config["User"].partition(":")[0])
    assert {path.stat().st_uid for path in data.rglob("*")} == {user}


def test_without_its_folder_nothing_is_ordered(tmp_path: Path, image: Image, api: Api) -> None:
    """A container that forgets what it bought does not buy."""
    mark = api.mark()
    bare = Container(image, tmp_path / "container", None)
    try:
        night = bare.start()
        _, err = night.communicate(timeout=LIMIT_S)
    finally:
        bare.close()
    assert night.returncode == 2, err
    assert "Traceback" not in err
    assert not api.calls("submit", since=mark)
