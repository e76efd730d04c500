"""Repeats in a run: their videos are copied, checked, and noted, before anything is sent."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from pipeline import events as ev
from pipeline.account.submission import KnownJournal, Submission
from pipeline.checker.check import CheckedManifest, check_manifest
from pipeline.checker.naming import reference
from pipeline.config.loading import load
from pipeline.disk.folder import OutputFolder
from pipeline.errors import ExitCode
from pipeline.journal.decisions import DecisionTable
from pipeline.journal.handovers import Handover, note_handovers
from pipeline.journal.journal import Journal
from pipeline.journal.reading import read_entries, replay
from pipeline.manifest.blank import has_controls
from pipeline.manifest.wording import quote_name
from pipeline.model import Decision, Entry, Request, State, Video
from pipeline.planner.heldback import Hold
from pipeline.planner.plan import Action, Plan
from pipeline.planner.planner import known_rows
from pipeline.planner.repeats import Compared
from pipeline.planner.selection import Selection
from pipeline.runner import takes
from pipeline.runner.comparison import Comparison
from pipeline.runner.reuse import Copying
from pipeline.storage.storedfiles import StoredFile
from pipeline.writer.outcome import code_of_held, remarks
from pipeline.writer.publish import results_of
from tests.journal.lives import intended

CONTENT = b"a video"
VIDEO = Video("C012.mp4", len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), 6.0, 1280, 720)


@dataclass
class Desk:
    """A manifest, its output folder, and what the account bought elsewhere."""

    root: Path
    bought: dict[str, list[Submission]] = field(default_factory=dict)
    noted: list[ev.Event] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    editions: list[tuple[KnownJournal, frozenset[str]]] = field(default_factory=list)
    copies: dict[str, list[Path]] = field(default_factory=dict)
    asked_for_copies: list[str] = field(default_factory=list)

    @property
    def folder(self) -> OutputFolder:
        return OutputFolder(self.root / "outputs" / "shop")

    @property
    def checked(self) -> CheckedManifest:
        return check_manifest(self.root / "shop.csv", load(None, environ={}), cache_dir=None)

    def write(self, *rows: tuple[str, str]) -> None:
        lines = "".join(f"{key},{prompt}\n" for key, prompt in rows)
        (self.root / "shop.csv").write_text(f"key,prompt\n{lines}", encoding="utf-8")

    def has_any(self) -> bool:
        return True

    def bought_elsewhere(self, hashes: Collection[str]) -> Mapping[str, Sequence[Submission]]:
        self.asked += hashes
        return {one: self.bought[one] for one in hashes if one in self.bought}

    def prompts(self) -> Iterable[str]:
        return [one.request.prompt for some in self.bought.values() for one in some]

    def with_controls(self) -> Sequence[Request]:
        bought = (one.request for some in self.bought.values() for one in some)
        return [one for one in bought if has_controls(one.prompt)]

    def keys_elsewhere(
        self, keys: Collection[str]
    ) -> Sequence[tuple[KnownJournal, frozenset[str]]]:
        return [(one, there.intersection(keys)) for one, there in self.editions]

    def bought_for(self, journal_id: str) -> Sequence[Submission]:
        found = (one for submissions in self.bought.values() for one in submissions)
        return [one for one in found if one.journal_id == journal_id]

    def copies_of(self, tasks: Collection[str]) -> Mapping[str, Sequence[StoredFile]]:
        self.asked_for_copies += tasks
        there = (task for task in tasks if task in self.copies)
        return {task: [StoredFile(path) for path in self.copies[task]] for task in there}

    def copy_of(self, one: Submission, content: bytes = CONTENT) -> Path:
        """Have a file that a third folder got for a task."""
        files = self.copies.setdefault(one.task_id or "", [])
        path = self.root / f"{one.key} in folder {len(files)}.mp4"
        path.write_bytes(content)
        files.append(path)
        return path

    def request(self, prompt: str) -> Request:
        """What the account would be told of a row with this prompt."""
        found = self.checked.requests_by_hash.values()
        return next(one for one in found if one.prompt == prompt)

    def buy(self, prompt: str, name: str, content: bytes = CONTENT) -> Submission:
        """Have bought a video of a request that is in the manifest, in another folder."""
        there = self.root / "other" / "products"
        (there / "videos").mkdir(parents=True, exist_ok=True)
        (there / "videos" / f"{name}.mp4").write_bytes(content)
        request = self.request(prompt)
        one = Submission(
            reference=f"rs-{name}",
            journal_id="other",
            folder=str(there),
            manifest=str(self.root / "products.xlsx"),
            identity=name,
            key=name,
            number=1,
            request=request,
            state=State.DONE,
            video_name=f"{name}.mp4",
            task_id=f"task-{name}",
            submitted_at=5.0,
            finished_at=60.0,
            video=replace(VIDEO, name=f"{name}.mp4"),
        )
        self.bought.setdefault(request.request_hash, []).append(one)
        return one

    def compare(self, selection: Selection | None = None, *sets: str) -> Comparison:
        entries, renamed = known_rows(self.checked, self.folder)
        return Comparison.of(
            self.checked,
            entries,
            self.folder,
            selection or Selection(),
            config=load(None, environ={}, overrides=sets),
            purchases=self,
            renamed=renamed,
            wall=1000.0,
        )

    def copy(self, comparison: Comparison | None = None, *, stop_after: int | None = None) -> Plan:
        """Do as a run does before it submits; the journal is what its events add up to."""
        comparison = comparison or self.compare()
        entries = dict(comparison.entries)
        with contextlib.closing(Journal(self.folder.journal)) as journal:
            copying = Copying(
                journal,
                self.folder,
                note=self.noted.append,
                mode=0o600,
                stopped=lambda: stop_after is not None and len(self.noted) >= stop_after,
            )
            compared = copying.carry_out(comparison, entries, 1000.0)
        assert self.entries == entries == replay(self.folder.journal)
        return compared.plan

    @property
    def entries(self) -> dict[str, Entry]:
        return read_entries(self.folder.journal)

    @property
    def videos(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.videos.iterdir()}

    def done(self, key: str, prompt: str, number: int, content: bytes = CONTENT) -> None:
        """Write a row's finished attempt into the journal, and its video."""
        with contextlib.closing(Journal(self.folder.journal)) as journal:
            begun = intended(key, number)
            name = f"{key}.mp4" if number == 1 else f"{key}-{number}.mp4"
            ref = reference(journal.id, key, number)
            attempt = replace(
                begun.attempt,
                request=self.request(prompt),
                client_business_id=ref,
                video_name=name,
            )
            self.folder.videos.mkdir(parents=True, exist_ok=True)
            (self.folder.videos / name).write_bytes(content)
            video = replace(
                VIDEO,
                name=name,
                size_bytes=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
            )
            earlier: list[ev.Event] = [ev.Requeued(key, number - 1)] if number > 1 else []
            events = [
                *earlier,
                replace(begun, attempt=attempt),
                ev.Accepted(key, number, f"task-{key}-{number}"),
                ev.Completed(key, number, 30.0),
                ev.Downloaded(key, number, video),
            ]
            journal.append(events, 100.0).result()


def quoted(folder: Path | str, name: str = "") -> str:
    """Return a path as it is pasted into a command."""
    return quote_name(str(Path(folder, name)))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An empty output folder, and nothing bought."""
    made = Desk(tmp_path)
    made.folder.root.mkdir(parents=True)
    made.write(("x", "a mug"), ("y", "a bag"))
    return made


def test_a_repeat_is_copied_and_done_before_anything_is_sent(desk: Desk) -> None:
    """No attempt, no cost, the task of the original, a file of its own, and a word about it."""
    one = desk.buy("a mug", "C012")
    plan = desk.copy()
    assert [step.action for step in plan.steps] == [Action.REUSE, Action.SUBMIT]
    entry = desk.entries["x"]
    assert (entry.state, entry.task_id, entry.finished_at) == (State.DONE, "task-C012", 60.0)
    assert (entry.submissions, entry.submitted_at, entry.attempt.cost) == (0, None, 0.0)
    assert desk.videos == {"x.mp4": CONTENT}
    source = Path(one.folder) / "videos" / "C012.mp4"
    assert source.stat().st_nlink == (desk.folder.videos / "x.mp4").stat().st_nlink == 1
    result = results_of(desk.checked, plan, desk.entries)[0]
    assert (result.state, result.attempts, result.task_id) == (State.DONE, 0, "task-C012")
    (said,) = result.warnings
    assert said == f"taken from C012 of {desk.root}/products.xlsx; --pay-again x for a fresh take"
    assert [type(event) for event in desk.noted] == [ev.Reused]


def test_of_a_large_manifest_only_rows_with_a_known_prompt_are_compared(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In whatever spelling: what was bought before is found as in a small one."""
    monkeypatch.setattr(takes, "_MANY_ROWS", 0)
    desk.write(("x", '"a caf\u00e9,\n\x07steam"'))
    desk.buy("a caf\u00e9,\n\x07steam", "C012")
    desk.write(("y", '"a cafe\u0301,\r\nsteam"'), ("z", "a bag"))
    desk.asked.clear()
    comparison = desk.compare()
    assert [step.action for step in comparison.compare().plan.steps] == [
        Action.REUSE,
        Action.SUBMIT,
    ]
    bag = comparison.checked.requests_by_key["z"]
    assert bag.request_hash not in desk.asked


def test_a_large_manifest_is_compared_whole_where_a_prompt_is_not_known(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a row that was edited before its journal was lost, the hash of its request is left."""
    monkeypatch.setattr(takes, "_MANY_ROWS", 0)
    desk.write(("x", "a mug"))
    (one,) = desk.bought[desk.buy("a mug", "C012").request.request_hash]
    unknown = replace(one.request, prompt="", images=())
    desk.bought = {unknown.request_hash: [replace(one, request=unknown)]}
    desk.write(("y", "a mug"), ("z", "a bag"))
    assert [step.action for step in desk.compare().compare().plan.steps] == [
        Action.REUSE,
        Action.SUBMIT,
    ]


def test_a_later_take_has_a_reference_that_was_never_sent(desk: Desk) -> None:
    """The number of the reused take is used up, though nothing went out under it."""
    desk.buy("a mug", "C012")
    desk.copy()
    assert desk.entries["x"].next_number == 2


def test_done_rows_are_left_alone_and_nothing_is_asked(desk: Desk) -> None:
    """The second time there is nothing to do."""
    desk.write(("x", "a mug"))
    desk.buy("a mug", "C012")
    desk.copy()
    desk.asked.clear()
    plan = desk.copy()
    assert [step.action for step in plan.steps] == [Action.LEAVE]
    assert desk.asked == []


def test_a_file_that_is_gone_or_changed_is_passed_over(desk: Desk) -> None:
    """The next one is taken; one of the same length is found out when it is copied."""
    desk.buy("a mug", "gone", b"")
    desk.buy("a mug", "other", b"another")
    desk.buy("a mug", "right")
    plan = desk.copy()
    assert plan.steps[0].repeat_of is not None
    assert plan.steps[0].repeat_of.key == "right"
    assert desk.videos == {"x.mp4": CONTENT}


@pytest.mark.parametrize("original", [b"", b"another"], ids=["gone", "changed"])
def test_a_good_copy_of_the_take_is_as_good_as_its_first_file(desk: Desk, original: bytes) -> None:
    """The first copy whose content is right, wherever it lies; the row says whose video it is."""
    one = desk.buy("a mug", "C012", original)
    bad, _ = desk.copy_of(one, b"a movie"), desk.copy_of(one)
    plan = desk.copy()
    assert plan.steps[0].action is Action.REUSE
    assert plan.steps[0].repeat_of == one
    assert desk.videos == {"x.mp4": CONTENT}
    assert bad.read_bytes() == b"a movie"
    (said,) = results_of(desk.checked, plan, desk.entries)[0].warnings
    assert said.startswith("taken from C012 of ")


@pytest.mark.parametrize("content", [CONTENT, b"a movie"], ids=["right", "changed"])
def test_a_take_that_was_handed_over_is_as_good(desk: Desk, content: bytes) -> None:
    """Its file may have gone from `videos` since; what was changed there is not taken for it."""
    one = desk.buy("a mug", "C012", b"")
    there = OutputFolder(Path(one.folder))
    with contextlib.closing(Journal(there.journal)):
        pass
    note_handovers(there.journal, [Handover(1.0, one.identity, 1, VIDEO.sha256, "Mug")])
    copy = there.approved / "Mug" / "Mug.mp4"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(content)
    plan = desk.copy()
    right = content == CONTENT
    assert plan.steps[0].action is (Action.REUSE if right else Action.LEAVE)
    assert [*desk.folder.videos.glob("*")] == [desk.folder.videos / "x.mp4"] * right
    assert copy.read_bytes() == content


def _judge(one: Submission, verdict: str) -> None:
    """Have somebody say something of a video, in the folder that it was made for."""
    there = OutputFolder(Path(one.folder))
    with contextlib.closing(Journal(there.journal)):
        pass
    with DecisionTable(there.journal) as table:
        table.add(None, lambda _: [Decision(one.identity, 1, VIDEO.sha256, verdict)])


def test_what_was_rejected_serves_no_other_row(desk: Desk) -> None:
    """The row waits, as bought before, and says where; taken back, the verdict is none."""
    one = desk.buy("a mug", "C012")
    _judge(one, "reject")
    plan = desk.copy()
    result = results_of(desk.checked, plan, desk.entries)[0]
    assert (result.state, plan.steps[0].hold) == (State.WAITING, Hold.REJECTED)
    assert result.action == (
        f"Bought for C012 of {desk.root}/products.xlsx, in {one.folder}. Its video was rejected "
        "there. To pay for another one: "
        f"reelsheet run {quoted(desk.root, 'shop.csv')} --pay-again x."
    )
    (said,) = remarks(plan.steps, [result, result], stopped=True)
    assert "bought before, and rejected there; see result_action" in said
    _judge(one, "")
    assert desk.copy().steps[0].action is Action.REUSE


def test_of_several_takes_the_approved_one_serves(desk: Desk) -> None:
    """It does before one that was bought later and nobody has looked at."""
    approved, later = desk.buy("a mug", "C012"), desk.buy("a mug", "C013")
    desk.bought[later.request.request_hash] = [replace(later, submitted_at=9.0), approved]
    _judge(approved, "approve")
    assert desk.copy().steps[0].repeat_of == approved


def test_where_the_file_is_there_nobody_looks_for_copies(desk: Desk) -> None:
    """All journals of the account would be read."""
    desk.copy_of(desk.buy("a mug", "C012"))
    desk.copy()
    assert desk.asked_for_copies == []


def test_where_none_can_be_had_the_row_waits_and_says_what_to_do(desk: Desk) -> None:
    """Its row names the other row, its folder, and the way to pay on purpose."""
    one = desk.buy("a mug", "C012", b"another")
    plan = desk.copy()
    assert plan.steps[0].held
    assert desk.entries == {}
    result = results_of(desk.checked, plan, desk.entries)[0]
    assert result.state is State.WAITING
    assert result.error == (
        "its request was bought for C012 of products.xlsx; its video file is gone, was changed or "
        "cannot be read"
    )
    assert result.action == (
        f"Bought for C012 of {desk.root}/products.xlsx, in {one.folder}. Its video was "
        f"{one.folder}/videos/C012.mp4: put it back, or make it readable, and run again. To pay "
        f"for another one: reelsheet run {quoted(desk.root, 'shop.csv')} --pay-again x."
    )
    assert code_of_held(plan.steps) is ExitCode.NEEDS_USER
    assert code_of_held(plan.steps[:1]) is ExitCode.USAGE
    assert code_of_held(plan.steps[1:]) is ExitCode.DONE


def test_a_repeat_under_way_says_that_it_will_be_free(desk: Desk) -> None:
    """So nobody pays for it out of impatience."""
    one = desk.buy("a mug", "C012")
    desk.bought[one.request.request_hash] = [replace(one, state=State.RUNNING, video=None)]
    (desk.root / "products.xlsx").touch()
    plan = desk.copy()
    result = results_of(desk.checked, plan, desk.entries)[0]
    assert "its video is being made" in (result.error or "")
    assert result.action == (
        f"Bought for C012 of {desk.root}/products.xlsx, in {one.folder}. Run again when it is "
        "done: its video is free then. If no run is working on it: "
        f"reelsheet fetch {quoted(desk.root, 'products.xlsx')} --out {quoted(one.folder)}."
    )


@pytest.mark.parametrize("state", [State.RUNNING, State.IN_DOUBT])
def test_where_the_first_manifest_is_gone_this_one_takes_its_folder_over(
    desk: Desk, state: State
) -> None:
    """Nothing else can have the work there finished."""
    one = desk.buy("a mug", "C012")
    desk.bought[one.request.request_hash] = [replace(one, state=state, video=None)]
    result = results_of(desk.checked, desk.copy(), desk.entries)[0]
    command = f"reelsheet fetch {quoted(desk.root, 'shop.csv')} --out {quoted(one.folder)} --adopt"
    assert (result.action or "").endswith(f": {command}.")


@pytest.mark.parametrize(
    ("state", "remark", "action"),
    [
        (State.SUBMITTING, "still being made there; run again when it is done", "fetch"),
        (State.READY, "still being made there; run again when it is done", "fetch"),
        (State.IN_DOUBT, "in doubt there", "resolve"),
        (State.MISSING, "missing or expired there", "run"),
        (State.EXPIRED, "missing or expired there", "run"),
    ],
)
def test_each_reason_to_wait_has_a_remedy_of_its_own(
    desk: Desk, state: State, remark: str, action: str
) -> None:
    """Nobody is told to pay for a video that may still come free."""
    one = desk.buy("a mug", "C012")
    there = replace(one, state=state, video=None, manifest=str(desk.root / "all of it.xlsx"))
    Path(there.manifest).touch()
    desk.bought[one.request.request_hash] = [there]
    plan = desk.copy()
    result = results_of(desk.checked, plan, desk.entries)[0]
    assert (result.state, result.attempts, result.seconds) == (State.WAITING, 0, None)
    other = f"{quoted(there.manifest)} --out {quoted(there.folder)}"
    command = {
        "fetch": f"reelsheet fetch {other}",
        "resolve": f"reelsheet resolve {other} --all",
        "run": f"reelsheet run {quoted(desk.root, 'shop.csv')} --pay-again x",
    }[action]
    assert (result.action or "").endswith(f": {command}.")
    assert ("--pay-again" in (result.action or "")) == (action == "run")
    (said,) = remarks(plan.steps, [result, result], stopped=True)
    assert said.startswith("1 row not sent: bought before, and ")
    assert remark in said


def test_held_by_the_setting_a_row_says_so(desk: Desk) -> None:
    """Its video could be had: with the setting, or paid for."""
    one = desk.buy("a mug", "C012")
    plan = desk.copy(desk.compare(None, "repeats=hold"))
    result = results_of(desk.checked, plan, desk.entries)[0]
    assert result.action == (
        f"Bought for C012 of {desk.root}/products.xlsx, in {one.folder}. To get a copy of its "
        f"video, free: reelsheet run {quoted(desk.root, 'shop.csv')} --set repeats=reuse. "
        f"To pay for another one: reelsheet run {quoted(desk.root, 'shop.csv')} --pay-again x."
    )
    (said,) = remarks(plan.steps, [result, result], stopped=True)
    assert "repeats is set to hold" in said


def test_equal_rows_get_a_video_each_as_far_as_there_are(desk: Desk) -> None:
    """Two takes, one damaged, and three equal rows: a copy, one that waits, one that is bought."""
    desk.write(("a", "a mug"), ("b", "a mug"), ("c", "a mug"))
    desk.buy("a mug", "damaged", b"another")
    desk.buy("a mug", "right")
    plan = desk.copy()
    assert [step.action for step in plan.steps] == [Action.REUSE, Action.LEAVE, Action.SUBMIT]
    assert desk.videos == {"a.mp4": CONTENT}
    comparison = desk.compare()
    assert [step.action for step in comparison.compare().plan.steps] == [
        Action.LEAVE,
        Action.REUSE,  # its damage is found out again when it is copied
        Action.SUBMIT,
    ]
    assert [step.held for step in desk.copy(comparison).steps] == [False, True, False]


def test_a_run_that_is_to_end_copies_no_more(desk: Desk) -> None:
    """What was copied is noted; the others wait for the next run."""
    desk.buy("a mug", "C012")
    desk.buy("a bag", "C013")
    desk.copy(stop_after=1)
    assert set(desk.entries) == {"x"}
    desk.copy()
    assert set(desk.entries) == {"x", "y"}


def test_what_a_killed_run_copied_is_copied_over(desk: Desk) -> None:
    """A file without an event counts for nothing."""
    desk.folder.videos.mkdir()
    (desk.folder.videos / "x.mp4").write_bytes(b"half of a")
    desk.buy("a mug", "C012")
    desk.copy()
    assert desk.videos == {"x.mp4": CONTENT}


def test_edited_away_and_back_again_gives_the_take_back(desk: Desk) -> None:
    """The first take, as a file of its own; the edit's take stays where it is."""
    desk.write(("x", "a mug"), ("y", "a bag"))
    desk.done("x", "a mug", 1, b"the mug")
    desk.done("x", "a bag", 2, b"the bag")
    desk.write(("x", "a mug"))
    plan = desk.copy()
    assert [step.action for step in plan.steps] == [Action.REUSE]
    entry = desk.entries["x"]
    assert (entry.attempt.number, entry.task_id, entry.submissions) == (3, "task-x-1", 2)
    assert desk.videos == {"x.mp4": b"the mug", "x-2.mp4": b"the bag", "x-3.mp4": b"the mug"}
    assert [type(event) for event in desk.noted] == [ev.Requeued, ev.Reused]
    result = results_of(desk.checked, plan, desk.entries)[0]
    assert (result.attempts, result.video) == (2, "videos/x-3.mp4")
    assert result.warnings == ("the take of attempt 1, made of the same cells",)
    assert [step.action for step in desk.copy().steps] == [Action.LEAVE]


def test_the_earlier_take_of_a_row_that_left_serves_another(desk: Desk) -> None:
    """No renaming finds it: the entry's latest request is another one."""
    desk.done("x", "a mug", 1)
    desk.done("x", "a bag", 2)
    desk.write(("z", "a mug"))
    plan = desk.copy()
    assert [(step.key, step.action) for step in plan.steps] == [("z", Action.REUSE)]
    assert desk.entries["z"].task_id == "task-x-1"


def test_a_part_of_the_rows_has_not_lost_the_others(desk: Desk) -> None:
    """What is not in failed.csv did not leave the manifest, and keeps its take to itself."""
    desk.done("x", "a mug", 1)
    desk.done("x", "a bag", 2)
    failed = desk.folder.root / "failed.csv"
    failed.write_text("key,prompt\nz,a mug\n", encoding="utf-8")
    config = load(None, environ={})
    checked = check_manifest(failed, config, cache_dir=None)
    entries, renamed = known_rows(checked, desk.folder)
    comparison = Comparison.of(
        checked,
        entries,
        desk.folder,
        Selection(),
        config=config,
        purchases=desk,
        renamed=renamed,
    )
    assert [step.action for step in comparison.compare().plan.steps] == [Action.SUBMIT]


@pytest.mark.parametrize(("setting", "action"), [("hold", Action.LEAVE), ("pay", Action.SUBMIT)])
def test_the_setting_decides(desk: Desk, setting: str, action: Action) -> None:
    """Held, or paid for."""
    desk.write(("x", "a mug"))
    desk.buy("a mug", "C012")
    compared: Compared = desk.compare(None, f"repeats={setting}").compare()
    assert [step.action for step in compared.plan.steps] == [action]


def test_the_limit_is_for_submissions(desk: Desk) -> None:
    """A repeat uses up none of it."""
    desk.buy("a mug", "C012")
    compared = desk.compare(Selection(limit=1)).compare()
    assert [step.action for step in compared.plan.steps] == [Action.REUSE, Action.SUBMIT]


def test_what_is_paid_for_again_is_said_with_its_price(desk: Desk) -> None:
    """Only of rows that were bought before; a new row is paid for once."""
    desk.buy("a mug", "C012")
    comparison = desk.compare(Selection(pay_again_all=True), "budget.price_per_second=0.5")
    assert comparison.describe_paid_again(comparison.compare()) == (
        "1 row bought before is paid for again (--pay-again): 6 s of video, 3.00 USD"
    )
    plain = desk.compare()
    assert plain.describe_paid_again(plain.compare()) is None


def test_what_a_redo_pays_for_again_is_said(desk: Desk) -> None:
    """A plan says it, too; both words are named where both are given."""
    desk.buy("a mug", "C012")
    for selection, words in (
        (Selection(redo=frozenset("x")), "--redo"),
        (Selection(redo=frozenset("x"), pay_again_all=True), "--pay-again, --redo"),
    ):
        comparison = desk.compare(selection)
        (said,) = comparison.warnings(comparison.compare())
        assert said == f"1 row bought before is paid for again ({words}): 6 s of video"


def test_another_edition_of_a_table_is_asked_about(desk: Desk) -> None:
    """Ten rows and half of them, with the money and both ways on."""
    keys = [f"C{number}" for number in range(20)]
    desk.write(*((key, f"shoe {key}") for key in keys))
    there = str(desk.root / "shop-monday.csv")
    monday = KnownJournal("other", "account", str(desk.root / "out"), there, 1, 1)
    desk.editions = [(monday, frozenset(keys[:10]))]
    comparison = desk.compare(None, "budget.price_per_second=0.5")
    refusal = comparison.refuse_edition(comparison.compare())
    assert refusal is not None
    assert refusal.exit_code is ExitCode.USAGE
    assert refusal.message == (
        f"10 of the 20 rows of {desk.root}/shop.csv that would be paid for have keys that were "
        f"bought before in other words, most of them for {there}: 60 s of video, 30.00 USD."
    )
    assert "--series shop" in (refusal.action or "")
    assert "--pay-again all" in (refusal.action or "")
    for settled in (
        desk.compare(Selection(pay_again_all=True)),
        desk.compare(Selection(only=frozenset(keys[:3]), pay_again=frozenset(keys[:4]))),
        desk.compare(Selection(limit=0)),
    ):
        assert settled.refuse_edition(settled.compare()) is None
    for narrower in (
        Selection(limit=1),
        Selection(only=frozenset(keys[:3])),
        Selection(pay_again=frozenset(keys[:1])),
        Selection(only=frozenset(keys[:3]), pay_again=frozenset(keys[:2])),
        Selection(redo=frozenset(keys[:12])),
    ):
        order = desk.compare(narrower, "budget.price_per_second=0.5")
        again = order.refuse_edition(order.compare())
        assert again is not None
        assert again.message == refusal.message
        assert order.warnings(order.compare())[0] == f"{refusal.message} {refusal.action}"
        all_ordered = narrower.limit is None and narrower.only is None
        noted = "own_table" if all_ordered else "looks_like_edition"
        assert order.new_notes(order.compare()) == {noted: "yes"}


@pytest.mark.parametrize("setting", ["reuse", "pay"])
def test_a_series_is_asked_about_while_it_knows_no_such_rows(desk: Desk, setting: str) -> None:
    """It takes over what was bought for an edition called like it, or else is asked about."""
    keys = [f"C{number}" for number in range(10)]
    desk.write(*((key, f"shoe {key}") for key in keys))
    for key in keys:
        desk.buy(f"shoe {key}", key)
    products = desk.bought[next(iter(desk.bought))][0]
    known = KnownJournal("other", "account", products.folder, products.manifest, 1, 1)
    desk.editions = [(known, frozenset(keys))]
    desk.write(*((key, f"other shoe {key}") for key in keys))
    sets = (f"repeats={setting}", "budget.price_per_second=0.5")
    strange = desk.compare(None, *sets, "manifest.series=tuesday")
    refusal = strange.refuse_edition(strange.compare())
    assert refusal is not None
    assert "10 of the 10 rows" in refusal.message
    same = desk.compare(None, *sets, "manifest.series=products")
    compared = same.compare()
    assert same.refuse_edition(compared) is None
    assert [step.action for step in compared.plan.steps] == [Action.REUSE] * 10
    assert same.new_notes(compared) == {"series_from": "other"}


def test_a_table_of_its_own_is_not_asked_about_again(desk: Desk) -> None:
    """A run that was cut short goes on, although another manifest bought these keys meanwhile."""
    keys = [f"C{number}" for number in range(20)]
    desk.write(*((key, f"shoe {key}") for key in keys))
    few = desk.compare(Selection(limit=9))
    assert few.new_notes(few.compare()) == {}
    paid = desk.compare(Selection(pay_again_all=True, limit=1))
    assert paid.new_notes(paid.compare()) == {}
    all_paid = desk.compare(Selection(pay_again_all=True))
    assert all_paid.new_notes(all_paid.compare()) == {"own_table": "yes"}
    first = desk.compare()
    assert first.refuse_edition(first.compare()) is None
    noted = first.new_notes(first.compare())
    assert noted == {"own_table": "yes"}
    with contextlib.closing(Journal(desk.folder.journal)) as journal:
        journal.note(noted)
    monday = KnownJournal("other", "account", str(desk.root / "out"), "/shop/monday.csv", 1, 1)
    desk.editions = [(monday, frozenset(keys))]
    again = desk.compare()
    assert again.refuse_edition(again.compare()) is None
    assert again.new_notes(again.compare()) == {}


def test_the_rest_of_an_edition_is_asked_about_however_small(desk: Desk) -> None:
    """Some rows were bought on purpose: fewer than ten are left, and nobody has spoken of these."""
    keys = [f"C{number}" for number in range(10)]
    desk.write(*((key, f"shoe {key}") for key in keys))
    monday = KnownJournal("other", "account", str(desk.root / "out"), "/shop/monday.csv", 1, 1)
    desk.editions = [(monday, frozenset(keys))]
    named = Selection(only=frozenset(keys[:1]), pay_again=frozenset(keys[:1]))
    first = desk.compare(named)
    assert first.refuse_edition(first.compare()) is None
    with contextlib.closing(Journal(desk.folder.journal)) as journal:
        journal.note(first.new_notes(first.compare()))
        journal.append([intended(keys[0])], 1.0).result()
    rest = desk.compare()
    refusal = rest.refuse_edition(rest.compare())
    assert refusal is not None
    assert "9 of the 9 rows" in refusal.message
    assert rest.new_notes(rest.compare()) == {"own_table": "yes"}, "whoever goes on all the same"


def test_the_setting_pay_is_no_answer_about_editions(desk: Desk) -> None:
    """It says what becomes of the very requests that were bought, and these alone are not asked."""
    keys = [f"C{number}" for number in range(12)]
    desk.write(*((key, f"shoe {key}") for key in keys))
    monday = KnownJournal("other", "account", str(desk.root / "out"), "/shop/monday.csv", 1, 1)
    desk.editions = [(monday, frozenset(keys))]
    pays = desk.compare(None, "repeats=pay")
    refusal = pays.refuse_edition(pays.compare())
    assert refusal is not None
    assert "12 of the 12 rows" in refusal.message
    for key in keys:
        desk.buy(f"shoe {key}", key)
    same = desk.compare(None, "repeats=pay")
    assert len(same.compare().plan.of(Action.SUBMIT)) == 12
    assert same.refuse_edition(same.compare()) is None
