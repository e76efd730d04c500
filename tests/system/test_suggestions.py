"""Every command that is suggested can be pasted: it works in the folder of the run that said it."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.harness import sheets
from tests.system.harness.api import KEY, Api
from tests.system.harness.product import Ended, Product

pytestmark = pytest.mark.long

WORD = re.compile(r""" ?((?:"[^"]*"|'[^']*'|[^\s"'`])+)""")
VERBS = {"check", "plan", "run", "retry", "fetch", "status", "report", "resolve", "journal"}
NOT_ACCEPTED = re.compile(
    r"Usage:|No such|does not exist|is missing|unexpected|no row has the key|Give a KEY|"
    r"belongs to another|there is no journal|not known: there is nothing|holds? .*rehears"
)
"""What is said of a command that names something else than what it was meant for."""


def suggested(text: str) -> list[str]:
    """Return the commands of a text: each to the end of its sentence, or of its quotes."""
    found = []
    for line in text.splitlines():
        for begin in re.finditer(r"\breelsheet(?= )", line):
            words: list[str] = []
            at = begin.end()
            while (word := WORD.match(line, at)) is not None:
                words.append(word[1].rstrip(".,:;"))
                at = word.end()
                if words[-1] != word[1]:
                    break
            if words and words[0] in VERBS:
                found.append(" ".join(words))
    return found


@dataclass
class Shop:
    """A sheet in a folder with a space, and what names its work beside it."""

    product: Product
    api: Api
    manifest: Path
    out: Path
    options: tuple[str, ...]
    mark: int

    def __call__(self, *command: str) -> Ended:
        """Carry out a command as the user types it."""
        return self.product(*command, self.manifest, *self.options)

    def write(self, *lines: dict[str, str]) -> None:
        """Write the sheet."""
        sheets.write(self.product.folder / self.manifest, lines)

    def prompt(self, text: str) -> str:
        """A prompt that no other test has."""
        return f"{self.product.folder.name} {text}"

    def paste(self, text: str, verb: str, *more: str) -> Ended:
        """Carry out the suggested command; it names what the user named, and works there."""
        found = [one for one in suggested(text) if one.startswith(verb)]
        assert len(set(found)) == 1, text
        words = shlex.split(found[0])
        for word in (str(self.manifest), *self.options):
            assert word in words
        before = self.folders
        ended = self.product(*words, *more)
        assert ended.code != 2 or verb == "check", ended.err
        assert self.folders == before, "no other output folder is begun"
        return ended

    @property
    def folders(self) -> set[Path]:
        """The output folders."""
        return {one.parent for one in self.product.folder.rglob("journal.db")}

    @property
    def actions(self) -> dict[str, str]:
        """What is to be done, by SKU."""
        return {one["sku"]: one["result_action"] for one in sheets.results(self.out)}

    @property
    def submitted(self) -> Counter[str]:
        """What was submitted since this was asked last."""
        before, self.mark = self.mark, self.api.mark()
        calls = self.api.calls("submit", since=before)
        prefix = f"{self.product.folder.name} "
        return Counter(
            prompt.removeprefix(prefix)
            for prompt in (
                one["prompt"] for one in self.api.records()["submissions"][-len(calls) :]
            )
            if calls
        )


NAMED = [
    (("--out", "special place"), "special place"),
    (("--series", "night"), "outputs/night"),
    (("--out", "special", "--config", "my settings.yaml"), "special"),
]


@pytest.fixture(params=NAMED, ids=["out", "series", "config"])
def shop(product: Product, api: Api, request: pytest.FixtureRequest) -> Shop:
    """A sheet that was not run yet."""
    options, out = request.param
    (product.folder / "my settings.yaml").write_text("limits: {outstanding: 3}\n")
    return Shop(
        product, api, Path("my shop/p 1.csv"), product.folder / out, options, mark=api.mark()
    )


def test_what_results_and_endings_suggest(shop: Shop) -> None:
    """Nothing but the rows that the command names is bought, each in the folder it is in."""
    failing = "[fault:query_failed_error@upstream_timeout] fails"
    rows = [sheets.row("OK", shop.prompt("ok")), sheets.row("EDIT", shop.prompt("before"))]
    odd = [
        sheets.row("BAD", shop.prompt("bad"), duration="99"),
        sheets.row("F", shop.prompt(failing)),
    ]
    shop.write(*rows, *odd)
    ran = shop("run")
    assert ran.code == 1, ran.err
    assert "duration" in shop.paste(ran.out, "check").out
    unknown = shop("run", "--only", "NOBODY")
    assert "EDIT" in shop.paste(unknown.err, "status").out
    rows[1]["prompt"] = shop.prompt("after")
    shop.write(*rows, *odd)
    assert shop("report").code == 0
    assert sum(shop.submitted.values()) == 3

    shop.paste(shop.actions["EDIT"], "run")
    assert set(shop.submitted) == {"after"}
    assert sheets.states(shop.out)["EDIT"] == "done"
    shop.paste(shop.actions["F"], "retry", "--limit", "0")
    assert not shop.submitted


def test_what_is_suggested_about_a_journal(shop: Shop) -> None:
    """A video that is gone, and a file that is damaged: nothing is bought."""
    shop.write(sheets.row("OK", shop.prompt("one")), sheets.row("TWO", shop.prompt("two")))
    assert shop("run").code == 0
    assert len(shop.submitted) == 2
    assert shop("journal", "backup").code == 0
    assert shop("journal", "verify").code == 0
    next((shop.out / "videos").iterdir()).unlink()
    assert shop.paste(shop("journal", "verify").out, "fetch").code == 0
    assert shop("journal", "verify").code == 0
    journal = shop.out / "journal.db"
    journal.write_bytes(journal.read_bytes()[:8192])
    assert shop.paste(shop("journal", "verify").out, "journal rebuild", "--yes").code == 0
    assert shop("run").code == 0
    assert set(sheets.states(shop.out).values()) == {"done"}
    assert not shop.submitted


def test_what_is_suggested_about_rows_in_doubt(shop: Shop) -> None:
    """They are listed, and one is settled where it is."""
    shop.product.sets = {**shop.product.sets, "api.lookup_s": "0.3"}
    shop.write(sheets.row("LOST", shop.prompt("lost")))
    shop.api.faults("submit_answer_lost", "query_lookup_unsupported")
    ran = shop("run")
    shop.api.faults()
    assert ran.code == 3, ran.err
    assert len(shop.submitted) == 1
    assert "LOST" in shop.actions
    assert "LOST --task-id ID" in shop.actions["LOST"]
    listed = shop.paste(ran.out, "resolve")
    assert "LOST" in listed.out
    (line,) = (line for line in listed.out.splitlines() if "--not-sent" in line)
    assert shop.paste(line, "resolve").code == 0
    assert not shop.submitted


HARD_KEYS = ("-EDIT", "a, b", "it's", "Größe 7", '"Q"', "-LOST", "all", "x;y")
HARD = Path("-Käse & Öl", "-p 1.csv")
HARD_OUT = Path("made in $HOME")
HARD_NAMES = (f"./{HARD}", "--out", str(HARD_OUT), "--series", "Öl 1")


@dataclass
class Talk:
    """All that commands say about files, folders and keys with hard names."""

    product: Product
    api: Api
    texts: list[str]

    @property
    def prompts(self) -> dict[str, str]:
        """The prompts of the rows, by key."""
        faults = {"it's": "upstream_timeout", "Größe 7": "insufficient_quota"}
        return {
            key: f"{self.product.folder.name} {key}"
            + (f" [fault:query_failed_error@{faults[key]}]" if key in faults else "")
            for key in HARD_KEYS
        }

    @property
    def commands(self) -> list[str]:
        """The commands that were suggested."""
        return list(dict.fromkeys(one for text in self.texts for one in suggested(text)))

    def __call__(self, *words: str | Path) -> None:
        """Carry out a command, and keep what it says."""
        ended = self.product(*words)
        self.texts.extend((ended.out, ended.err))

    def write(self, edited: str = "") -> None:
        """Write the manifest."""
        prompts = {**self.prompts, "-EDIT": f"{self.prompts['-EDIT']}{edited}"}
        rows = [sheets.row(key, prompt) for key, prompt in prompts.items()]
        sheets.write(self.product.folder / HARD, [*rows, sheets.row("BAD", "bad", duration="99")])

    def keep_results(self, out: Path) -> list[dict[str, str]]:
        """Keep what the results say, and return them."""
        results = sheets.results(self.product.folder / out)
        for one in results:
            self.texts.extend((one["result_action"], one["result_warnings"]))
        return results


@pytest.fixture
def talk(product: Product, api: Api) -> Talk:
    """All kinds of advice, as commands, results and the account give it."""
    product.sets = {"api.lookup_s": "0.3", "limits.attempts": "9"}
    talk = Talk(product, api, [])
    talk.write()
    api.faults("submit_answer_lost", "query_lookup_unsupported")
    talk("run", *HARD_NAMES, "--only=-LOST")
    api.faults("query_lookup_unsupported")
    talk("run", *HARD_NAMES)
    talk("run", *HARD_NAMES, "--only", "NOBODY")
    talk("status", *HARD_NAMES)
    talk("resolve", *HARD_NAMES, "--all")
    talk("account")
    talk.write(edited=" again")
    talk("report", *HARD_NAMES)
    videos = {one["sku"]: one["result_video"] for one in talk.keep_results(HARD_OUT)}
    (product.folder / HARD_OUT / videos["x;y"]).unlink()
    talk("journal", "verify", *HARD_NAMES)
    # Another table with some of the rows: first they are held, then reused.
    rows = [sheets.row(f"{key} 2", talk.prompts[key]) for key in ("a, b", '"Q"', "-LOST")]
    sheets.write(product.folder / "-copy.csv", rows)
    for repeats in ("hold", "reuse"):
        product.sets = {**product.sets, "repeats": repeats}
        talk("run", "./-copy.csv", "--out", "-there")
        talk.keep_results(Path("-there"))
    return talk


def test_every_command_in_every_message_is_taken(talk: Talk) -> None:
    """Whatever the files, folders and keys are called: no name is taken for another."""
    folder, commands = talk.product.folder, talk.commands
    verbs = {shlex.split(one)[0] for one in commands}
    assert verbs == {"check", "run", "retry", "fetch", "status", "resolve"}, commands
    journals = set(folder.rglob("journal.db"))
    pasting = Product(folder, None, KEY)
    for command in commands:
        words = shlex.split(command)
        assert {"MANIFEST", "THERE", "KEY", "STATE"}.isdisjoint(words), command
        ended = pasting(*words)
        assert not NOT_ACCEPTED.search(ended.err), (command, ended.err)
    assert set(folder.rglob("journal.db")) == journals, "no other folder is begun"


def test_the_command_that_restores_a_damaged_journal(talk: Talk) -> None:
    """It names all that was named, too."""
    journal = talk.product.folder / HARD_OUT / "journal.db"
    journal.write_bytes(journal.read_bytes()[:8192])
    (command,) = suggested(talk.product("run", *HARD_NAMES).err)
    for word in ("--series", "Öl 1", "--out", str(HARD_OUT), "rebuild"):
        assert word in shlex.split(command)
    assert talk.product(*shlex.split(command), "--yes").code == 0, command
    assert talk.product("status", *HARD_NAMES).code == 0
