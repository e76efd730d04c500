"""`reelsheet account`: what was bought over all manifests, and imports."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pipeline import events as ev
from pipeline.cli.app import app
from pipeline.errors import UsageError
from pipeline.manifest.wording import quote_name
from tests.account.accounts import DAY, VIDEO, lane, opened
from tests.system.test_journal_command import zeroed


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The book of the working folder's account, in which two manifests bought something."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TOAPIS_API_KEY", raising=False)
    path = tmp_path / "book.db"
    with opened(path) as made:
        with lane(made, tmp_path / "shoes") as shoes:
            shoes.intend("a", "b", cost=0.5)
            shoes.tell([ev.Accepted("a", 1, "t1"), ev.Completed("a", 1, None)])
            shoes.tell([ev.Downloaded("a", 1, VIDEO), ev.AnswerLost("b", 1, "reset")])
        with lane(made, tmp_path / "hats") as hats:
            hats.intend("a", "refused", at=DAY + 86_400)
            hats.tell([ev.Accepted("a", 1, "t2"), ev.Declined("refused", 1, None, "no")])
    return path


def call(*arguments: str | Path, book: Path, **sets: str) -> Result:
    settings = {"account.book": str(book), "budget.timezone": "UTC", **sets}
    more = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    return CliRunner().invoke(app, ["account", *map(str, arguments), *more])


def document(book: Path, **sets: str) -> Any:
    result = call("--json", book=book, **sets)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_manifests_money_by_day_and_doubts(book: Path, tmp_path: Path) -> None:
    """All of it for machines; what was refused cost nothing."""
    said = document(book, **{"budget.price_per_second": "0.1"})
    assert (said["account"], said["book"], said["currency"]) == ("toapis.com", str(book), "USD")
    assert (said["videos"], said["video_seconds"], said["money"]) == (3, 18, 1.6)
    hats, shoes = said["manifests"]
    assert shoes["manifest"] == str(tmp_path / "shoes" / "m.csv")
    assert (shoes["videos"], shoes["money"], shoes["in_doubt"]) == (2, 1.0, 1)
    assert (hats["videos"], hats["money"], hats["in_doubt"]) == (1, 0.6, 0)
    assert [(one["videos"], one["money"]) for one in said["days"]] == [(2, 1.0), (1, 0.6)]
    assert said["days"][0]["day"] < said["days"][1]["day"]
    (doubt,) = said["doubts"]
    assert (doubt["key"], doubt["state"], doubt["money"]) == ("b", "in_doubt", 0.5)
    assert doubt["client_business_id"] == "rs-shoes-b-1"


def test_for_people(book: Path, tmp_path: Path) -> None:
    """A table of manifests, one of days, and what to settle, with the command."""
    result = call(book=book)
    assert result.exit_code == 0, result.output
    for words in ("account toapis.com", str(tmp_path / "hats"), "1 submission to settle"):
        assert words in result.stdout
    heads = [line.split("  ") for line in result.stdout.splitlines() if "videos" in line]
    assert [[head.strip() for head in line if head] for line in heads] == [
        ["manifest", "output folder", "videos", "seconds of video", "USD", "to settle"],
        ["day", "videos", "seconds of video", "USD"],
    ]
    assert "all days" in result.stdout
    (command,) = (line for line in result.stdout.splitlines() if "reelsheet" in line)
    manifest, folder = tmp_path / "shoes" / "m.csv", tmp_path / "shoes"
    assert shlex.split(command) == [
        *("reelsheet", "resolve", str(manifest), "--out", str(folder)),
        *("--set", f"account.book={book}", "--set", "budget.timezone=UTC"),
        *("--set", "provider=toapis", "--all"),
    ]


def test_what_was_sent_without_a_price_is_not_in_the_sums(book: Path) -> None:
    """They are called at least so much, and how to have all counted is said."""
    said = document(book)
    assert (said["money"], said["unpriced_videos"]) == (1.0, 1)
    least = "At least so much money: 1 video sent without a price is counted without money."
    assert least in call(book=book).stdout
    priced = {"budget.price_per_second": "0.1"}
    assert "t least" not in call(book=book, **priced).stdout
    assert "unpriced_videos" not in document(book, **priced)


def test_before_the_first_live_run(tmp_path: Path) -> None:
    """There is no book, and none is made."""
    path = tmp_path / "none.db"
    assert document(path)["manifests"] == []
    assert "nothing was sent yet" in call(book=path).stdout
    assert not path.exists()


def test_where_no_book_is_kept(tmp_path: Path) -> None:
    """It is said, and what to do."""
    result = CliRunner().invoke(app, ["account", "--set", "account.book=none"])
    assert result.exit_code != 0
    assert "account.book" in str(getattr(result.exception, "message", result.output))
    assert list(tmp_path.iterdir()) == []


def test_import_journals_and_books(book: Path, tmp_path: Path) -> None:
    """By their files or folders, once; of a file that is neither nothing is read."""
    new = tmp_path / "new" / "ours.db"  # one of that name in the working folder is an earlier one
    folder = tmp_path / "shoes"
    first = call("import", folder, folder / "journal.db", book=new)
    assert first.exit_code == 0, first.output
    assert first.stdout.splitlines()[0].endswith("2 submissions taken over")
    assert first.stdout.splitlines()[1].endswith("nothing new")
    assert document(new)["videos"] == 2
    assert call("import", book, "-q", book=new).stdout == ""
    assert document(new)["videos"] == 3
    other = tmp_path / "other.db"
    other.write_text("a text")
    for wrong in (other, tmp_path / "nothing.db", new):
        result = call("import", wrong, book=new)
        assert result.exit_code != 0
        with contextlib.suppress(AttributeError):
            assert result.exception.message  # type: ignore[union-attr]


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes and links")
def test_import_waits_for_no_pipe_and_follows_no_ring(book: Path, tmp_path: Path) -> None:
    """The first has no end, and the second no file."""
    pipe, ring = tmp_path / "pipe", tmp_path / "ring"
    os.mkfifo(pipe)
    ring.symlink_to(ring)
    for wrong, said in ((pipe, "is a pipe, not a file"), (ring, "leads back to itself")):
        result = call("import", wrong, book=book)
        assert isinstance(result.exception, UsageError)
        assert said in result.exception.message


def test_import_of_the_damaged_book_mends_it(book: Path, tmp_path: Path) -> None:
    """Under the path that the message named, whatever book the settings name."""
    zeroed(book, "submissions")
    failed = call("--json", book=book)
    assert failed.exit_code != 0
    command = f"reelsheet account import {quote_name(str(book))}"
    assert command in str(getattr(failed.exception, "action", ""))
    elsewhere = tmp_path / "elsewhere.db"
    mended = call("import", book, book=elsewhere)
    assert mended.exit_code == 0, mended.output
    assert "mended, with 4 submissions" in mended.stdout
    assert document(book)["videos"] == 3
    assert document(elsewhere)["videos"] == 3
    assert len(list(tmp_path.glob("book.damaged-*.db"))) == 1
    book.write_bytes(b"")
    assert "mended, with 0 submissions" in call("import", book, book=book).stdout


def test_a_text_is_never_taken_for_a_damaged_book(book: Path, tmp_path: Path) -> None:
    """Nothing is moved."""
    text = tmp_path / "config.yaml"
    text.write_text("provider: toapis\n", encoding="utf-8")
    assert call("import", text, book=book).exit_code != 0
    assert text.read_text("utf-8") == "provider: toapis\n"


def test_import_of_a_copy_without_its_log(book: Path, tmp_path: Path) -> None:
    """What is in it is taken over, and what may be missing is said."""
    alone, empty = tmp_path / "alone.db", tmp_path / "empty.db"
    with opened(book) as used, lane(used, tmp_path / "shoes") as shoes:
        shoes.intend("c")
        shutil.copy(book, alone)
    taken = call("import", alone, book=tmp_path / "new.db")
    assert taken.exit_code == 0, taken.output
    assert "taken over" in taken.stdout
    assert "without alone.db-wal" in taken.stderr
    with contextlib.closing(sqlite3.connect(empty)) as made:
        made.execute("PRAGMA journal_mode=WAL")
    nothing = call("import", empty, book=tmp_path / "new.db")
    assert nothing.exit_code != 0
    assert "without empty.db-wal" in str(getattr(nothing.exception, "message", ""))
