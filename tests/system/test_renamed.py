"""Content is identity: whatever people do to keys, headers and order, nothing is bought twice.

Each act is done to a sheet that has run, by hand as it were, and then the product is run as a
process. The API's own records say what was submitted.
"""

from __future__ import annotations

import csv
import os
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipeline.journal.reading import read_entries
from pipeline.model import State
from pipeline.runner.api import Reelsheet
from tests.system.harness import invariants, sheets
from tests.system.harness.api import KEY, Api, wait_for
from tests.system.harness.deadly import Moment, arguments
from tests.system.harness.product import FAST, Ended, Product
from tests.system.harness.sampling import few_of

pytestmark = pytest.mark.long

Rows = list[dict[str, str]]
OF_RESULTS = ("result_video", "result_task_id", "result_attempts", "result_submitted_at")
FEW = {"limits.outstanding": "2", "limits.submits_in_flight": "2", "api.lookup_s": "1"}


@dataclass
class Shop:
    """A manifest, its output folder, and what was submitted since it was there."""

    product: Product
    api: Api
    mark: int = 0
    rows: Rows = field(default_factory=list)

    @property
    def manifest(self) -> Path:
        """The sheet."""
        return self.product.folder / "shop.csv"

    @property
    def out(self) -> Path:
        """Its output folder."""
        return self.product.folder / "outputs" / "shop"

    def write(self, rows: Rows) -> None:
        """Write the sheet anew, with the columns of its first row."""
        self.rows = rows
        with self.manifest.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, rows[0])
            table.writeheader()
            table.writerows(rows)

    def __call__(self, *arguments: str, **sets: str) -> Ended:
        """Run a command of the manifest, and hold what always holds."""
        command, *others = arguments
        before = self.manifest.read_bytes()
        ended = self.product(command, self.manifest, *others, sets=sets)
        assert self.manifest.read_bytes() == before
        entries = invariants.journal_holds(self.out)
        by_identity = {one.identity: one for one in entries.values()}
        invariants.submissions_hold(self.api, self.out, by_identity)
        return ended

    @property
    def submitted(self) -> int:
        """How many POSTs there were since the last time that this was asked."""
        before, self.mark = self.mark, self.api.mark()
        return len(self.api.calls("submit", since=before))

    @property
    def groups(self) -> dict[str, int]:
        """The plan's groups that have rows."""
        groups = self("plan", "--json").json["groups"]
        return {name: number for name, number in groups.items() if number}

    @property
    def results(self) -> Rows:
        """The results, in the order of the sheet."""
        return sheets.read(self.out / "results.csv")[1]

    @property
    def by_content(self) -> dict[str, list[tuple[str, ...]]]:
        """What the results say of the rows of each prompt, in the sheet's order."""
        found: dict[str, list[tuple[str, ...]]] = {}
        for one in self.results:
            found.setdefault(one["prompt"], []).append(tuple(one[name] for name in OF_RESULTS))
        return found

    @property
    def files(self) -> dict[str, bytes]:
        """The videos, by their names."""
        return {path.name: path.read_bytes() for path in (self.out / "videos").iterdir()}

    def accepted(self) -> Counter[str]:
        """How often the API accepted each prompt of this shop."""
        mine = {one["prompt"] for one in self.rows}
        return Counter(
            one["prompt"] for one in self.api.records()["submissions"] if one["prompt"] in mine
        )


@pytest.fixture
def shop(product: Product, api: Api) -> Shop:
    """A sheet of five rows, two of them equal, in the order of no key."""
    made = Shop(product, api, api.mark())
    name = product.folder.name
    texts = ("red mug", "bag", "twin", "cap", "twin")
    made.write(
        [
            {"sku": f"P{10 - at}", "note": f"n{at}", "prompt": f"{name}: {text}", "duration": "4"}
            for at, text in enumerate(texts)
        ]
    )
    return made


@pytest.fixture
def done(shop: Shop) -> Shop:
    """The same, run to its end: each row is bought."""
    ended = shop("run")
    assert ended.code == 0, ended.err
    assert shop.submitted == 5
    return shop


def without_key(rows: Rows) -> Rows:
    return [{name: cell for name, cell in row.items() if name != "sku"} for row in rows]


def other_header(rows: Rows) -> Rows:
    """The key column is called what nothing takes for one."""
    return [{"Article": row["sku"], **without_key([row])[0]} for row in rows]


def other_keys(rows: Rows) -> Rows:
    return [{**row, "sku": f"new {row['sku']}"} for row in rows]


def other_key_column(rows: Rows) -> Rows:
    """Another column is the key now, and the old one is still there."""
    return [{"key": f"A-{at}", "article": row["sku"], **without_key([row])[0]}
            for at, row in enumerate(rows)]  # fmt: skip


def other_spelling(rows: Rows) -> Rows:
    """Keys and seconds as another program writes them."""
    return [{**row, "sku": row["sku"].lower(), "duration": "4.0"} for row in rows]


ACTS: dict[str, Callable[[Rows], Rows]] = {
    "the header renamed": other_header,
    "the keys renamed": other_keys,
    "the key column removed": without_key,
    "another key column": other_key_column,
    "another spelling": other_spelling,
}
ORDERS: dict[str, Callable[[Rows], Rows]] = {
    "as before": list,
    "sorted anew": lambda rows: sorted(rows, key=lambda row: row["prompt"]),
}


@pytest.mark.parametrize("order", few_of(ORDERS.values(), "as before", ids=ORDERS))
@pytest.mark.parametrize(
    "act",
    few_of(
        ACTS.values(), "the keys renamed", "the key column removed", "another spelling", ids=ACTS
    ),
)
def test_an_ordinary_act_buys_nothing(
    done: Shop, act: Callable[[Rows], Rows], order: Callable[[Rows], Rows]
) -> None:
    """Plan and status know every row and write nothing; the run calls nobody, and keeps it all."""
    before, files = done.by_content, done.files
    done.write(order(act(done.rows)))
    journal = read_entries(done.out / "journal.db")
    assert done.groups == {"renamed": 5}
    told = done("plan", "-v").out
    assert "to submit: 0 rows" in told
    assert all(f"renamed from P{number}; done" in told for number in range(6, 11))
    assert done("status", "--json").json["states"] == {"done": 5}
    assert read_entries(done.out / "journal.db") == journal

    mark = done.api.mark()
    ended = done("run")
    assert ended.code == 0, ended.err
    assert done.api.calls(since=mark) == []
    assert "5 rows renamed since the last run; what was paid for is kept" in ended.err
    assert done.by_content == before, "of equal rows, too, each keeps its own video"
    assert done.files == files
    assert done.groups == {"done": 5}
    log = (done.out / "run.log").read_text(encoding="utf-8")
    assert log.count('"event": "Renamed"') == 5

    again = done("run")
    assert (again.code, done.submitted) == (0, 0)
    assert "renamed" not in again.err


def test_there_and_back(done: Shop) -> None:
    """Renamed, without a key, and with the first keys again: the same entries all the while."""
    rows, before = done.rows, done.by_content
    identities = {one.identity for one in read_entries(done.out / "journal.db").values()}
    for act in (other_keys, without_key, list):
        done.write(act(rows))
        assert done("run").code == 0
    assert done.submitted == 0
    assert done.by_content == before
    entries = read_entries(done.out / "journal.db")
    assert entries.keys() == identities == {one.identity for one in entries.values()}


def test_a_key_column_that_is_named_in_the_settings(done: Shop) -> None:
    """The keys are the same by whatever header, so nothing is renamed."""
    done.write(other_header(done.rows))
    ended = done("run", **{"manifest.key": "Article"})
    assert (ended.code, done.submitted) == (0, 0)
    assert "renamed" not in ended.err
    assert read_entries(done.out / "journal.db").keys() == {f"P{n}" for n in range(6, 11)}


def test_a_key_column_that_is_added(shop: Shop) -> None:
    """Rows that were told apart by their contents get keys; equal ones in their order."""
    rows = shop.rows
    shop.write(without_key(rows))
    assert shop("run").code == 0
    assert shop.submitted == 5
    before = shop.by_content
    shop.write(sorted(rows, key=lambda row: row["prompt"]))
    assert shop.groups == {"renamed": 5}
    assert shop("run").code == 0
    assert shop.submitted == 0
    assert shop.by_content == before
    assert shop.groups == {"done": 5}


def test_new_rows_among_renamed_ones_are_bought_and_no_others(done: Shop) -> None:
    """What is new is wanted: one row of its own, and one more of the equal ones."""
    name = done.product.folder.name
    more = [
        {"sku": "N1", "note": "", "prompt": f"{name}: hat", "duration": "4"},
        {"sku": "N2", "note": "", "prompt": f"{name}: twin", "duration": "4"},
    ]
    done.write([*more[:1], *other_keys(done.rows), *more[1:]])
    assert done.groups == {"renamed": 5, "new": 2}
    assert done("run").code == 0
    assert done.submitted == 2
    assert done.accepted() == Counter(
        {f"{name}: {text}": number for text, number in
         (("red mug", 1), ("bag", 1), ("cap", 1), ("twin", 3), ("hat", 1))}
    )  # fmt: skip


def test_swapped_keys_are_two_renamed_rows(done: Shop) -> None:
    """Both keys stand: each row has its own video under its new key, and nothing is bought."""
    before = done.by_content
    first, second, *others = done.rows
    done.write([{**first, "sku": second["sku"]}, {**second, "sku": first["sku"]}, *others])
    assert done.groups == {"renamed": 2, "done": 3}
    assert done("run").code == 0
    assert done.submitted == 0
    assert done.by_content == before
    assert done.groups == {"done": 5}


def numbered(rows: Rows) -> Rows:
    """Fill the numbers in anew, from 1."""
    return [{**row, "sku": str(at)} for at, row in enumerate(rows, 1)]


def each_its_own(shop: Shop) -> None:
    """Each row of the results is done, with the video of the task that was asked for its prompt."""
    asked = {one["task_id"]: one["prompt"] for one in shop.api.records()["submissions"]}
    results = shop.results
    assert [one["sku"] for one in results] == [one["sku"] for one in shop.rows]
    assert {one["result_state"] for one in results} == {"done"}
    assert all(asked[one["result_task_id"]] == one["prompt"] for one in results)
    assert len({one["result_video"] for one in results}) == len(results)
    assert all((shop.out / one["result_video"]).is_file() for one in results)
    bought = [one for one in asked.values() if one.startswith(f"{shop.product.folder.name}: ")]
    assert len(bought) == len(set(bought)), "also of rows that have left the manifest"
    assert not shop.api.repeated()


@pytest.fixture
def eight(shop: Shop) -> Shop:
    """Eight rows, all different, under the numbers 1 to 8."""
    name = shop.product.folder.name
    shop.write(
        numbered([{"sku": "", "prompt": f"{name}: {at}", "duration": "4"} for at in "abcdefgh"])
    )
    return shop


@pytest.mark.long
def test_a_few_rows_then_sorted_the_other_way_and_numbered_anew(eight: Shop) -> None:
    """What the first run bought is known under the other numbers; the others are bought once."""
    assert eight("run", "--limit", "4").code == 0
    assert eight.submitted == 4
    eight.write(numbered(eight.rows[::-1]))
    assert eight.groups == {"renamed": 4, "new": 4}
    ended = eight("run")
    assert (ended.code, eight.submitted) == (0, 4), ended.err
    each_its_own(eight)
    eight.write(numbered(eight.rows[3:] + eight.rows[:3]))
    assert eight.groups == {"renamed": 8}
    assert eight("run").code == 0
    assert eight.submitted == 0
    each_its_own(eight)


def test_a_row_on_top_and_numbered_anew(eight: Shop) -> None:
    """Only that row is bought, also where the others are under way when they get their numbers."""
    name = eight.product.folder.name
    process = eight.product.start("run", eight.manifest, sets={"polling.first_s": "60"})
    known = eight.out / "journal.db"
    wait_for(
        "running rows",
        lambda: (
            known.exists()
            and [one.state for one in read_entries(known).values()] == [State.RUNNING] * 8
        ),
    )
    os.killpg(process.pid, signal.SIGKILL)
    eight.product.end(process)
    assert eight.submitted == 8
    for turn in range(2):
        top = {"sku": "", "prompt": f"{name}: top {turn}", "duration": "4"}
        eight.write(numbered([top, *eight.rows]))
        assert eight.groups == {"new": 1, "renamed": 8 + turn}
        ended = eight("run")
        assert (ended.code, eight.submitted) == (0, 1), ended.err
        each_its_own(eight)


@pytest.mark.long
def test_the_first_row_deleted_and_numbered_anew(eight: Shop) -> None:
    """It has left the manifest and may come back; its key is another row's by then."""
    assert eight("run").code == 0
    assert eight.submitted == 8
    rows = eight.rows
    for left, groups in (
        (rows[1:], {"renamed": 7}),
        (rows[2:], {"renamed": 6}),
        (rows, {"renamed": 8}),
    ):
        eight.write(numbered(left))
        assert eight.groups == groups
        ended = eight("run")
        assert (ended.code, eight.submitted) == (0, 0), ended.err
        each_its_own(eight)
    for said in (*eight.product.said, (eight.out / "run.log").read_text(encoding="utf-8")):
        assert "\x1f" not in said
        assert "\\u001f" not in said
    assert "1 aside" in eight("plan", "-v").out + (eight.out / "run.log").read_text("utf-8")


def test_a_doubt_whose_key_is_taken_can_still_be_settled(eight: Shop) -> None:
    """Its row was deleted, the others moved up: it is listed, and taken by what is listed."""
    eight.api.faults("submit_reset*2")
    quick = {"api.lookup_s": "0.3", "limits.submits_in_flight": "1"}
    assert eight("run", **quick).code == 3
    assert eight.submitted == 8
    eight.write(numbered(eight.rows[2:]))
    for turn in range(2):
        listed = eight("resolve", "--all", "--json").json["rows"]
        assert [one["row"] for one in listed] == [None] * (2 - turn)
        key = listed[0]["key"]
        assert key == f"{1 + turn} aside"
        assert eight("resolve", key, "--not-sent").code == 0
        eight("run", **quick)
        assert eight.submitted == 0
    assert eight("run", **quick).code == 0
    each_its_own(eight)


def test_a_key_that_comes_back_for_another_product(done: Shop) -> None:
    """Its references and files are its own, time after time; the first product keeps its video."""
    name = done.product.folder.name
    first, *others = done.rows
    file, content = done.results[0]["result_video"], dict(done.files)
    moved: Rows = []
    for turn in range(2):
        product = first if turn == 0 else {**first, "prompt": f"{name}: turn {turn}"}
        moved.append({**product, "sku": f"moved {turn}"})
        done.write([*moved, *others])
        assert done.groups == {"renamed": 1, "done": len(done.rows) - 1}
        assert done("run").code == 0
        assert done.submitted == 0
        done.write([{**first, "prompt": f"{name}: turn {turn + 1}"}, *moved, *others])
        assert done.groups == {"new": 1, "done": len(done.rows) - 1}
        assert done("run").code == 0
        assert done.submitted == 1
    assert set(done.accepted().values()) == {1, 2}, "twice the twins, and all others once"
    assert not done.api.repeated()
    results = done.results
    assert len({one["result_video"] for one in results}) == len(results) == 7
    assert results[1]["sku"] == "moved 0"
    assert results[1]["result_video"] == file
    assert {name: done.files[name] for name in content} == content
    assert all(one["result_state"] == "done" for one in results)

    assert done("run", "--redo", "moved 0").code == 0
    assert done.submitted == 1
    assert done.results[1]["result_video"] == file.replace(".mp4", "-2.mp4")
    assert {name: done.files[name] for name in content} == content
    assert not done.api.repeated()


def test_a_killed_run_whose_rows_are_renamed(shop: Shop) -> None:
    """In doubt and under way when the process died: each row is found again, none is bought."""
    shop.api.faults("submit_slow@1")
    process = shop.product.start("run", shop.manifest, sets=FEW)
    wait_for("a submission", lambda: shop.api.calls("submit", since=shop.mark))
    os.killpg(process.pid, signal.SIGKILL)
    shop.product.end(process)
    shop.api.faults()
    states = {one.state for one in read_entries(shop.out / "journal.db").values()}
    assert states == {State.SUBMITTING}
    shop.write(ORDERS["sorted anew"](other_keys(shop.rows)))
    groups = shop.groups
    assert groups == {"renamed": groups["renamed"], "new": 5 - groups["renamed"]}
    assert groups["renamed"] >= 1
    ended = shop("run", **FEW)
    assert ended.code == 0, ended.err
    name = shop.product.folder.name
    assert shop.accepted()[f"{name}: twin"] == 2
    assert set(shop.accepted().values()) == {1, 2}
    assert sum(shop.accepted().values()) == 5
    assert {one["result_state"] for one in shop.results} == {"done"}


def test_running_rows_that_are_renamed(shop: Shop) -> None:
    """Accepted, and the process died before it asked for them: they are taken up."""
    process = shop.product.start("run", shop.manifest, sets={"polling.first_s": "60"})
    known = shop.out / "journal.db"
    wait_for(
        "running rows",
        lambda: (
            known.exists()
            and [one.state for one in read_entries(known).values()] == [State.RUNNING] * 5
        ),
    )
    os.killpg(process.pid, signal.SIGKILL)
    shop.product.end(process)
    assert shop.submitted == 5
    shop.write(without_key(shop.rows))
    assert shop.groups == {"renamed": 5}
    ended = shop("run")
    assert (ended.code, shop.submitted) == (0, 0), ended.err
    assert {one["result_state"] for one in shop.results} == {"done"}


WRITING = Moment("journal.writing", "EventWriter._write_events", "return", "Renamed")
KILLED: dict[str, tuple[Moment, ...]] = {
    "before": (Moment("journal.journal", "Journal.append", kind="Renamed"),),
    "in the transaction": (WRITING,),
    "after the commit": (WRITING, Moment("journal.writing", "EventWriter.conclude")),
    "before the results": (Moment("writer.publish", "publish"),),
}


def round_about(rows: Rows) -> Rows:
    """Each row has the key of the next: no key is new, and each has another row."""
    keys = [row["sku"] for row in rows]
    return [{**row, "sku": key} for row, key in zip(rows, keys[1:] + keys[:1], strict=True)]


def keys_in(shop: Shop) -> dict[str, str]:
    """The keys that the entries of the journal have now."""
    return {one.identity: key for key, one in read_entries(shop.out / "journal.db").items()}


@pytest.mark.parametrize("act", [other_keys, round_about])
@pytest.mark.parametrize("moments", KILLED.values(), ids=KILLED)
def test_killed_while_rows_are_renamed(
    done: Shop, moments: tuple[Moment, ...], act: Callable[[Rows], Rows]
) -> None:
    """All keys are old or all are new, and the next run buys nothing either way."""
    before, first = done.by_content, keys_in(done)
    old = [row["sku"] for row in done.rows]
    done.write(act(done.rows))
    new = dict(zip(old, [row["sku"] for row in done.rows], strict=True))
    process = done.product.start("run", done.manifest, program=arguments(moments))
    assert done.product.end(process).code == -signal.SIGKILL
    assert keys_in(done) in (first, new)
    assert done("run").code == 0
    assert done.submitted == 0
    assert done.by_content == before
    assert keys_in(done) == new


def test_what_failed_moves_with_its_attempts(shop: Shop) -> None:
    """It is left alone without --retry, and limits.attempts counts what there was before."""
    shop.api.faults("query_failed_error@internal_error")
    limits = {"limits.attempts": "2"}
    assert shop("run", **limits).code == 1
    assert shop.submitted == 5
    shop.write(other_keys(shop.rows))
    assert shop.groups == {"renamed": 5}
    ended = shop("run", **limits)
    assert (ended.code, shop.submitted) == (1, 0)
    assert shop("retry", **limits).code == 1
    assert shop.submitted == 5
    assert {one["result_attempts"] for one in shop.results} == {"2"}
    shop.write(without_key(shop.rows))
    assert shop("retry", **limits).code == 1
    assert shop.submitted == 0
    assert not shop.api.repeated()
    assert all("limits.attempts" in one["result_action"] for one in shop.results)


def test_rows_that_left_stay_gone_and_may_come_back(done: Shop) -> None:
    """Nobody has their content: they are kept, and known again under any key."""
    rows = done.rows
    done.write(rows[:2])
    assert done.groups == {"done": 2}
    assert done("run").code == 0
    done.write([*rows[:2], *other_keys(rows[2:])])
    assert done.groups == {"done": 2, "renamed": 3}
    assert done("run").code == 0
    assert done.submitted == 0


def test_the_corrected_rows_take_nothing_from_the_others(shop: Shop) -> None:
    """failed.csv holds some rows of the sheet: what is not in it is not gone."""
    rows = [*shop.rows[:4], {**shop.rows[4], "duration": "5"}]
    shop.write(rows)
    assert shop("run").code == 1
    assert shop.submitted == 4
    failed = shop.out / "failed.csv"
    failed.write_text(failed.read_text(encoding="utf-8").replace(",5,", ",4,"), encoding="utf-8")
    assert shop.product("run", failed).code == 0
    assert shop.submitted == 1, "the twin of a row that is done, and a row of its own"
    shop.write([*rows[:4], {**rows[4], "duration": "4"}])
    assert shop.groups == {"done": 5}


def test_report_writes_the_results_under_the_new_keys(done: Shop) -> None:
    """It writes nothing to the journal: that is for a run."""
    before, journal = done.by_content, read_entries(done.out / "journal.db")
    done.write(other_keys(done.rows))
    ended = done("report")
    assert ended.code == 0, ended.err
    assert [one["sku"] for one in done.results] == [one["sku"] for one in done.rows]
    assert done.by_content == before
    assert read_entries(done.out / "journal.db") == journal
    assert done.submitted == 0


def test_a_renamed_doubt_is_settled_by_its_new_key(shop: Shop) -> None:
    """`resolve` shows and takes the key that the row has in the sheet, and the old one too."""
    shop.api.faults("submit_reset*2")
    quick = {"api.lookup_s": "0.3", "limits.submits_in_flight": "1"}
    assert shop("run", **quick).code == 3
    shop.write(other_keys(shop.rows))
    listed = shop("resolve", "--all", "--json").json["rows"]
    keys = [one["key"] for one in listed]
    assert len(keys) == 2
    assert all(key.startswith("new P") for key in keys)
    assert [one["row"] for one in listed] == [2, 3]
    before = shop.submitted
    assert before == 5
    assert shop("resolve", keys[0], "--not-sent").code == 0
    assert shop("resolve", keys[1].removeprefix("new "), "--not-sent").code == 0
    assert shop("run", **quick).code == 0
    assert shop.submitted == 2
    assert set(shop.accepted().values()) == {1, 2}


def test_a_program_is_told(done: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps, statuses and results name the earlier key; a run that renamed is told of it too."""
    monkeypatch.setenv("TOAPIS_API_KEY", KEY)
    settings: dict[str, Any] = {**FAST, "api.base_url": done.api.base_url}
    program = Reelsheet(done.manifest, out=done.out, settings=settings)
    keys: Sequence[str] = [one["sku"] for one in done.rows]
    done.write(other_keys(done.rows))
    plan = program.plan()
    assert plan.groups["renamed"] == 5
    assert [step.renamed_from for step in plan.steps] == keys
    assert {step.group for step in plan.steps} == {"renamed"}
    assert [row.renamed_from for row in program.status().rows] == keys
    report = program.run()
    assert (report.exit_code, report.submitted) == (0, 0)
    assert [(row.key, row.renamed_from) for row in report.results] == [
        (f"new {key}", key) for key in keys
    ]
    assert {row.renamed_from for row in program.status().rows} == {None}
