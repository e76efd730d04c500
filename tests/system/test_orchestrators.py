"""The recipes for Airflow and Prefect, imported and run in an environment of their own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import pytest
import yaml

from docs.generate.recipes import FOLDER
from tests.system.harness import invariants, sheets
from tests.system.harness.api import KEY, Api, wait_for
from tests.system.harness.home import accepted, working_folder
from tests.system.harness.product import LIMIT_S, ROOT, environment

pytestmark = pytest.mark.long

BIN = ROOT / ".venv" / "orchestrators" / "bin"
AGAIN = {"5", "75"}
"""Exit codes that another try can help."""
FLOW = """
import prefect_night as recipe
recipe.make_videos = recipe.make_videos.with_options(retry_delay_seconds=3)
print("ENDED", recipe.night(return_state=True).type.value)
"""


@dataclass
class Orchestrator:
    """One of them on this machine alone, which tells nobody of it."""

    name: str
    home: Path
    folder: Path
    api: str = ""
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def environment(self, key: str = KEY) -> dict[str, str]:
        given = {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.home / "dags"),
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            "PREFECT_HOME": str(self.home),
            "PREFECT_MEMO_STORE_PATH": str(self.home / "memo.toml"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            **({"PREFECT_API_URL": self.api} if self.api else {}),
            "DO_NOT_TRACK": "1",
            "TOAPIS_API_KEY": key,
            "VIDEOS_HOME": str(self.folder),
            "STATE_DIRECTORY": str(self.folder / "state"),
        }
        return {**environment(**given), "PYTHONPATH": f"{ROOT}{os.pathsep}{FOLDER}"}

    def start(self, *words: str | Path, key: str = KEY) -> subprocess.Popen[bytes]:
        with self.log.open("a") as said:
            process = subprocess.Popen(
                words,
                cwd=self.folder,
                env=self.environment(key),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    @property
    def log(self) -> Path:
        """What all of them say: in a file, as a killed one leaves others who could hold a pipe."""
        return self.home / "said.log"

    def end(self, process: subprocess.Popen[bytes]) -> str:
        """Wait for the end; return what was said until then."""
        process.wait(2 * LIMIT_S)
        return self.log.read_text("utf-8")

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill a night, and all that it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(LIMIT_S)

    def night(self, *, key: str = KEY) -> subprocess.Popen[bytes]:
        """Start a night of the recipe, with three seconds in place of its fifteen minutes."""
        if self.name == "prefect":
            return self.start(BIN / "python", "-c", FLOW, key=key)
        recipe = (FOLDER / "airflow_night.py").read_text("utf-8")
        assert "retry_delay=timedelta(minutes=15)" in recipe
        dag = self.home / "dags" / "airflow_night.py"
        dag.parent.mkdir(exist_ok=True)
        dag.write_text(recipe.replace("timedelta(minutes=15)", "timedelta(seconds=3)"), "utf-8")
        return self.start(BIN / "airflow", "dags", "test", "reelsheet_night", key=key)

    def forget(self) -> None:
        """Lose a killed night: Airflow's scheduler would call it failed after a time."""
        (self.home / "airflow.db").unlink(missing_ok=True)
        if self.name == "airflow":
            self.migrate()

    def migrate(self) -> None:
        """Make the database."""
        migrated = self.start(BIN / "airflow", "db", "migrate")
        said = self.end(migrated)
        assert migrated.returncode == 0, said

    def serve(self) -> None:
        """Start Prefect's server: a night that finds none would start one that outlives a kill."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        self.start(BIN / "prefect", "server", "start", "--host", "127.0.0.1", "--port", port)
        self.api = f"http://127.0.0.1:{port}/api"
        wait_for("the server", self._serves, limit_s=2 * LIMIT_S)

    def _serves(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.api}/health", timeout=5) as answer:  # noqa: S310
                return bool(answer.status == HTTPStatus.OK)
        except OSError:
            return False

    def well(self, said: str) -> bool:
        """Whether a night that said this ended well."""
        if self.name == "prefect":
            return said.rstrip().endswith("ENDED COMPLETED")
        with contextlib.closing(sqlite3.connect(self.home / "airflow.db")) as database:
            states = database.execute("SELECT state FROM task_instance").fetchall()
            (last,) = database.execute(
                "SELECT state FROM dag_run ORDER BY id DESC LIMIT 1"
            ).fetchone()
        assert states
        return str(last) == "success"


@pytest.fixture(params=["airflow", "prefect"])
def orchestrator(
    request: pytest.FixtureRequest, tmp_path: Path, api: Api
) -> Iterator[Orchestrator]:
    """Each of them, with a working folder of the manifests that its recipe names."""
    if not BIN.exists():
        pytest.skip("Airflow and Prefect are not there: make orchestrators")
    folder = working_folder(tmp_path / "Häuser & Höfe", api, shoes=8)
    prompt = f"{folder} products {{}}"
    sheets.write(folder / "manifests" / "products.xlsx", sheets.rows(4, prompt=prompt))
    made = Orchestrator(request.param, tmp_path / request.param, folder)
    made.home.mkdir()
    if made.name == "airflow":
        made.migrate()
    else:
        made.serve()
    yield made
    for one in made.started:
        made.kill(one)


def test_a_night_that_is_killed_goes_on(orchestrator: Orchestrator, api: Api) -> None:
    """Nothing is bought twice, an unfinished one is tried again, and each file has its turn."""
    folder = orchestrator.folder
    api.faults("query_never_finishing")
    first = orchestrator.night()
    wait_for("orders", lambda: len(accepted(api, folder)) == 4, limit_s=2 * LIMIT_S)
    assert not (folder / "outputs" / "shoes" / "journal.db").exists(), "two at once"
    orchestrator.kill(first)
    orchestrator.forget()
    api.faults()
    settings = (folder / "config.yaml").read_text("utf-8")
    full = yaml.safe_load(settings) | {"disk": {"min_free_mb": 10**9}, "outage": {"patience_s": 1}}
    (folder / "config.yaml").write_text(yaml.safe_dump(full), "utf-8")
    second = orchestrator.night()
    summary = folder / "outputs" / "shoes" / "summary.json"
    wait_for(
        "an unfinished run",
        lambda: summary.exists() and json.loads(summary.read_text("utf-8"))["exit_code"] == 5,
        limit_s=2 * LIMIT_S,
    )
    (folder / "config.yaml").write_text(settings, "utf-8")
    said = orchestrator.end(second)
    assert orchestrator.well(said), said[-3000:]
    assert len(accepted(api, folder)) == len(set(accepted(api, folder))) == 12
    for name in ("products", "shoes"):
        out = folder / "outputs" / name
        assert sheets.summary(out)["exit_code"] == 0
        invariants.book_holds(folder / "state" / "book.db", out)
    assert KEY not in said


def test_a_night_that_is_told_to_end(orchestrator: Orchestrator, api: Api) -> None:
    """SIGTERM ends the run gracefully, with nothing in doubt; Airflow tries it again by itself."""
    folder = orchestrator.folder
    prompt = f"{folder} many {{}}"
    sheets.write(folder / "manifests" / "products.xlsx", sheets.rows(90, prompt=prompt))
    night = orchestrator.night()
    wait_for("orders", lambda: len(accepted(api, folder)) >= 8, limit_s=2 * LIMIT_S)
    night.send_signal(signal.SIGTERM)
    said = orchestrator.end(night)
    out = folder / "outputs" / "products"
    log = (out / "run.log").read_text("utf-8")
    assert "interrupted by the calling program" in log, said[-3000:]
    assert "AnswerLost" not in log
    summary = sheets.summary(out)
    if orchestrator.name == "airflow":
        assert summary["states"] == {"done": 90}
    else:
        assert summary["stopped_by"] == "interrupted by the calling program", said[-3000:]
        assert summary["states"]["waiting"] > 0
        assert "in_doubt" not in summary["states"]
    assert len(accepted(api, folder)) == len(set(accepted(api, folder)))


def test_a_wrong_key_is_not_tried_again(orchestrator: Orchestrator, api: Api) -> None:
    """What needs a person ends as a failure, at once."""
    night = orchestrator.night(key="sk-of-nobody")
    said = orchestrator.end(night)
    assert not orchestrator.well(said), said[-3000:]
    assert not accepted(api, orchestrator.folder)
    assert "sk-of-nobody" not in said
    for name in ("products", "shoes"):
        summary = sheets.summary(orchestrator.folder / "outputs" / name)
        assert summary["exit_code"] == 4
    # An unfinished one says so once for each of its four tries.
    assert said.count("manifests/shoes.csv: {'waiting': 8}") <= 2


@pytest.mark.parametrize(
    ("recipe", "again", "never"),
    [
        ("airflow_night.py", "AirflowException", "AirflowFailException"),
        ("prefect_night.py", "Unfinished", "NeedsYou"),
    ],
)
def test_every_exit_code_has_its_state(tmp_path: Path, recipe: str, again: str, never: str) -> None:
    """0 and 1 are well, what another try can help is tried again, all else needs a person."""
    if not BIN.exists():
        pytest.skip("Airflow and Prefect are not there: make orchestrators")
    here = Orchestrator("none", tmp_path, tmp_path)
    mapping = ROOT / "tests" / "system" / "harness" / "mapping.py"
    asked = here.start(BIN / "python", mapping, FOLDER / recipe)
    said = here.end(asked)
    assert asked.returncode == 0, said[-3000:]
    came = json.loads(said.strip().splitlines()[-1])
    assert {code for code, state in came.items() if state == "success"} == {"0", "1"}
    assert {code for code, state in came.items() if state == again} == AGAIN
    assert {state for code, state in came.items() if code not in AGAIN | {"0", "1"}} == {never}
