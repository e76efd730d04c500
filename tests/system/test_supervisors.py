"""The recipes under what they are for: systemd's own checker, and a real cron."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from docs.generate.recipes import FOLDER
from tests.system.harness.api import KEY, Api, wait_for
from tests.system.harness.home import accepted, install, night_of, working_folder

ALONE = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
CRON = """
mount --make-rprivate / &&
mount --bind "$1/spool" /var/spool/cron/crontabs &&
mount -t tmpfs none /etc/cron.d && mount -t tmpfs none /run &&
mount --bind "$1/empty" /etc/crontab &&
exec cron -f
"""
"""A cron of its own, which sees no table of this machine; it ends with its namespace."""


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """Its checker has nothing to say, and rates what the service may do as harmless."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here: see .ci/recipes")
    program = tmp_path / "reelsheet"
    install(program)
    for name in ("reelsheet.service", "reelsheet.timer"):
        text = (FOLDER / name).read_text("utf-8")
        (tmp_path / name).write_text(text.replace("/opt/reelsheet/bin/reelsheet", str(program)))
    units = [tmp_path / "reelsheet.service", tmp_path / "reelsheet.timer"]
    line = ["systemd-analyze", "verify", *map(str, units)]
    checked = subprocess.run(line, capture_output=True, text=True, check=False)
    said = checked.stdout + checked.stderr
    if "unknown" not in said.lower() and re.search(r"D-Bus|Failed to (?:connect|set up)", said):
        pytest.skip(f"systemd-analyze cannot work here: {said}")
    assert (checked.returncode, said) == (0, "")
    rated = ["systemd-analyze", "security", "--offline=yes", "--threshold=25", str(units[0])]
    safe = subprocess.run(rated, capture_output=True, text=True, check=False)
    assert safe.returncode == 0, safe.stdout[-500:]


@pytest.mark.long
def test_a_real_cron(tmp_path: Path, api: Api) -> None:
    """It starts the night every minute: one is killed, the next goes on, and none overlaps."""
    missing = [name for name in ("cron", "unshare") if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"a cron of its own takes root and {missing or 'cron'}: see .ci/recipes")
    home = tmp_path / "Häuser & Höfe"
    folder = working_folder(home / "my-videos", api, shoes=3)
    (folder / "key.sh").write_text(f"export TOAPIS_API_KEY={KEY}\n", "utf-8")
    install(home / "reelsheet" / ".venv" / "bin" / "reelsheet")
    (tmp_path / "empty").touch()
    table = (FOLDER / "crontab").read_text("utf-8").replace("0 22 * * 1-5", "* * * * *")
    table = f'HOME="{home}"\n' + table.replace("MAILTO=you@example.com", 'MAILTO=""')
    tab = tmp_path / "spool" / pwd.getpwuid(0).pw_name
    tab.parent.mkdir()
    tab.write_text(table, "utf-8")
    tab.chmod(0o600)
    api.faults("query_never_finishing")
    cron = subprocess.Popen(
        [*ALONE, "sh", "-c", CRON, "sh", tmp_path], stdin=subprocess.DEVNULL, text=True
    )
    try:
        wait_for("orders", lambda: len(accepted(api, folder)) == 3, limit_s=120)
        first = night_of(folder)
        minute = time.time() // 60
        wait_for("the next minute", lambda: time.time() // 60 > minute + 1, limit_s=150)
        assert night_of(folder)["started_at"] == first["started_at"], "a second one went ahead"
        kill_in(cron, "pipeline night")
        api.faults()
        ended = ("ended", {"done": 3})
        wait_for(
            "the next night",
            lambda: (night_of(folder).get("state"), night_of(folder)["states"]) == ended,
            limit_s=150,
        )
    finally:
        cron.kill()
        cron.wait()
    assert night_of(folder)["exit_code"] == 0
    assert len(accepted(api, folder)) == 3


def kill_in(parent: subprocess.Popen[str], words: str) -> None:
    """Kill what was started below a process, by its command line."""
    found = [parent.pid]
    for pid in found:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()
        found += map(int, children)
    named = [
        pid
        for pid in found
        if words in Path(f"/proc/{pid}/cmdline").read_text("utf-8").replace("\0", " ")
    ]
    assert named
    for pid in named:
        os.kill(pid, 9)
