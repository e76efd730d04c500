"""The recipes of docs/scale.md, as files: what each says agrees with the program."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import ssl
import subprocess
import sys
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from docs.generate.program import command_tree
from docs.generate.recipes import FLEET_FILES, FLEET_FOLDER
from pipeline.fleet.dasksettings import SETTINGS, variable

PAGE = FLEET_FOLDER.parent / "scale.md"
ADDRESS = "tls://scheduler.example:8786"
OF_A_SCHEDULER = ("worker-ttl", "no-workers-timeout")
TLS = {"ca-file", *(f"{role}.{kind}" for role in ("scheduler", "worker", "client")
                    for kind in ("cert", "key"))}  # fmt: skip


def understood(words: list[str]) -> dict[str, Any]:
    """Return what `reelsheet worker` takes of a command line; a usage error raises."""
    name, *arguments = words
    assert name == "worker"
    return dict(command_tree().commands[name].make_context(name, arguments).params)


def documents() -> dict[tuple[str, str], Any]:
    text = (FLEET_FOLDER / "kubernetes.yaml").read_text("utf-8")
    return {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(text)}


def pod(part: str) -> dict[str, Any]:
    spec: dict[str, Any] = documents()["Deployment", f"reelsheet-{part}"]["spec"]["template"]
    return spec


def test_every_file_is_shown() -> None:
    """No recipe lies there that the page does not show, or does not link to."""
    there = {one.name for one in FLEET_FOLDER.iterdir() if one.is_file()}
    assert there == {name for name, _ in FLEET_FILES.values()}
    assert all(f"(fleet/{name})" in PAGE.read_text("utf-8") for name in there)


def test_kubernetes_starts_what_the_program_knows() -> None:
    """A worker joins the service of the scheduler, and writes only where it may."""
    (worker,), (scheduler,) = (pod(one)["spec"]["containers"] for one in ("worker", "scheduler"))
    taken = understood(worker["args"])
    at = urlsplit(taken["address"])
    service = documents()["Service", at.hostname or ""]["spec"]
    assert service["selector"] == pod("scheduler")["metadata"]["labels"]
    assert at.port == service["ports"][0]["targetPort"]
    assert scheduler["command"] == ["dask", "scheduler"]
    assert str(at.port) in scheduler["args"]
    assert at.scheme in scheduler["args"]
    for one in (worker, scheduler):
        assert one["securityContext"]["readOnlyRootFilesystem"] is True
        mounts = {each["mountPath"]: each.get("readOnly", False) for each in one["volumeMounts"]}
        assert mounts.pop("/scratch", None) in {None, False}
        assert mounts == {"/tls": True, "/tmp": False}  # noqa: S108 - an emptyDir
    assert str(taken["scratch"]) == "/scratch"
    volumes = {one["name"]: one for one in pod("worker")["spec"]["volumes"]}
    room = volumes["scratch"]["emptyDir"]
    assert room["sizeLimit"] == "2Gi"
    assert taken["slots"] * 60 < 2000


def test_kubernetes_sets_dask_and_knows_no_key_of_the_api() -> None:
    """The settings of a scheduler, certificates for all, and nobody else gets in."""
    told = documents()["ConfigMap", "reelsheet-dask"]["data"]
    for name, value in SETTINGS.items():
        if name.rpartition(".")[2] in OF_A_SCHEDULER or name.endswith("timeouts.connect"):
            assert told[variable(name)] == value
    tls = {variable(f"distributed.comm.tls.{name}") for name in TLS}
    assert tls <= told.keys()
    assert all(told[name].startswith("/tls/") for name in tls)
    assert told[variable("distributed.comm.require-encryption")] == "true"
    text = (FLEET_FOLDER / "kubernetes.yaml").read_text("utf-8")
    assert "TOAPIS" not in text
    policy = documents()["NetworkPolicy", "reelsheet-fleet"]["spec"]
    chosen = policy["podSelector"]["matchLabels"]
    for part in ("worker", "scheduler"):
        assert chosen.items() <= pod(part)["metadata"]["labels"].items()
    assert policy["ingress"] == [{"from": [{"podSelector": {"matchLabels": chosen}}]}]


def loaded() -> ModuleType:
    path = FLEET_FOLDER / "slurm_fleet.py"
    spec = util.spec_from_file_location("slurm_fleet", path)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    before = signal.getsignal(signal.SIGINT)
    spec.loader.exec_module(module)
    signal.signal(signal.SIGINT, before)  # dask-jobqueue takes Ctrl-C over; other tests need theirs
    return module


@pytest.mark.skipif(sys.platform == "win32", reason="no Slurm, and no signal.pause")
def test_a_job_of_slurm_is_a_worker() -> None:
    """As dask-jobqueue writes it, for the address that the jobs reach."""
    recipe = loaded()
    job = recipe.WorkerJob(scheduler=ADDRESS, name="0", cores=4, memory="3GB", processes=1)
    *header, command = job.job_script().strip().splitlines()
    assert "#SBATCH --cpus-per-task=4" in header
    words = shlex.split(command.partition("exec ")[2])
    assert words[0] == "reelsheet"
    taken = understood(words[1:])
    assert (taken["address"], taken["slots"]) == (ADDRESS, 8)
    assert all(SETTINGS[name] == value for name, value in recipe.SETTINGS.items())


@pytest.mark.process
@pytest.mark.skipif(os.name != "posix", reason="it is for sh")
def test_a_worker_on_each_machine_of_the_list(tmp_path: Path) -> None:
    """As ssh is told it; the shell of the machine has its own variables first."""
    (tmp_path / "ssh").write_text('#!/bin/sh\nprintf "%s\\n" "$*" >>"$CALLS"\n')
    (tmp_path / "ssh").chmod(0o700)
    (tmp_path / "machines.txt").write_text("one@a.example\n\ntwo@b.example\n")
    calls = tmp_path / "calls"
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(calls)}
    line = ["sh", str(FLEET_FOLDER / "ssh.sh"), ADDRESS, str(tmp_path / "machines.txt")]
    subprocess.run(line, env=env, check=True, timeout=20, stdin=subprocess.DEVNULL)
    told = sorted(calls.read_text().splitlines())
    assert [re.findall(r"\w+@\S+", one) for one in told] == [["one@a.example"], ["two@b.example"]]
    for one in told:
        assert understood(shlex.split(one.partition("exec reelsheet ")[2]))["address"] == ADDRESS


@pytest.mark.process
@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl")
def test_the_certificates_of_the_page_are_taken(tmp_path: Path) -> None:
    """Also by the strict rules that newer Pythons have."""
    blocks = re.findall(r"```sh\n(openssl.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (lines,) = blocks
    subprocess.run(["sh", "-ec", lines], cwd=tmp_path, check=True, timeout=60, capture_output=True)
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    check = ["openssl", "verify", "-x509_strict", "-CAfile", "ca.pem", "cert.pem"]
    subprocess.run(check, cwd=tmp_path, check=True, timeout=20, capture_output=True)
