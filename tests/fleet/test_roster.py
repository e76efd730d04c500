"""Who is fit, who is retired, how long a worker may have a video: decided without a network."""

from __future__ import annotations

from pipeline.fleet.roster import Roster, Verdict, deadline_s


def roster_of(**slots: int) -> Roster:
    roster = Roster()
    roster.see(slots)
    for number, address in enumerate(slots):
        roster.admit(address, 100 + number, "here")
    return roster


def test_only_who_was_found_fit_counts() -> None:
    """Nobody gets anything before it was asked, and who has no slots is none of ours."""
    roster = Roster()
    assert roster.see({"a": 8, "b": 4, "other": 0}) == (["a", "b"], [])
    assert (roster.slots, roster.addresses) == (0, [])
    roster.admit("a", 7, "here")
    assert (roster.slots, roster.addresses) == (8, ["a"])
    assert [one.pid for one in roster.fit] == [7]
    roster.refuse("b")
    assert roster.see({"a": 8, "b": 4}) == ([], [])
    assert not roster.any_of(["b"])
    assert roster.any_of(["a", "b"])


def test_who_is_gone_counts_no_longer() -> None:
    roster = roster_of(a=8, b=8)
    _, gone = roster.see({"b": 8})
    assert [one.address for one in gone] == ["a"]
    assert roster.slots == 8
    assert roster.see({"a": 8, "b": 8})[0] == ["a"]
    assert roster.slots == 8
    roster.admit("nobody", 1, "here")
    roster.note_success("nobody")
    assert roster.slots == 8


def test_three_faults_in_a_row_retire_a_worker() -> None:
    roster = roster_of(a=8, b=8)
    assert [roster.note_fault("a") for _ in range(2)] == [Verdict.AGAIN] * 2
    roster.note_success("a")
    assert [roster.note_fault("a") for _ in range(3)] == [Verdict.AGAIN] * 2 + [Verdict.RETIRE]
    assert roster.addresses == ["b"]
    assert roster.note_fault("a") is Verdict.AGAIN  # what was under way


def test_the_last_worker_is_kept_and_its_fault_told() -> None:
    """A bucket that is down for all of them is no fault of any."""
    roster = roster_of(a=8)
    assert [roster.note_fault("a") for _ in range(4)] == [Verdict.AGAIN] * 2 + [Verdict.PASS_ON] * 2
    assert roster.addresses == ["a"]
    roster = roster_of(a=8, b=8)
    for _ in range(2):
        assert {roster.note_fault(one) for one in "ab"} == {Verdict.AGAIN}
    assert roster.note_fault("a") is Verdict.RETIRE
    assert roster.note_fault("b") is Verdict.PASS_ON


def test_a_larger_video_may_take_longer() -> None:
    assert 900 < deadline_s(25_000_000) < deadline_s(250_000_000) < 6 * 3600
