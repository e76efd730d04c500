"""Kill a run again and again at random moments, and count what the API and the journal say."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.model import State
from tests.system.harness import invariants, sheets
from tests.system.harness.api import Api
from tests.system.harness.product import Product, book_of

SETTINGS = {
    "limits.outstanding": "6",  # few enough that the rows last for all the kills
    "limits.submits_in_flight": "3",
    "api.lookup_s": "2",
}
FAULTS = ("submit_slow=0.5@0.15", "upload_slow@0.1", "query_500=0.05", "download_cut=0.1")
"""So that the moments of a kill fall into every kind of call, and the rest is not plain sailing."""


@dataclass
class Tally:
    """What came of it."""

    rows: int
    killed: int = 0
    ended: int = 0
    elapsed_s: float = 0.0
    exit_code: int = -1
    codes: Counter[int] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    left_by_kills: int = 0
    accepted: int = 0
    twice: int = 0
    lost: int = 0

    @property
    def whole(self) -> bool:
        """Whether every row is accounted for, nothing was paid twice and nothing is lost."""
        return (
            self.twice == self.lost == 0
            and sum(self.states.values()) == self.rows
            and self.accepted == self.states[State.DONE]
        )

    def table(self) -> list[tuple[str, object]]:
        """Return what to show, in order."""
        return [
            ("rows", self.rows),
            ("killed while they worked", self.killed),
            ("ended by themselves before that", self.ended),
            ("rows left for the last run", self.left_by_kills),
            ("exit code of the last run", self.exit_code),
            *((f"rows {state} after it", count) for state, count in sorted(self.states.items())),
            ("submissions accepted by the API", self.accepted),
            ("submitted twice", self.twice),
            ("task ids lost", self.lost),
            ("seconds", round(self.elapsed_s, 1)),
        ]


def manifests(folder: Path, count: int, lanes: int = 1) -> list[Path]:
    """Write so many rows without, with one and with three local pictures, dealt out to manifests.

    Their keys are the same, and some of their pictures; what they ask for is not.
    """
    pictures = [
        sheets.picture(folder / f"p{n}.jpg", hue=40 * n).name for n in range(max(3, count // 20))
    ]
    return [
        sheets.write(folder / f"night{lane}.csv", _lines(pictures, count // lanes, lane))
        for lane in range(lanes)
    ]


def _lines(pictures: Sequence[str], count: int, lane: int) -> list[dict[str, str]]:
    lines = []
    prompt = f"night {lane}: shot of {{}}"
    for number, one in enumerate(sheets.rows(count, prompt=prompt, duration="4")):
        if number % 10 == 3:
            one["image_1"] = pictures[number % len(pictures)]
        elif number % 10 == 7:
            one |= {f"image_{n}": pictures[(number + n) % len(pictures)] for n in (1, 2, 3)}
        lines.append(one)
    return lines


def kill_and_rerun(
    product: Product,
    api: Api,
    paths: Sequence[Path],
    *,
    kills: int,
    seed: int,
    command: str = "run",
) -> Tally:
    """Start runs, or nights, over these manifests together and kill them, then run to the end.

    Raises AssertionError on a broken promise.
    """
    chance = random.Random(seed)
    before = [path.read_bytes() for path in paths]
    outs = [product.folder / "outputs" / path.stem for path in paths]
    tally, began = Tally(rows=sum(len(sheets.read(path)[1]) for path in paths)), time.monotonic()
    line = (command, *(path.name for path in paths))
    while tally.killed < kills and tally.ended < kills:
        process = product.start(*line, "-q", sets=SETTINGS, stdout=subprocess.DEVNULL, stderr=None)
        if chance.random() < 0.9:  # the others die wherever they are, most while they start
            _until_begun(process, outs[-1])
        _kill(process, chance.uniform(0, 0.8), tally)
        for out in outs:
            if invariants.journal_made(out):
                invariants.submissions_hold(api, out, invariants.journal_holds(out))
    api.faults()
    known = [one for out in outs for one in invariants.journal_holds(out).values()]
    tally.left_by_kills = tally.rows - sum(one.state is State.DONE for one in known)
    last = product(*line, sets=SETTINGS)
    tally.exit_code = last.code
    for path, out, given in zip(paths, outs, before, strict=True):
        invariants.hold(api, product, path, out, given)
        tally.states.update(sheets.states(out).values())
        _account(api, out, tally)
        invariants.book_holds(Path(product.sets.get("account.book") or book_of()), out)
    # After the last run's look-ups only what never reached the API may be left in doubt.
    assert {State(state) for state in tally.states} <= {State.DONE, State.IN_DOUBT}, tally
    tally.elapsed_s = time.monotonic() - began
    return tally


def _until_begun(process: subprocess.Popen[str], out: Path) -> None:
    # The owner's name is written as soon as a run holds the lock; an older one is a killed run's.
    owner = out / "cache" / "run.owner.json"
    while process.poll() is None:
        try:
            if f'"pid": {process.pid},' in owner.read_text(encoding="utf-8"):
                return
        except FileNotFoundError:
            pass
        time.sleep(0.01)


def _kill(process: subprocess.Popen[str], after_s: float, tally: Tally) -> None:
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        tally.killed += 1
    else:
        tally.ended += 1
    tally.codes[process.wait()] += 1


def _account(api: Api, out: Path, tally: Tally) -> None:
    attempts = invariants.attempts(out)
    own = [one for one in api.records()["submissions"] if one["client_business_id"] in attempts]
    tally.accepted += len(own)
    tally.twice += len(own) - len({one["client_business_id"] for one in own})
    known = {task_id for _, _, task_id in attempts.values()}
    tally.lost += sum(one["task_id"] not in known for one in own)
    assert len(invariants.journal_holds(out)) == len(sheets.results(out))
