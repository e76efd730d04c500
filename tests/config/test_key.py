"""Where the key comes from, and what is said of it; nothing that is said repeats it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.config.key import (
    _assignment,
    api_key,
    key_warnings,
    say_refused_key,
    secret_of,
)
from pipeline.config.settings import Api, Config
from pipeline.errors import ConfigError

KEY = "sk-4f9aSECRETc81"
OTHER = "sk-OTHERb20cSECRET"
LIVE = Config(provider="toapis")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "is not set"),
        ({"TOAPIS_API_KEY": " "}, "is empty"),
        ({"TOAPIS_API_KEY": f"{KEY}\n"}, "spaces or line breaks"),
        ({"TOAPIS_API_KEY": f"{KEY}\u00c8"}, "no key has"),
        ({"CREDENTIALS_DIRECTORY": "/no/such/folder"}, "is not set"),
    ],
)
def test_a_variable_without_a_key(environ: dict[str, str], expected: str) -> None:
    """It is named, and so is the file that could hold it."""
    with pytest.raises(ConfigError, match=expected) as caught:
        api_key(Config(), environ)
    assert "TOAPIS_API_KEY" in caught.value.message
    assert "SECRET" not in f"{caught.value.message} {caught.value.action}"


@pytest.mark.skipif(sys.platform == "win32", reason="needs terminals of POSIX")
def test_what_is_typed_counts_in_a_terminal_alone() -> None:
    """Where cron or a service starts a run, it is said where the key comes from there."""

    def advised() -> list[str]:
        refused = say_refused_key(LIVE, {"TOAPIS_API_KEY": KEY})
        with pytest.raises(ConfigError) as missing:
            api_key(LIVE, {})
        return [refused, missing.value.action or ""]

    import pty  # noqa: PLC0415 - Windows has none

    kept, (lead, end) = os.dup(0), pty.openpty()
    try:
        for there, typed in ((end, True), (os.open(os.devnull, os.O_RDONLY), False)):
            os.dup2(there, 0)
            os.close(there)
            for said in advised():
                assert "export TOAPIS_API_KEY=YOUR_KEY" in said
                assert ("docs/nights.md" in said) is not typed
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(lead)


@pytest.mark.parametrize("text", ["{}", "{}\n", "  {} \r\n\n", "\ufeff{}\r\n"])
def test_a_file_with_a_key(tmp_path: Path, text: str) -> None:
    """Blanks and line breaks around it, and the mark of an editor, are left out."""
    file = tmp_path / "key"
    file.write_text(text.format(KEY), "utf-8")
    file.chmod(0o600)
    environ = {"TOAPIS_API_KEY_FILE": str(file)}
    assert api_key(Config(), environ) == secret_of(Config(), environ) == KEY
    assert key_warnings(LIVE, environ) == []


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda _: None, "cannot be read"),
        (lambda file: file.mkdir(), "cannot be read: it is a folder"),
        (os.mkfifo, "cannot be read: it is a pipe"),
        (lambda file: file.write_bytes(b""), "is empty"),
        (lambda file: file.write_bytes(b" \n\n"), "is empty"),
        (lambda file: file.write_text(f"{KEY}\n{OTHER}\n"), "several lines"),
        (lambda file: file.write_text(f"{KEY} # mine"), "spaces or line breaks"),
        (lambda file: file.write_text(f"{KEY}\u00e9", "utf-8"), "no key has"),
        (lambda file: file.write_text(KEY, "utf-16"), "not plain text"),
        (lambda file: file.write_text(KEY * 1000), "too large for a key"),
    ],
)
def test_a_file_without_a_key(
    tmp_path: Path, make: Callable[[Path], object], expected: str
) -> None:
    """Refused by the name of the file and of what named it."""
    file = tmp_path / "key"
    make(file)
    environ = {"TOAPIS_API_KEY_FILE": str(file)}
    with pytest.raises(ConfigError, match=expected) as caught:
        api_key(Config(), environ)
    assert f"The file {file} (TOAPIS_API_KEY_FILE) " in caught.value.message
    assert "SECRET" not in f"{caught.value.message} {caught.value.action}"
    assert secret_of(Config(), environ) == ""


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no file that nobody can read")
def test_a_file_that_the_system_does_not_give(tmp_path: Path) -> None:
    """Whoever it belongs to: what cannot be read is named, with the reason."""
    file = tmp_path / "key"
    file.symlink_to("/proc/self/mem")  # even root gets an error of input and output
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        api_key(Config(), {"TOAPIS_API_KEY_FILE": str(file)})
    assert f"The file {file} (TOAPIS_API_KEY_FILE) " in caught.value.message


def test_the_order_of_the_places(tmp_path: Path) -> None:
    """The variable, the file that a variable names, the credentials of a service."""
    (tmp_path / "toapis_key").write_text("sk-of-the-service-7")
    file = tmp_path / "file"
    file.write_text(OTHER)
    file.chmod(0o600)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert api_key(Config(), environ) == "sk-of-the-service-7"
    assert key_warnings(LIVE, environ) == []
    environ["TOAPIS_API_KEY_FILE"] = str(file)
    assert api_key(Config(), environ) == OTHER
    environ["TOAPIS_API_KEY"] = ""
    assert api_key(Config(), environ) == OTHER
    environ["TOAPIS_API_KEY"] = KEY
    assert api_key(Config(), environ) == secret_of(Config(), environ) == KEY
    (warning,) = key_warnings(LIVE, environ)
    assert "TOAPIS_API_KEY is used" in warning
    assert str(file) in warning
    assert "SECRET" not in warning
    environ["TOAPIS_API_KEY"] = OTHER
    assert key_warnings(LIVE, environ) == []
    file.unlink()
    assert key_warnings(LIVE, environ) == []


def test_another_variable_has_another_file(tmp_path: Path) -> None:
    """The name follows api.key_env."""
    file = tmp_path / "key"
    file.write_text(KEY)
    config = Config(api=Api(key_env="SHOP_KEY"))
    assert api_key(config, {"SHOP_KEY_FILE": str(file)}) == KEY
    with pytest.raises(ConfigError, match="SHOP_KEY"):
        api_key(config, {"TOAPIS_API_KEY_FILE": str(file)})


@pytest.mark.skipif(os.name != "posix", reason="the system has no such rights")
@pytest.mark.parametrize(("mode", "warns"), [(0o600, 0), (0o400, 0), (0o640, 1), (0o604, 1)])
def test_a_file_that_others_can_read(tmp_path: Path, mode: int, warns: int) -> None:
    """One word of it, and the key is used."""
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(mode)
    environ = {"TOAPIS_API_KEY_FILE": str(file)}
    assert api_key(Config(), environ) == KEY
    assert len(key_warnings(LIVE, environ)) == warns


def test_what_to_type_for_a_key_that_is_missing() -> None:
    """The line for the shell of this system, which works when pasted."""
    with pytest.raises(ConfigError) as caught:
        api_key(Config(), {})
    assert f"Type {_assignment('TOAPIS_API_KEY')}, with" in (caught.value.action or "")
    assert _assignment("MY_KEY", windows=False) == "export MY_KEY=YOUR_KEY"
    powershell = '$env:MY_KEY = "YOUR_KEY"'
    assert _assignment("MY_KEY", windows=True) == f"{powershell} (in cmd.exe: set MY_KEY=YOUR_KEY)"


@pytest.mark.parametrize(
    ("environ", "came"),
    [
        ({"TOAPIS_API_KEY": KEY}, "the environment variable TOAPIS_API_KEY (api.key_env): type "),
        ({"TOAPIS_API_KEY_FILE": "/a key"}, "the file /a key (TOAPIS_API_KEY_FILE): write a key "),
        ({"CREDENTIALS_DIRECTORY": ""}, "toapis_key ($CREDENTIALS_DIRECTORY): give the service a "),
    ],
)
def test_what_to_do_about_a_refused_key(tmp_path: Path, environ: dict[str, str], came: str) -> None:
    """Where it came from, and what to type for another one."""
    if "CREDENTIALS_DIRECTORY" in environ:
        environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
        (tmp_path / "toapis_key").write_text(KEY)
    told = say_refused_key(Config(), environ)
    assert came in told
    assert f"type {_assignment('TOAPIS_API_KEY')}, with a key of your ToAPIs account" in told
    assert "SECRET" not in told
