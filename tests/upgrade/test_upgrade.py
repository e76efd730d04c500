"""An upgrade buys nothing: what the version of 22 November left is taken up and never paid again.

The cases and what is expected of them were made by that version and are never made anew, see
make.py. A later version may say more of a row, or say it in other words; it may not take a row for
a new or an edited one, give it another key, or submit what was submitted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.upgrade.replay import CASES, EXPECTED, SUMS, Provider, Shop, provider, sums

BOUGHT = {"new", "changed", "waiting", "renamed", "repeat"}
"""Groups of a plan that none of the cases has but for the two that are about them."""

Asked = dict[str, Any]

MOVED = {"keyed:manifests/shop.csv", "unkeyed:manifests/equal.csv", "killed:manifests/shop.csv"}


def _asked() -> Iterator[Any]:
    for case in sorted(path.parent for path in CASES.glob(f"*/{EXPECTED}")):
        expected = json.loads((case / EXPECTED).read_text(encoding="utf-8"))
        for one in expected["manifests"]:
            yield pytest.param(case, one, id=f"{case.name}:{one['manifest']}")


REFUSED = {"other-workbooks:manifests/binary.xlsb"}
"""Binary workbooks are no longer read: a refusal that names the remedy buys nothing either."""

EVERY = list(_asked())
ALL = [one for one in EVERY if one.id not in REFUSED]
RUN = [one for one in ALL if "run" in one.values[1]]


@pytest.fixture
def double() -> Iterator[Provider]:
    """A provider that counts."""
    with provider() as one:
        yield one


@pytest.mark.parametrize(("case", "asked"), ALL)
def test_a_plan_knows_every_row(case: Path, asked: Asked, tmp_path: Path, double: Provider) -> None:
    """The same groups, and the same rows under the same keys with their tasks and videos."""
    shop = Shop.of(case, tmp_path, double)
    before = (shop.folder / asked["manifest"]).read_bytes()
    told = shop.told(asked["manifest"], *asked.get("options", ()))
    if asked.get("exact", True):
        assert told.groups == asked["plan"]
        assert told.rows == asked["rows"]
    else:
        assert not BOUGHT & told.groups.keys()
        assert [row["key"] for row in told.rows] == [row["key"] for row in asked["rows"]]
    assert told.video_seconds == asked["video_seconds"]
    assert double.calls == []
    assert (shop.folder / asked["manifest"]).read_bytes() == before


@pytest.mark.parametrize(("case", "asked"), RUN)
def test_a_run_buys_nothing(case: Path, asked: Asked, tmp_path: Path, double: Provider) -> None:
    """Nothing is sent to the provider; the run ends as it did, and what was paid for comes home."""
    shop = Shop.of(case, tmp_path, double)
    _hold_run(shop, asked)


@pytest.mark.parametrize(
    ("case", "asked"), [one for one in RUN if one.id in MOVED], ids=sorted(MOVED)
)
def test_a_folder_that_was_moved(
    case: Path, asked: Asked, tmp_path: Path, double: Provider
) -> None:
    """The flag of 22 November is understood: the journals remember another place."""
    shop = Shop.of(case, tmp_path, double, moved=True)
    _hold_run(shop, asked, "--adopt")


@pytest.mark.parametrize(
    ("case", "asked"), [one for one in EVERY if one.id in REFUSED], ids=sorted(REFUSED)
)
def test_a_manifest_that_is_no_longer_read(
    case: Path, asked: Asked, tmp_path: Path, double: Provider
) -> None:
    """Plan and run end with 2 and say what to do; nobody is asked, nothing is sent or changed."""
    shop = Shop.of(case, tmp_path, double)
    before = {path: path.read_bytes() for path in shop.folder.rglob("*") if path.is_file()}
    for command in ("plan", "run"):
        ended = shop(command, asked["manifest"], *asked.get("options", ()))
        assert ended.code == 2
        assert ".xlsx" in ended.err
    assert shop.double.calls == []
    assert {path: path.read_bytes() for path in before} == before


def _hold_run(shop: Shop, asked: Asked, *flags: str) -> None:
    manifest, options, run = asked["manifest"], asked.get("options", ()), asked["run"]
    before = (shop.folder / manifest).read_bytes()
    videos = {path: path.read_bytes() for path in shop.folder.glob("outputs/*/videos/*")}
    ended = shop("run", manifest, *options, *flags)
    assert shop.double.posts == [], ended.err
    assert shop.rehearsed(run["out"]) == 0, ended.err
    assert shop.summary(run["out"])["submitted"] == 0
    assert (shop.folder / manifest).read_bytes() == before
    assert {path: path.read_bytes() for path in videos} == videos
    if not asked.get("exact", True):
        return
    assert ended.code == run["exit_code"], ended.err
    assert shop.summary(run["out"])["states"] == run["states"]
    if "plan_after" in run:
        assert shop.told(manifest, *options).groups == run["plan_after"]
    else:
        assert shop.double.calls == [], "where there is nothing to do, nobody is asked"


def test_the_cases_are_those_that_were_made() -> None:
    """No file was changed, lost or added since."""
    assert sums() == SUMS.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_a_case_is_whole(case: Path) -> None:
    """It has its expectations, for each of its manifests, and they expect nothing to be bought."""
    expected = json.loads((case / EXPECTED).read_text(encoding="utf-8"))
    asked = {one["manifest"] for one in expected["manifests"]}
    manifests = {
        path.relative_to(case).as_posix()
        for path in (case / "manifests").iterdir()
        if path.suffix in {".csv", ".tsv", ".txt", ".xls", ".xlsb", ".xlsx", ".ods"}
    }
    assert manifests
    assert manifests <= asked
    about = {"edited": {"changed"}, "waiting": {"waiting"}}.get(case.name, set())
    for one in expected["manifests"]:
        assert not (BOUGHT - about) & one["plan"].keys()
        assert (case / one["manifest"]).is_file()
