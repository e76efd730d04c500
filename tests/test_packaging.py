"""What is written about the package agrees with itself: pyproject, locks, changelog, version."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import pipeline

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = ROOT / "pyproject.toml"
LOCKS = ("run.txt", "cloud.txt", "fleet.txt", "notify.txt", "dev.txt", "orchestrators.txt")


def project() -> dict[str, Any]:
    settings: dict[str, Any] = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]
    return settings


def normal(requirement: str) -> str:
    """The name of a requirement as package indexes compare names."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def direct(*extras: str) -> set[str]:
    settings = project()
    lists = [settings["dependencies"], *(settings["optional-dependencies"][e] for e in extras)]
    return {normal(requirement) for requirements in lists for requirement in requirements}


def locked(name: str) -> dict[str, list[str]]:
    """The blocks of a lock: `name==version ; marker` to the hashes under it."""
    text = (ROOT / "requirements" / name).read_text("utf-8")
    blocks = re.findall(
        r"^(\S+==[^\\\n]+?) \\\n((?:    --hash=\S+(?: \\)?\n?)+)", text, re.MULTILINE
    )
    return {head: re.findall(r"sha256:([0-9a-f]{64})", hashes) for head, hashes in blocks}


def test_every_dependency_has_its_reason() -> None:
    """Whoever wonders why a library is there reads it beside its name."""
    lines = PYPROJECT.read_text("utf-8").splitlines()
    settings = project()
    wanted = [*settings["dependencies"]]
    for requirements in settings["optional-dependencies"].values():
        wanted += requirements
    for requirement in wanted:
        found = [line for line in lines if f'"{requirement}"' in line]
        assert found
        for line in found:
            assert re.search(r'",\s+# \S+', line), f"no reason beside {requirement}"


@pytest.mark.parametrize(
    ("lock", "extras"),
    [
        ("run.txt", ()),
        ("cloud.txt", ("cloud",)),
        ("fleet.txt", ("fleet",)),
        ("notify.txt", ("notify",)),
        ("dev.txt", ("cloud", "fleet", "notify", "test", "lint")),
        ("orchestrators.txt", ("orchestrators",)),
    ],
)
def test_locks_cover_every_dependency(lock: str, extras: tuple[str, ...]) -> None:
    """A machine that installs from the lock gets all that the package asks for."""
    assert direct(*extras) - {normal(head) for head in locked(lock)} == set()


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_pin_every_line_with_hashes(lock: str) -> None:
    """Two installations of one lock are the same files: nothing is without version and hash."""
    text = (ROOT / "requirements" / lock).read_text("utf-8")
    blocks = locked(lock)
    heads = [line for line in text.splitlines() if line and line[0] not in "# "]
    assert len(heads) == len(blocks) > 20
    assert all(blocks.values())


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_name_no_place(lock: str) -> None:
    """A lock works with any index: it names no host, no option of an index and no path."""
    text = (ROOT / "requirements" / lock).read_text("utf-8")
    assert not re.search(r"://|--(?:extra-)?index-url|--find-links|--trusted-host|file:", text)


@pytest.mark.parametrize("lock", LOCKS)
def test_the_locks_agree(lock: str) -> None:
    """What is tested is what runs: every version to run with is in the locks to test with."""
    exact = {head.partition(" ;")[0] for head in locked(lock)}  # on more systems, perhaps
    assert {head.partition(" ;")[0] for head in locked("run.txt")} <= exact


def test_the_changelog_leads_with_this_version() -> None:
    """The newest entry of the changelog is the version that the program reports."""
    newest = re.search(
        r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    assert newest is not None
    assert newest[1] == pipeline.__version__
