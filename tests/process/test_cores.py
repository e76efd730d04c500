"""The number of cores is what this process may really use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.process.cores import quota_in, usable_cores


def groups_of(folder: Path, name: str, **quotas: str) -> tuple[Path, Path]:
    own = folder / "cgroup"
    own.write_text(f"0::/{name}\n")
    for place, quota in quotas.items():
        group = folder / "groups" / place.replace("__", "/").strip("/")
        group.mkdir(parents=True, exist_ok=True)
        (group / "cpu.max").write_text(quota)
    return folder / "groups", own


def test_a_container_is_held_to_its_quota(tmp_path: Path) -> None:
    """The tightest of the groups around it counts; a part of a core is one."""
    assert usable_cores(*groups_of(tmp_path, "pod/own", pod__own="max 100000")) >= 1
    groups, own = groups_of(tmp_path, "pod/own", pod__own="max 100000", pod="50000 100000")
    assert usable_cores(groups, own) == 1


def test_no_groups_and_strange_ones_change_nothing(tmp_path: Path) -> None:
    """What cannot be read is no quota, and no name leads out of the folder of groups."""
    all_of_them = usable_cores(tmp_path / "none", tmp_path / "none")
    assert 1 <= all_of_them <= (os.cpu_count() or 1)
    groups, own = groups_of(tmp_path, "../../etc", pod="50000 100000")
    assert usable_cores(groups, own) == all_of_them


@pytest.mark.parametrize(
    ("text", "cores"),
    [("max 100000\n", None), ("150000 100000\n", 1.5), ("0 100000", None), ("5", None), ("", None)],
)
def test_a_quota_is_read(text: str, cores: float | None) -> None:
    assert quota_in(text) == cores
