"""The browser of these tests: installed where that is allowed, missed where all has to be tried."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.review.browser import launched

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Chrome is looked for by Playwright")
async def test_without_a_browser_it_is_skipped_here_and_fails_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A contributor is told what to install; where CI is true nothing is left untried."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt install chromium"):
        await launched().__aenter__()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no browser"):
        await launched().__aenter__()


def put_program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!{shutil.which('bash')}\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.mark.process
@pytest.mark.skipif(os.name != "posix", reason="a script of bash")
def test_the_gate_installs_chromium_as_root_and_tries_again(tmp_path: Path) -> None:
    """Nothing where there is one or where it may not; once more if apt-get fails."""
    script = [str(shutil.which("bash")), str(ROOT / ".ci" / "browser")]
    environment = {"PATH": str(tmp_path), "LOG": str(tmp_path / "log")}

    def run() -> tuple[str, str]:
        ended = subprocess.run(
            script, env=environment, capture_output=True, text=True, check=True, timeout=60
        )
        return ended.stdout, ended.stderr

    put_program(tmp_path, "sleep", "")
    put_program(tmp_path, "id", "echo 1000")
    assert "takes root and apt-get" in run()[1]
    put_program(tmp_path, "id", "echo 0")
    put_program(
        tmp_path,
        "apt-get",
        'echo "$@" >>"$LOG"; [ "$1" = update ] && exit 0; read -r n <"$LOG.n" || n=0\n'
        f'echo 1 >"$LOG.n"; [ "$n" = 0 ] && exit 100; printf "" >{tmp_path}/chromium\n'
        f"{shutil.which('chmod')} +x {tmp_path}/chromium",
    )
    (tmp_path / "log.n").write_text("0\n")
    assert run()[0].endswith("chromium, installed\n")
    tried = (tmp_path / "log").read_text().splitlines()
    assert [line.split()[0] for line in tried] == ["update", "install"] * 2
    assert tried[1].endswith("--no-install-recommends chromium")
    assert "installed" not in run()[0]
    assert len((tmp_path / "log").read_text().splitlines()) == len(tried)
