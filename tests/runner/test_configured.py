"""A configuration that is not in the working folder is pointed at, from wherever one starts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.config.settings import Config
from pipeline.runner.configured import point_at_configuration

OURS = "provider: toapis\n"


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a manifest, and a folder beside it."""
    for folder in ("my videos/manifests/august", "other/deep"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "my videos/config.yaml").write_text(OURS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("here", "manifest", "named"),
    [
        (".", "my videos/manifests/p.csv", "my videos"),
        ("other", "../my videos/manifests/p.csv", "../my videos"),
        ("other", "../my videos/p.csv", "../my videos"),
        ("other", "../my videos/manifests/august/p.csv", "../my videos"),
        ("my videos/manifests", "p.csv", ".."),
        ("my videos/manifests/august", "p.csv", "../.."),
        ("my videos/manifests", "../../other/p.csv", ".."),
        ("my videos/manifests", None, ".."),
        (".", None, "my videos"),
    ],
)
def test_where_it_is_and_what_to_type(
    shop: Path, here: str, manifest: str | None, named: str
) -> None:
    """The folder to begin in, and the option that uses it from here."""
    os.chdir(shop / here)
    (note,) = point_at_configuration(Path(manifest) if manifest else None, None, Config())
    there = str(Path(named))
    quoted = f'"{there}"' if " " in there or there.endswith(".") else there
    path = str(Path(named, "config.yaml"))
    assert f"the one in {there} is not used and says provider: toapis." in note
    assert f"begin with: cd {quoted}. Or add --config " in note
    assert (f'"{path}"' if " " in path else path) in note
    os.chdir(there)
    assert Path("config.yaml").read_text() == OURS


def test_nothing_is_said_where_nothing_is_unused(shop: Path) -> None:
    """One is named, or is here; and a file of another program in a folder above is not ours."""
    manifest = Path("my videos/p.csv")
    assert point_at_configuration(manifest, Path("c.yaml"), Config()) == []
    (shop / "config.yaml").write_text("services: {web: 1}\n")
    assert point_at_configuration(manifest, None, Config()) == []
    os.chdir("other/deep")
    assert point_at_configuration(Path("q.csv"), None, Config()) == []
    assert point_at_configuration(None, None, Config()) == []
