"""Pictures: uploaded once per content, ahead of the slots, again when their URL grew old."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pipeline.engine.commands import Submit, Upload, UploadReply, unanswered
from pipeline.engine.engine import Engine
from pipeline.errors import ExitCode, ProviderError, Refused, Throttled, Unauthorized, Unreachable
from pipeline.events import PictureRefused
from pipeline.model import Attempt, State
from tests.engine.night import SETTINGS, Night, Provider, attempt, enqueue, night, resume

NO = Refused("not a picture", status=400, code="bad_image")


def with_pictures(rows: int, picture: Callable[[int], str]) -> list[Attempt]:
    return [
        attempt(f"row{n:06}", images=(f"sha256:{picture(n)}", "https://shop.example/p.jpg"))
        for n in range(rows)
    ]


def url(said: Upload) -> str:
    return f"https://files.example/{said.sha256}.jpg"


def test_one_upload_per_content() -> None:
    """A hundred rows with three pictures among them make three uploads."""
    done = night(with_pictures(100, lambda n: f"p{n % 3}")).run()
    assert done.states() == {State.DONE: 100}
    assert done.provider.uploads == {"p0": 1, "p1": 1, "p2": 1}


def test_pictures_reach_the_submission_in_their_order() -> None:
    """The URLs stand where the row's pictures stood, remote ones as they are."""
    one = attempt("a", images=("sha256:x", "https://shop.example/p.jpg", "sha256:y"))
    first = night([one])
    first.keeps_sent = True
    submits = [said for said, _ in first.run().sent if isinstance(said, Submit)]
    assert submits[0].image_urls == (
        "https://files.example/x.jpg",
        "https://shop.example/p.jpg",
        "https://files.example/y.jpg",
    )


def test_a_slot_does_not_wait_for_a_picture() -> None:
    """Uploads run ahead: with every row a picture of its own, the slots are full all the same."""
    settings = replace(SETTINGS, outstanding=20)
    plain = night(300, settings=settings).run()
    done = night(with_pictures(300, str), settings=settings).run()
    assert done.states() == {State.DONE: 300}
    assert done.now <= plain.now * 1.02
    assert done.peaks[Upload] <= SETTINGS.uploads


def test_uploads_do_not_run_far_ahead() -> None:
    """Only the next rows' pictures are uploaded, not the whole night's."""
    first = night(with_pictures(2000, str)).run(until=30)
    assert first.provider.uploads.total() <= 50 + 32 + 4


def test_a_known_upload_is_used_until_it_is_too_old() -> None:
    """An upload of an earlier run is used again; past its age the picture goes up again."""
    engine = Engine(SETTINGS, 0.0)
    engine.know_upload("young", "https://files.example/young.jpg", 1e6)
    engine.know_upload("old", "https://files.example/old.jpg", -1.0)
    rows = [attempt("a", images=("sha256:young",)), attempt("b", images=("sha256:old",))]
    enqueue(engine, *rows)
    done = Night(engine, Provider(), rows).run()
    assert done.states() == {State.DONE: 2}
    assert done.provider.uploads == {"old": 1}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_several_uploads_the_youngest_is_used(order: tuple[int, int]) -> None:
    """Journal and book may each know one of the same picture, whichever is read first."""
    engine = Engine(SETTINGS, 0.0)
    uploads = ("https://files.example/old.jpg", 1.0), ("https://files.example/young.jpg", 1e6)
    for place in order:
        engine.know_upload("p", *uploads[place])
    rows = [attempt("a", images=("sha256:p",))]
    enqueue(engine, *rows)
    one = Night(engine, Provider(), rows)
    one.keeps_sent = True
    (sent,) = [said for said, _ in one.run().sent if isinstance(said, Submit)]
    assert sent.image_urls == ("https://files.example/young.jpg",)
    assert one.provider.uploads == {}


def test_an_upload_that_grows_old_in_mid_run_is_made_again() -> None:
    """No submission carries a URL past its age."""
    provider = Provider()
    made: dict[str, float] = {}
    ages: list[float] = []

    def upload(said: Upload, times: int, now: float) -> str:
        made[fresh := f"https://files.example/{said.sha256}-{times}.jpg"] = now
        return fresh

    def submit(said: Submit, _: int, now: float) -> None:
        ages.extend(now - made[one] for one in said.image_urls if one in made)

    provider.on_upload, provider.on_submit = upload, submit
    rows = with_pictures(300, lambda n: f"p{n % 2}")
    engine = Engine(replace(SETTINGS, outstanding=10), 0.0, upload_age_s=200)
    enqueue(engine, *rows)
    done = Night(engine, provider, rows).run()
    assert done.states() == {State.DONE: 300}
    assert 4 <= provider.uploads["p0"] <= done.now / 200 + 1
    assert len(ages) == 300
    assert max(ages) <= 200


def test_a_refused_picture_refuses_its_rows_without_a_submission() -> None:
    """All rows with the picture are refused by its code, the others are done."""
    provider = Provider(on_upload=lambda said, *_: NO if said.sha256 == "p1" else url(said))
    done = night(with_pictures(90, lambda n: f"p{n % 3}"), provider).run()
    assert done.states() == {State.DONE: 60, State.REFUSED: 30}
    refused = [one for one in done.entries().values() if one.state is State.REFUSED]
    assert {one.error_code for one in refused} == {"bad_image"}
    assert {one.submitted_at for one in refused} == {None}
    assert provider.submits.total() == 60
    assert provider.uploads["p1"] == 2


def test_a_picture_refused_when_it_is_uploaded_anew_loses_no_row() -> None:
    """Rows that were ready to go are refused, too, when the fresh upload is refused."""
    provider = Provider(
        on_upload=lambda said, _, now: NO if now > 100 else url(said),
    )
    rows = with_pictures(200, lambda _: "p")
    engine = Engine(replace(SETTINGS, outstanding=10), 0.0, upload_age_s=150)
    enqueue(engine, *rows)
    done = Night(engine, provider, rows).run()
    states = done.states()
    assert states[State.DONE] + states[State.REFUSED] == 200
    assert states[State.REFUSED] > 100
    assert provider.submits.total() == states[State.DONE]


def test_the_other_picture_of_a_refused_row_comes_too_late() -> None:
    """Refused for its first picture, a row does not go out when its second one is uploaded."""

    def hook(said: Upload, times: int, _: float) -> str | ProviderError:
        if said.sha256 == "bad":
            return NO
        return Unreachable("502") if times <= 5 else url(said)

    rows = [
        attempt("a", images=("sha256:bad", "sha256:good")),
        attempt("b", images=("sha256:good",)),
    ]
    provider = Provider(on_upload=hook)
    done = night(rows, provider).run()
    assert done.states() == {State.REFUSED: 1, State.DONE: 1}
    assert provider.submits == {"b": 1}


def test_one_refusal_may_be_a_hiccup() -> None:
    """A 200 with success:false is tried once more."""
    provider = Provider(on_upload=lambda said, times, _: NO if times == 1 else url(said))
    assert night(with_pictures(10, str), provider).run().states() == {State.DONE: 10}


def test_failed_uploads_are_repeated() -> None:
    """Uploading is free: 5xx and 429 cost time and nothing else."""

    def hook(said: Upload, times: int, _: float) -> str | ProviderError:
        if times <= 3:
            return Unreachable("502")
        return Throttled("429", retry_after_s=2) if times <= 20 else url(said)

    done = night(with_pictures(4, lambda n: f"p{n % 2}"), Provider(on_upload=hook)).run()
    assert done.states() == {State.DONE: 4}
    assert done.provider.uploads == {"p0": 21, "p1": 21}


def test_one_picture_that_cannot_be_uploaded_holds_nobody_up() -> None:
    """Its rows wait for the next run, the others are done, and the run ends."""
    provider = Provider(
        on_upload=lambda said, *_: Unreachable("500") if said.sha256 == "p1" else url(said)
    )
    left = night(with_pictures(90, lambda n: f"p{n % 3}"), provider).run()
    assert left.states() == {State.DONE: 60, State.WAITING: 30}
    assert left.engine.stops == []
    provider.on_upload = lambda said, *_: url(said)
    assert resume(left).run().states() == {State.DONE: 90}


def test_no_upload_at_all_ends_the_run() -> None:
    """When no picture can be uploaded for minutes, the run ends unfinished, and may be repeated."""
    provider = Provider(on_upload=lambda *_: Unreachable("500"))
    left = night(with_pictures(500, str), provider).run()
    assert left.states() == {State.WAITING: 500}
    assert [stop.exit_code for stop in left.engine.stops] == [ExitCode.UNFINISHED]
    assert left.now < 1600


def test_401_on_an_upload_stops_the_run() -> None:
    """A key that is not taken is not tried again and again."""
    provider = Provider(on_upload=lambda *_: Unauthorized("no", status=401))
    stopped = night(with_pictures(50, str), provider).run()
    assert [stop.exit_code for stop in stopped.engine.stops] == [ExitCode.STOPPED]
    assert provider.uploads.total() <= 4
    assert stopped.states() == {State.WAITING: 50}


def test_a_refused_picture_closes_the_attempt_before() -> None:
    """A new attempt that ends at its picture follows the table: closed, then refused."""
    first = night(1, Provider(on_submit=lambda *_: Refused("no", status=400))).run()
    before = first.entries()["row000000"]
    engine = Engine(SETTINGS, first.now)
    again = attempt("row000000", number=2, images=("sha256:x",))
    enqueue(engine, again, supersedes={before.key: before})
    provider = Provider(on_upload=lambda *_: NO)
    second = Night(engine, provider, [again], now=first.now, journal=list(first.journal)).run()
    entry = second.entries()["row000000"]
    assert (entry.state, entry.attempt.number) == (State.REFUSED, 2)
    assert isinstance(second.journal[-1][0], PictureRefused)
    assert provider.submits.total() == 0


def test_from_the_first_failure_on_it_is_known_that_pictures_are_waited_for() -> None:
    """With the reason and the end of the patience; not any more when one is taken again."""
    provider = Provider(
        on_upload=lambda said, _, now: Unreachable("no way") if now < 100 else url(said)
    )
    begun = night(with_pictures(4, str), provider).run(until=1.0)
    (wait,) = begun.engine.waits(begun.now)
    assert (wait.what, wait.why) == ("pictures to be taken again", "no way")
    assert wait.until == pytest.approx(SETTINGS.outage_s, abs=1)
    begun.run(until=200.0)
    assert begun.engine.waits(begun.now) == []


def test_an_upload_that_is_dropped_came_to_nothing() -> None:
    """It is free: the next run makes it again."""
    reply = unanswered(Upload("p1", 2))
    assert isinstance(reply, UploadReply)
    assert (reply.sha256, reply.lane) == ("p1", 2)
    assert isinstance(reply.content, Unreachable)
