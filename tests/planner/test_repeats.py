"""Repeats: what the account has bought is bought once, and nothing that is wanted is withheld."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.account.submission import COUNTING, Submission
from pipeline.model import Attempt, Entry, Request, State, Video
from pipeline.planner.plan import REPEAT, Action, Plan, Step, decide, limit_submissions
from pipeline.planner.repeats import Compared, History, Repeats, find_repeats
from pipeline.planner.selection import Mode, Selection, unknown_keys

VIDEO = Video("a.mp4", 1000, "00", 6.0, 1280, 720)
SENT = sorted(set(State) - {State.INVALID, State.WAITING})
NOT_COUNTING = sorted(set(SENT) - COUNTING)


def request(text: str) -> Request:
    return Request(text, (), 6, "16:9", "720P", "gemini_omni_flash", f"hash-{text}")


def bought(key: str, text: str, state: State = State.DONE, at: float = 1.0) -> Submission:
    """A submission of another manifest."""
    return Submission(
        reference=f"rs-{key}",
        journal_id="other",
        folder="/shop/outputs/products",
        manifest="/shop/products.xlsx",
        identity=key,
        key=key,
        number=1,
        request=request(text),
        state=state,
        video_name=f"{key}.mp4",
        task_id=f"task-{key}",
        submitted_at=at,
        finished_at=at + 60,
        video=replace(VIDEO, name=f"{key}.mp4") if state is State.DONE else None,
    )


def entry(
    key: str,
    text: str,
    state: State = State.DONE,
    *,
    number: int = 1,
    earlier: tuple[str, ...] = (),
    task_id: str | None = None,
) -> Entry:
    """A row that was submitted; `reused` makes it a row that was not."""
    attempt = Attempt(key, number, f"rs-own-{key}-{number}", request(text), f"{key}.mp4")
    return Entry(
        key,
        state,
        attempt,
        task_id=task_id or f"task-own-{key}-{number}",
        submitted_at=1.0,
        video=VIDEO if state is State.DONE else None,
        earlier=tuple(f"hash-{one}" for one in earlier),
    )


def reused(key: str, taken: Submission) -> Entry:
    made = entry(key, taken.request.prompt, task_id=taken.task_id)
    return replace(made, submitted_at=None)


def own(key: str, text: str, number: int = 1, state: State = State.DONE) -> Submission:
    """An attempt of this journal."""
    taken = bought(key, text, state)
    reference, task = f"rs-own-{key}-{number}", f"task-own-{key}-{number}"
    return replace(taken, reference=reference, journal_id="this", number=number, task_id=task)


@dataclass
class Sheet:
    """A manifest: keys and texts; and all that is known when it is planned."""

    rows: Mapping[str, str]
    entries: list[Entry] = field(default_factory=list)
    elsewhere: list[Submission] = field(default_factory=list)
    own: list[Submission] = field(default_factory=list)
    earlier: list[Submission] = field(default_factory=list)
    unusable: frozenset[str] = frozenset()

    def compare(
        self, selection: Selection | None = None, setting: Repeats = Repeats.REUSE
    ) -> Compared:
        selection = selection or Selection()
        requests = {key: request(text) for key, text in self.rows.items()}
        entries = {one.key: one for one in self.entries}
        history = History(
            by_request(self.elsewhere),
            by_request(self.own),
            {one.key: one for one in self.earlier},
            frozenset(requests),
            self.unusable,
        )
        plan = decide(requests.items(), entries, replace(selection, limit=None))
        compared = find_repeats(
            plan, requests, entries, history, selection=selection, setting=setting
        )
        bought = {one.request.prompt for one in (*self.elsewhere, *self.own)}
        alike = frozenset(key for key, text in self.rows.items() if text in bought)
        narrowed = replace(history, alike=alike)
        assert compared == find_repeats(
            plan, requests, entries, narrowed, selection=selection, setting=setting
        )
        return replace(compared, plan=limit_submissions(compared.plan, selection.limit))


def by_request(submissions: Iterable[Submission]) -> dict[str, list[Submission]]:
    found: dict[str, list[Submission]] = {}
    for one in sorted(submissions, key=lambda one: -(one.submitted_at or 0)):
        found.setdefault(one.request.request_hash, []).append(one)
    return found


def actions(plan: Plan) -> dict[str, Action]:
    return {step.key: step.action for step in plan.steps}


def only(plan: Plan) -> Step:
    (step,) = plan.steps
    return step


# Section "Repeat" of the rules, sentence by sentence.


def test_a_new_row_whose_request_was_bought_gets_that_video() -> None:
    """The step names the other row and its manifest, and the rest is paid for."""
    sheet = Sheet({"x": "mug", "y": "bag"}, elsewhere=[bought("C012", "mug")])
    compared = sheet.compare()
    first, second = compared.plan.steps
    assert (first.action, first.group) == (Action.REUSE, REPEAT)
    assert first.reason == "its request was bought for C012 of products.xlsx"
    assert first.repeat_of == bought("C012", "mug")
    assert first.counts
    assert (second.action, second.group) == (Action.SUBMIT, "new")
    assert compared.plan.groups[REPEAT] == 1
    assert (compared.known, compared.exempt) == ({}, frozenset())


@pytest.mark.parametrize("state", SENT)
def test_what_counts_is_never_bought_again_and_what_does_not_never_blocks(state: State) -> None:
    """In doubt, under way, missing, done, expired; not refused, not failed."""
    step = only(Sheet({"x": "mug"}, elsewhere=[bought("C012", "mug", state)]).compare().plan)
    if state not in COUNTING:
        assert step.action is Action.SUBMIT
        return
    assert step.group == REPEAT
    assert step.held == (state is not State.DONE)


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (State.RUNNING, "its video is being made"),
        (State.IN_DOUBT, "whether it was accepted is in doubt"),
        (State.MISSING, "the provider does not know its task any more"),
        (State.EXPIRED, "its video was never downloaded, and its link has expired"),
    ],
)
def test_a_repeat_whose_video_is_still_to_come_waits_and_says_so(
    state: State, sentence: str
) -> None:
    """It is held; and it is no row that could be sent by running again."""
    step = only(Sheet({"x": "mug"}, elsewhere=[bought("C012", "mug", state)]).compare().plan)
    assert step.held
    assert not step.counts
    assert step.reason == f"its request was bought for C012 of products.xlsx; {sentence}"


def test_rows_of_retry_are_compared() -> None:
    """A failed row whose request was bought elsewhere meanwhile is not bought again."""
    sheet = Sheet(
        {"x": "mug"}, [entry("x", "mug", State.FAILED)], elsewhere=[bought("C012", "mug")]
    )
    for selection in (
        Selection(Mode.RETRY, retry=frozenset({State.FAILED})),
        Selection(retry=frozenset({State.FAILED})),
    ):
        assert only(sheet.compare(selection).plan).action is Action.REUSE
    assert only(sheet.compare().plan).action is Action.LEAVE


def test_an_edited_row_that_failed_is_compared() -> None:
    """Its new request may have been bought before."""
    sheet = Sheet(
        {"x": "mug"}, [entry("x", "bag", State.FAILED)], elsewhere=[bought("C012", "mug")]
    )
    assert only(sheet.compare().plan).action is Action.REUSE


def test_redo_is_not_compared() -> None:
    """Who asks for another take gets one, and the book is told so."""
    done = [entry("x", "mug"), entry("y", "bag")]
    sheet = Sheet(
        {"x": "mug", "y": "cap"}, done, elsewhere=[bought("A", "mug"), bought("B", "cap")]
    )
    compared = sheet.compare(Selection(redo=frozenset({"x"})))
    assert actions(compared.plan) == {"x": Action.SUBMIT, "y": Action.LEAVE}
    assert compared.exempt == {"x"}
    compared = sheet.compare(Selection(redo_changed=True))
    assert actions(compared.plan) == {"x": Action.LEAVE, "y": Action.SUBMIT}
    assert compared.exempt == {"y"}


def test_what_redo_buys_is_told_if_another_row_has_bought_it() -> None:
    """A take of the row's own that is made anew is no surprise."""
    rows, others = {"x": "mug", "y": "cap", "z": "hat"}, [bought("A", "cap"), bought("B", "tea")]
    done = [entry("x", "mug"), entry("y", "bag"), reused("z", bought("B", "tea"))]
    sheet = Sheet(rows, done, elsewhere=others)
    assert sheet.compare(Selection(redo_changed=True)).paid_again == {"y"}
    assert sheet.compare(Selection(redo=frozenset("xyz"))).paid_again == {"y"}
    unedited = Sheet({"z": "tea"}, [reused("z", bought("B", "tea"))], elsewhere=others)
    assert unedited.compare(Selection(redo=frozenset("z"))).paid_again == {"z"}
    assert unedited.compare(Selection(redo_changed=True)).paid_again == frozenset()


def test_pay_again_is_not_compared() -> None:
    """By key or for all rows; the other rows still are."""
    sheet = Sheet({"x": "mug", "y": "bag"}, elsewhere=[bought("A", "mug"), bought("B", "bag")])
    compared = sheet.compare(Selection(pay_again=frozenset({"x"})))
    assert actions(compared.plan) == {"x": Action.SUBMIT, "y": Action.REUSE}
    assert compared.exempt == {"x"}
    compared = sheet.compare(Selection(pay_again_all=True))
    assert actions(compared.plan) == {"x": Action.SUBMIT, "y": Action.SUBMIT}
    assert compared.exempt == {"x", "y"}


def test_a_row_with_a_reused_take_gets_one_of_its_own_with_pay_again_and_only_once() -> None:
    """Its warning says so. What the row itself bought is left alone, however often it is asked."""
    taken = bought("C012", "mug")
    selection = Selection(pay_again=frozenset({"x"}))
    sheet = Sheet({"x": "mug"}, [reused("x", taken)], elsewhere=[taken])
    assert only(sheet.compare().plan).action is Action.LEAVE
    compared = sheet.compare(selection)
    assert only(compared.plan).action is Action.SUBMIT
    assert compared.exempt == {"x"}
    sheet.entries = [entry("x", "mug", number=2)]
    assert only(sheet.compare(selection).plan).action is Action.LEAVE
    sheet.entries = [reused("x", taken)]
    assert only(sheet.compare(Selection(pay_again_all=True)).plan).action is Action.LEAVE


def test_unknown_keys_of_pay_again_are_found() -> None:
    """A misspelt key would pay for nothing, silently."""
    assert unknown_keys(Selection(pay_again=frozenset({"x", "z"})), ["x"]) == ["z"]


def test_the_setting_pay_compares_nothing() -> None:
    """All rows are exempt."""
    compared = Sheet({"x": "mug"}, elsewhere=[bought("A", "mug")]).compare(setting=Repeats.PAY)
    assert only(compared.plan).action is Action.SUBMIT
    assert compared.exempt == {"x"}


def test_the_setting_hold_lets_repeats_wait() -> None:
    """Also where the video could be had."""
    step = only(
        Sheet({"x": "mug"}, elsewhere=[bought("C012", "mug")]).compare(setting=Repeats.HOLD).plan
    )
    assert step.held
    assert step.reason.endswith("; repeats is set to hold")


def test_entries_whose_row_is_in_the_manifest_never_count() -> None:
    """Rows that are equal inside one manifest are each made."""
    sheet = Sheet({"x": "mug", "y": "mug"}, [entry("x", "mug")], own=[own("x", "mug")])
    assert actions(sheet.compare().plan) == {"x": Action.LEAVE, "y": Action.SUBMIT}


def test_an_entry_whose_row_left_the_manifest_counts() -> None:
    """Its earlier take, too, which no renaming finds."""
    sheet = Sheet({"y": "mug"}, [entry("x", "bag", number=2)], own=[own("x", "mug")])
    step = only(sheet.compare().plan)
    assert (step.action, step.repeat_of) == (Action.REUSE, own("x", "mug"))


@given(
    rows=st.integers(1, 6),
    states=st.lists(st.sampled_from(SENT), max_size=6),
    serving=st.integers(0, 6),
    gone=st.sets(st.integers(0, 5)),
    setting=st.sampled_from([Repeats.REUSE, Repeats.HOLD]),
)
def test_a_bought_take_serves_one_row(
    rows: int, states: list[State], serving: int, gone: set[int], setting: Repeats
) -> None:
    """Of n equal rows as many are repeats as there are takes that serve none; the rest is made.

    None waits that could have a video, and no video is given twice.
    """
    takes = [bought(f"C{at}", "mug", state, at) for at, state in enumerate(states)]
    done = [one for one in takes if one.state is State.DONE][:serving]
    sheet = Sheet(
        {f"r{at}": "mug" for at in range(len(done) + rows)},
        [reused(f"r{at}", one) for at, one in enumerate(done)],
        takes,
        unusable=frozenset(f"rs-C{at}" for at in gone),
    )
    compared = sheet.compare(setting=setting)
    free = [one for one in takes if one.state in COUNTING and one not in done]
    usable = [
        one for one in free if one.state is State.DONE and one.reference not in sheet.unusable
    ]
    steps = compared.plan.steps[len(done) :]
    assert sum(step.group == REPEAT for step in steps) == min(rows, len(free))
    assert sum(step.action is Action.SUBMIT for step in steps) == max(0, rows - len(free))
    given_out = Counter(step.repeat_of.reference for step in steps if step.repeat_of)
    assert set(given_out.values()) <= {1}
    reused_rows = sum(step.action is Action.REUSE for step in steps)
    assert reused_rows == (0 if setting is Repeats.HOLD else min(rows, len(usable)))
    assert compared.known == (
        {"hash-mug": len(free) + len(done)} if rows > len(free) and takes else {}
    )


def test_a_take_that_lies_in_two_folders_serves_one_row() -> None:
    """A copy in this folder, for a row that left it, is no second purchase: the other row's is."""
    taken = bought("C012", "mug")
    here = replace(own("left", "mug"), task_id=taken.task_id, submitted_at=None)
    for unusable in (taken.reference, here.reference):
        sheet = Sheet({"x": "mug", "y": "mug"}, [], [taken], [here])
        sheet.unusable = frozenset({unusable})
        assert actions(sheet.compare().plan) == {"x": Action.REUSE, "y": Action.SUBMIT}


def test_equal_rows_keep_each_its_own_video() -> None:
    """In a copy of the sheet, whatever its order, and with a row more; the newest is for no key."""
    takes = [bought("a", "mug", at=1.0), bought("b", "mug", at=2.0), bought("z", "mug", at=0.5)]
    for order in ("abc", "cba", "bca"):
        steps = Sheet(dict.fromkeys(order, "mug"), elsewhere=takes).compare().plan.steps
        got = {step.key: step.repeat_of.key for step in steps if step.repeat_of is not None}
        assert got == {"a": "a", "b": "b", "c": "z"}
    sheet = Sheet(dict.fromkeys("ab", "mug"), elsewhere=takes, unusable=frozenset({"rs-a"}))
    takes_of = {step.key: step.repeat_of for step in sheet.compare().plan.steps}
    assert takes_of == {"a": takes[2], "b": takes[1]}, "one that can be had goes before its own"


def test_the_newest_video_is_taken_and_then_the_next() -> None:
    """One that was rejected, is gone or was changed is passed over; without any left the row waits.

    What came of them is not known here, only that they cannot be had.
    """
    takes = [
        bought("old", "mug", at=1.0),
        bought("new", "mug", at=2.0),
        bought("now", "mug", State.RUNNING, 3.0),
    ]
    sheet = Sheet({"x": "mug"}, elsewhere=takes)
    for unusable, key in (((), "new"), (("rs-new",), "old")):
        sheet.unusable = frozenset(unusable)
        step = only(sheet.compare().plan)
        assert (step.action, step.repeat_of and step.repeat_of.key) == (Action.REUSE, key)
    sheet.unusable = frozenset({"rs-new", "rs-old"})
    step = only(sheet.compare().plan)
    assert step.held
    assert step.repeat_of == takes[2]
    sheet.elsewhere.pop()
    assert (
        "its video file is gone, was changed or cannot be read" in only(sheet.compare().plan).reason
    )


# A take of its own.


@pytest.mark.parametrize("state", [State.DONE, State.FAILED, State.EXPIRED, State.REFUSED])
@pytest.mark.parametrize("setting", Repeats)
def test_edited_away_and_back_again_gives_the_take_back(state: State, setting: Repeats) -> None:
    """Whatever came of the edit, the take of the row's own cells is there, and free."""
    sheet = Sheet(
        {"x": "mug"},
        [entry("x", "bag", state, number=2, earlier=("mug",))],
        own=[own("x", "mug"), own("x", "bag", 2, state)],
    )
    for selection in (Selection(), Selection(redo_changed=True)):
        step = only(sheet.compare(selection, setting).plan)
        assert (step.action, step.repeat_of) == (Action.REUSE, own("x", "mug"))
        assert step.reason == "it is again as it was for an earlier take of its own"


@pytest.mark.parametrize(
    "selection", [Selection(redo=frozenset({"x"})), Selection(pay_again=frozenset({"x"}))]
)
def test_whoever_names_the_row_gets_a_new_take(selection: Selection) -> None:
    """With --redo KEY; with --pay-again KEY if the row failed and would be submitted."""
    sheet = Sheet(
        {"x": "mug"},
        [entry("x", "bag", State.FAILED, number=2, earlier=("mug",))],
        own=[own("x", "mug")],
    )
    compared = sheet.compare(selection)
    assert only(compared.plan).action is Action.SUBMIT
    assert compared.exempt == {"x"}


def test_a_row_under_way_keeps_its_attempt() -> None:
    """What is paid for is taken up first; the earlier take comes back with the next run."""
    sheet = Sheet(
        {"x": "mug"},
        [entry("x", "bag", State.RUNNING, number=2, earlier=("mug",))],
        own=[own("x", "mug")],
    )
    assert only(sheet.compare().plan).action is Action.TAKE_UP


def test_retry_and_fetch_and_rows_not_selected_give_nothing_back() -> None:
    """They leave edited rows alone as ever."""
    sheet = Sheet(
        {"x": "mug"}, [entry("x", "bag", number=2, earlier=("mug",))], own=[own("x", "mug")]
    )
    for selection in (
        Selection(Mode.RETRY, retry=frozenset({State.FAILED})),
        Selection(Mode.FETCH),
        Selection(only=frozenset()),
    ):
        assert only(sheet.compare(selection).plan).action is Action.LEAVE


def test_the_take_of_another_row_does_not_come_back() -> None:
    """Another row of this manifest was made of the same request: that row keeps it."""
    sheet = Sheet(
        {"x": "mug", "y": "mug"},
        [entry("x", "bag", State.FAILED), entry("y", "mug")],
        own=[own("y", "mug")],
    )
    assert actions(sheet.compare().plan) == {"x": Action.SUBMIT, "y": Action.LEAVE}


def test_a_redo_that_was_cut_short_goes_on() -> None:
    """The row's request never changed, so its earlier take is not what was asked for."""
    waiting = replace(entry("x", "mug", State.WAITING), closed=True)
    sheet = Sheet({"x": "mug"}, [waiting], own=[own("x", "mug")])
    assert only(sheet.compare().plan).action is Action.SUBMIT


def test_a_take_of_its_own_whose_file_is_gone_does_not_come_back() -> None:
    """A row that is done is left alone as any edited one; one that would be submitted waits."""
    sheet = Sheet(
        {"x": "mug"},
        [entry("x", "bag", number=2, earlier=("mug",))],
        own=[own("x", "mug")],
        unusable=frozenset({"rs-own-x-1"}),
    )
    assert only(sheet.compare().plan).waits_for_redo
    sheet.entries = [entry("x", "bag", State.FAILED, number=2, earlier=("mug",))]
    step = only(sheet.compare().plan)
    assert step.held
    assert step.reason.endswith("of its own; its video file is gone, was changed or cannot be read")
    compared = sheet.compare(Selection(pay_again=frozenset({"x"})))
    assert only(compared.plan).action is Action.SUBMIT


# With the rest of the plan.


def test_repeats_use_up_no_limit() -> None:
    """--limit counts submissions, and rows that wait must not keep others from being made."""
    sheet = Sheet(
        {"a": "mug", "b": "bag", "c": "cap", "d": "hat"},
        elsewhere=[bought("A", "mug"), bought("B", "bag", State.RUNNING)],
    )
    compared = sheet.compare(Selection(limit=1))
    assert actions(compared.plan) == {
        "a": Action.REUSE,
        "b": Action.LEAVE,
        "c": Action.SUBMIT,
        "d": Action.LEAVE,
    }
    assert compared.plan.steps[3].reason == "beyond --limit"


def test_the_book_is_told_what_the_plan_knew() -> None:
    """Of the rows that are submitted: so it can tell what another process buys meanwhile."""
    sheet = Sheet(
        {"x": "mug", "y": "mug", "z": "bag", "w": "new"},
        elsewhere=[bought("A", "mug"), bought("B", "bag", State.FAILED)],
    )
    assert sheet.compare().known == {"hash-mug": 1, "hash-bag": 0}


# Series.


def test_a_series_begins_with_what_an_earlier_edition_bought() -> None:
    """By key, in other words; not where the very request was bought, nor for a known row."""
    sheet = Sheet(
        {"x": "mug, new", "y": "bag", "z": "cap, new", "w": "hat"},
        [entry("z", "cap", State.FAILED)],
        [bought("other", "bag")],
        earlier=[bought("x", "mug"), bought("y", "bag, old"), bought("z", "cap, old")],
    )
    first, second, third, fourth = sheet.compare().plan.steps
    assert first.repeat_of == sheet.earlier[0]
    assert first.reason == "bought in other words for x of products.xlsx"
    assert second.repeat_of == sheet.elsewhere[0]
    assert {third.action, fourth.action} == {Action.SUBMIT}
    compared = sheet.compare(Selection(pay_again_all=True))
    assert {step.action for step in compared.plan.steps} == {Action.SUBMIT}
