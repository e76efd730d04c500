"""The recipes of docs/nights.md, as files: what each says agrees with the program."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import yaml

from docs.generate.program import command_tree
from docs.generate.recipes import FILES, FOLDER
from pipeline.config.settings import Config
from pipeline.errors import ExitCode

ROOT = FOLDER.parents[1]
GRACE_S = Config().stop.grace_s
TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
NEEDS_A_PERSON = {
    ExitCode.USAGE,
    ExitCode.IN_DOUBT,
    ExitCode.STOPPED,
    ExitCode.INTERNAL,
}
"""To start a night again that ended so would change nothing."""


def text_of(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all(text_of(name)))


def unit(name: str) -> configparser.ConfigParser:
    """A unit of systemd; a name that is given twice in a section is an error."""
    parser = configparser.ConfigParser(interpolation=None, delimiters="=")
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(text_of(name))
    return parser


def pod() -> dict[str, Any]:
    job = documents("cronjob.yaml")[1]["spec"]["jobTemplate"]["spec"]
    template: dict[str, Any] = job["template"]["spec"]
    return template


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every call of the program in a recipe, with its arguments."""
    for line in text_of("crontab").splitlines():
        if "exec" in line:
            yield "crontab", shlex.split(line.partition("exec ")[2])[1:]
    yield "reelsheet.service", unit("reelsheet.service")["Service"]["ExecStart"].split()[1:]
    action = ET.fromstring(text_of("task-scheduler.xml")).find(f"{TASK}Actions/{TASK}Exec")  # noqa: S314
    assert action is not None
    yield "task-scheduler.xml", str(action.findtext(f"{TASK}Arguments")).split()
    image = text_of("Dockerfile")
    (program,) = re.findall(r"^ENTRYPOINT (\[.*\])$", image, re.MULTILINE)
    assert json.loads(program) == ["reelsheet"]
    health, night = re.findall(r"^(?:    )?CMD (\[.*\])$", image, re.MULTILINE)
    yield "Dockerfile", json.loads(night)
    yield "Dockerfile", json.loads(health)[1:]
    container = pod()["containers"][0]
    yield "cronjob.yaml", container["args"]
    yield "cronjob.yaml", container["livenessProbe"]["exec"]["command"][1:]
    for step in documents("github.yaml")[0]["jobs"]["night"]["steps"]:
        if "run" in step:
            words = step["run"].removeprefix("exec ").partition(">>")[0]
            yield "github.yaml", shlex.split(words)[1:]


def test_what_a_recipe_starts_is_understood() -> None:
    """Commands and options exist, and a night is quiet."""
    started = list(commands())
    for recipe, (name, *arguments) in started:
        command_tree().commands[name].make_context(name, list(arguments))
        assert (name == "night") == ("--quiet" in arguments), recipe
    assert len(started) == 9


def test_every_file_is_shown() -> None:
    """No recipe lies there that the page does not show, or does not link to."""
    page = (FOLDER.parent / "nights.md").read_text("utf-8")
    there = {path.name for path in FOLDER.iterdir() if path.is_file()}
    assert there - {"Dockerfile.dockerignore"} == {name for name, _ in FILES.values()}
    assert all(f"(nights/{name})" in page for name in there)


def test_the_table_of_exit_codes_is_what_the_recipes_do() -> None:
    """Each code of the program has a row on the page, but those of who ends a night himself."""
    page = (FOLDER.parent / "nights.md").read_text("utf-8")
    table = page.partition("| code | cron | systemd |")[2].partition("\n\n")[0]
    rows = {
        int(code): cells.split(" | ")
        for codes, cells in re.findall(r"^\| ([\d, ]+) \| (.*) \|$", table, re.MULTILINE)
        for code in codes.split(", ")
    }
    assert set(rows) == {*map(int, ExitCode)} - {ExitCode.INTERRUPTED, ExitCode.TERMINATED}
    well = set(map(int, unit("reelsheet.service")["Service"]["SuccessExitStatus"].split()))
    assert {code for code, cells in rows.items() if cells[1].startswith("ended")} == {0, 1, 5}
    assert well == {1, 5, 143}
    acts = kubernetes_acts()
    for code, cells in rows.items():
        said = {"failed, not tried again": "FailJob", "tried again, three times": "Count"}
        assert said.get(cells[2]) == acts.get(ExitCode(code)), code


def test_cron_is_told_all_that_it_lacks() -> None:
    """A shell, a path, who gets the mail; one line of five fields, with no % that ends it."""
    lines = [line for line in text_of("crontab").splitlines() if line and line[0] != "#"]
    *settings, entry = lines
    assert [one.partition("=")[0] for one in settings] == ["SHELL", "PATH", "MAILTO"]
    fields = entry.split(maxsplit=5)
    assert fields[:5] == ["0", "22", "*", "*", "1-5"]
    assert "%" not in fields[5]


def test_systemd_lets_it_end_and_holds_it_in() -> None:
    """Its grace is longer, TERM goes to it alone, a kill is not the end of a night, a 5 is."""
    service = unit("reelsheet.service")["Service"]
    assert int(service["TimeoutStopSec"]) > GRACE_S
    assert (service["Type"], service["KillMode"]) == ("oneshot", "mixed")
    assert service["Restart"] == "on-abnormal"
    assert "Environment=TOAPIS" not in text_of("reelsheet.service")
    assert service["ProtectSystem"] == "strict"
    assert service["ReadWritePaths"] == f"{service['WorkingDirectory']}/outputs"
    assert service["StateDirectory"] == service["RuntimeDirectory"] == "reelsheet"
    timer = unit("reelsheet.timer")
    assert timer["Timer"]["OnCalendar"] == "Mon..Fri 22:00"
    assert timer["Install"]["WantedBy"] == "timers.target"


def test_windows_starts_one_at_a_time() -> None:
    """A task that goes on is not started again, is not ended by the clock, and holds no key."""
    task = ET.fromstring(text_of("task-scheduler.xml"))  # noqa: S314 - ours
    settings = {one.tag.removeprefix(TASK): one.text for one in task.find(f"{TASK}Settings") or ()}
    assert settings["MultipleInstancesPolicy"] == "IgnoreNew"
    assert settings["ExecutionTimeLimit"] == "PT0S"
    assert settings["StartWhenAvailable"] == "true"
    order = [one.tag.removeprefix(TASK) for one in task]
    assert order == ["RegistrationInfo", "Triggers", "Settings", "Actions"]
    assert "KEY" not in text_of("task-scheduler.xml")
    # schtasks reads a file that names no encoding as UTF-8.
    assert text_of("task-scheduler.xml").isascii()
    assert "encoding" not in text_of("task-scheduler.xml")


def test_an_image_holds_what_it_needs_and_no_more() -> None:
    """No root, no shell before the program, locked versions, and only what is copied is sent."""
    image = text_of("Dockerfile")
    (user,) = re.findall(r"^USER (.+)$", image, re.MULTILINE)
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert "--require-hashes" in image
    assert "VOLUME" not in image  # an anonymous one would be gone with the container
    copied = set()
    for words in re.findall(r"^COPY (?!--from)(.+)$", image, re.MULTILINE):
        copied |= {word.strip("/") for word in words.split()[:-1]}
    (lock,) = (one for one in copied if "$" in one)
    locks = {lock.replace("${LOCK}", one) for one in ("run", "cloud", "fleet")}
    copied = copied - {lock} | locks
    ignored = text_of("Dockerfile.dockerignore").splitlines()
    sent = {line[1:] for line in ignored if line.startswith("!")}
    assert copied == sent
    assert all((ROOT / name).exists() for name in sent)
    assert "*" in ignored
    assert re.search(r"STATE_DIRECTORY=/data/", image)


def test_compose_holds_it_in() -> None:
    """The root file system cannot be written to; the key comes from a file."""
    (night,) = documents("compose.yaml")[0]["services"].values()
    assert night["read_only"] is True
    assert night["cap_drop"] == ["ALL"]
    assert int(night["stop_grace_period"].removesuffix("s")) > GRACE_S
    assert night["volumes"] == [".:/data"]
    assert "environment" not in night


def kubernetes_acts() -> dict[ExitCode, str]:
    """What the CronJob does after each exit code."""
    job = documents("cronjob.yaml")[1]["spec"]["jobTemplate"]["spec"]
    rules = [one for one in job["podFailurePolicy"]["rules"] if "onExitCodes" in one]
    assert all(one["onExitCodes"]["operator"] == "In" for one in rules)
    acts = [(code, one["action"]) for one in rules for code in one["onExitCodes"]["values"]]
    killed = 128 + 9
    assert len(dict(acts)) == len(acts)
    return {ExitCode(code): action for code, action in acts if code != killed}


def test_kubernetes_tries_again_what_can_help() -> None:
    """Every exit code is mapped; one pod at a time; grace; nothing but the volume to write to."""
    acts = kubernetes_acts()
    assert set(acts) == set(ExitCode) - {ExitCode.DONE}
    failed = {code for code, action in acts.items() if action == "FailJob"}
    assert failed == {ExitCode.NEEDS_USER, *NEEDS_A_PERSON}
    claim, job = documents("cronjob.yaml")
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert pod()["restartPolicy"] == "Never"
    assert pod()["terminationGracePeriodSeconds"] > GRACE_S
    assert pod()["securityContext"]["runAsNonRoot"] is True
    (container,) = pod()["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["volumeMounts"][0]["mountPath"] == "/data"
    (rule,) = job["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"][:1]
    assert rule["action"] == "Ignore"


def test_the_workflow_shows_the_key_to_the_night_alone() -> None:
    """One at a time, on a disk that stays, within the time that a job may take."""
    (workflow,) = documents("github.yaml")
    job = workflow["jobs"]["night"]
    assert workflow["concurrency"] == {"group": "reelsheet-night", "cancel-in-progress": False}
    assert workflow["permissions"] == {}
    assert job["runs-on"][0] == "self-hosted"
    assert timedelta(minutes=job["timeout-minutes"]) >= timedelta(hours=8)
    with_key = [step["name"] for step in job["steps"] if "secrets." in json.dumps(step)]
    assert with_key == ["The night"]
    assert text_of("github.yaml").count("secrets.") == 1
    assert job["steps"][0]["run"].startswith("exec ")
