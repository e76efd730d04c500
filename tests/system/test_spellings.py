"""A file that another program saved again says the same: nothing of it is bought again.

Each act is done to the bytes of a sheet that has run, and then the product is run as a process. The
API's own records say what was submitted.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.harness import sheets
from tests.system.harness.api import Api
from tests.system.harness.product import Product
from tests.system.test_renamed import Shop

pytestmark = pytest.mark.long

TEXTS = ("mug\nin the rain", "caf\u00e9", "Gr\u00fc\u00dfe\nund\nK\u00fcsse", "plain")
NUMBER = len(TEXTS)


def unix2dos(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def both(text: str) -> str:
    return unix2dos(decomposed(text))


Act = Callable[[str], str]
ACTS: list[Act] = [unix2dos, decomposed]


def save_again(path: Path, act: Act, to: Path | None = None) -> Path:
    """Have another program save a file."""
    text = path.read_bytes().decode()
    (to or path).write_bytes(act(text).encode())
    return to or path


@pytest.fixture
def shop(product: Product, api: Api) -> Shop:
    """A sheet with line breaks in cells and letters that have two spellings."""
    made = Shop(product, api, api.mark())
    name = product.folder.name
    made.write(
        [
            {"sku": f"P{at}", "prompt": f"{name}: {text}", "duration": "4"}
            for at, text in enumerate(TEXTS)
        ]
    )
    return made


@pytest.fixture
def done(shop: Shop) -> Shop:
    """The same, run to its end."""
    ended = shop("run")
    assert ended.code == 0, ended.err
    assert shop.submitted == NUMBER
    return shop


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_a_manifest_that_was_saved_again(done: Shop, act: Act) -> None:
    """No row is an edited one, not even where all edited rows are to be made again."""
    save_again(done.manifest, act)
    assert done.groups == {"done": NUMBER}
    ended = done("run", "--redo", "changed")
    assert (ended.code, done.submitted) == (0, 0), ended.err


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_it_was_saved_again_with_other_keys(done: Shop, act: Act) -> None:
    """Every row keeps its entry, and there and back."""
    before = [one["result_task_id"] for one in done.results]
    original = done.manifest.read_bytes()
    done.write([{"Article": f"new {row.pop('sku')}", **row} for row in done.rows])
    save_again(done.manifest, act)
    assert done.groups == {"renamed": NUMBER}
    ended = done("run")
    assert (ended.code, done.submitted) == (0, 0), ended.err
    assert [one["result_task_id"] for one in done.results] == before
    done.manifest.write_bytes(original)
    assert done("run").code == 0
    assert done.submitted == 0
    assert [one["result_task_id"] for one in done.results] == before


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_a_copy_in_another_folder(done: Shop, act: Act) -> None:
    """Whichever of the two spellings was bought: the other gets its video, and keeps it."""
    copy = save_again(done.manifest, act, done.product.folder / "copy.csv")
    planned = done.product("plan", copy, "--json").json
    assert planned["groups"]["repeat"] == NUMBER
    for _ in range(2):
        ended = done.product("run", copy)
        assert (ended.code, done.submitted) == (0, 0), ended.err
        assert set(sheets.states(done.product.folder / "outputs" / "copy").values()) == {"done"}
    assert done.product("plan", copy, "--json").json["groups"]["done"] == NUMBER


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_the_copy_was_bought_first(shop: Shop, act: Act) -> None:
    """The other way round: a file with CRLF, or with letters in two characters, made plain."""
    copy = save_again(shop.manifest, act, shop.product.folder / "copy.csv")
    ended = shop.product("run", copy)
    assert (ended.code, shop.submitted) == (0, NUMBER), ended.err
    ended = shop("run")
    assert (ended.code, shop.submitted) == (0, 0), ended.err
    assert shop.groups == {"done": NUMBER}


def test_both_in_one_night(shop: Shop) -> None:
    """Neither was bought when the night was planned: of two spellings, too, only one is."""
    copy = save_again(shop.manifest, both, shop.product.folder / "copy.csv")
    shop.product("run", shop.manifest, copy)
    assert shop.submitted == NUMBER
    for path in (shop.manifest, copy):
        assert shop.product("run", path).code == 0
    assert shop.submitted == 0
    assert set(sheets.states(shop.product.folder / "outputs" / "copy").values()) == {"done"}


def test_what_failed_is_no_new_request(shop: Shop) -> None:
    """Its attempts go on counting, and it is not sent again only because it was saved again."""
    shop.api.faults("query_failed_error@internal_error")
    assert shop("run").code == 1
    assert shop.submitted == NUMBER
    save_again(shop.manifest, both)
    assert shop.groups == {"failed": NUMBER}
    assert shop("run").code == 1
    assert shop.submitted == 0
    shop("retry", **{"limits.attempts": "1"})
    assert shop.submitted == 0


OLD, NEW = "gemini_omni_flash", "gemini-omni-flash"


@pytest.mark.parametrize(("first", "second"), [(OLD, NEW), (NEW, OLD)])
def test_the_model_is_spelled_in_the_other_way(
    shop: Shop, tmp_path: Path, first: str, second: str
) -> None:
    """It is the same model: nothing is bought again, here or elsewhere, and `plan` says so."""
    assert shop("run", **{"api.model": first}).code == 0
    assert shop.submitted == NUMBER
    other = {"api.model": second}
    ended = shop("run", "--redo", "changed", **other)
    assert (ended.code, shop.submitted) == (0, 0), ended.err
    for place in (("--out", str(tmp_path / "elsewhere")), ()):
        copy = save_again(shop.manifest, str, tmp_path / f"copy{len(place)}.csv")
        plan = shop.product("plan", copy, *place, "--json", sets=other).json
        assert {name: rows for name, rows in plan["groups"].items() if rows} == {"repeat": NUMBER}
        ended = shop.product("run", copy, *place, sets=other)
        assert (ended.code, shop.submitted) == (0, 0), ended.err


def test_rows_that_were_refused_go_on_with_the_right_spelling(shop: Shop) -> None:
    """The provider may take one spelling only: correcting it is an edit of what was refused."""
    shop.api.faults("submit_400")
    assert shop("run", **{"api.model": OLD}).code in {1, 4}
    shop.api.faults()
    shop.submitted  # noqa: B018 - they were refused
    ended = shop("run", **{"api.model": NEW})
    assert (ended.code, shop.submitted) == (0, NUMBER), ended.err
