"""Pictures that were not found: what is suggested works when it is pasted."""

from __future__ import annotations

import io
import re
import shlex
import sys
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from PIL import Image

from pipeline.checker.check import CheckedManifest, check_manifest
from pipeline.checker.grouping import shown_groups
from pipeline.config.loading import load
from pipeline.pictures import search

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="paths of Windows are its own")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="other disks know one form only")

PICTURE = io.BytesIO()
Image.effect_noise((960, 540), 60).convert("RGB").save(PICTURE, "JPEG")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a manifest's folder in it, whose name has a blank and an umlaut."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "Büro 1"
    folder.mkdir()
    return folder


def put(*files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(PICTURE.getvalue())


def write(folder: Path, cells: Sequence[str]) -> Path:
    rows = (f'K{at},Mug {at} turns.,"{cell}"' for at, cell in enumerate(cells))
    manifest = folder / "shop.csv"
    manifest.write_text("\n".join(["sku,prompt,image_1", *rows, ""]), encoding="utf-8")
    return manifest


def check(manifest: Path, *settings: str) -> CheckedManifest:
    return check_manifest(manifest, load(None, environ={}, overrides=settings), cache_dir=None)


def together(checked: CheckedManifest) -> str:
    """The only line that stands for all problems."""
    (group,) = shown_groups(checked.problems)
    assert len(group.problems) == len(checked.problems)
    return group.sentence


def option_in(sentence: str) -> str:
    """The setting that a sentence suggests, as a shell hands it on."""
    found = re.search(r"\(or add (--set .*)\)$", sentence)
    assert found is not None, sentence
    return shlex.split(found[1])[1]


def suggested(message: str) -> str:
    found = re.search(r"Did you mean (.*)\?$", message)
    assert found is not None, message
    return found[1]


KINDS: dict[str, tuple[str, str, str]] = {
    # what the cell says, where the file lies, what belongs into the cell
    "a bare name": ("a.jpg", "photos/new/a.jpg", "photos/new/a.jpg"),
    "another suffix": ("photos/a.jpg", "photos/a.jpeg", "photos/a.jpeg"),
    "no suffix": ("photos/a", "photos/a.jpg", "photos/a.jpg"),
    "a bare name with another suffix": ("a.jpg", "photos/a.JPEG", "photos/a.JPEG"),
    "another case": ("photos/a.jpg", "photos/A.JPG", "photos/A.JPG"),
    "another case of the folder": ("Photos/a.jpg", "photos/a.jpg", "photos/a.jpg"),
    "a slip": ("photos/red-ketle.jpg", "photos/red-kettle.jpg", "photos/red-kettle.jpg"),
    "a slip in the folder": ("fotos/b/a.jpg", "photos/b/a.jpg", "photos/b/a.jpg"),
    "a Windows drive": (r"C:\Users\me\photos\a.jpg", "photos/a.jpg", "photos/a.jpg"),
    "a drive with slashes": ("c:/pictures/a.jpg", "photos/a.jpg", "photos/a.jpg"),
    "a network share": (r"\\nas\shop\a.jpg", "photos/a.jpg", "photos/a.jpg"),
    "backslashes": (r"fotos\a.jpg", "photos/a.jpg", "photos/a.jpg"),
    "a file address": ("file:///C:/my%20photos/a%20b.jpg", "photos/a b.jpg", "photos/a b.jpg"),
    "a file address of a folder": ("file://photos/a.jpg", "photos/a.jpg", "photos/a.jpg"),
    "a slash at the beginning": ("/photos/a.jpg", "photos/a.jpg", "photos/a.jpg"),
    "a home folder": ("~/photos/a.jpg", "photos/a.jpg", "photos/a.jpg"),
    "quotes and blanks": (" 'a.jpg' ", "photos/a.jpg", "photos/a.jpg"),
    "a blank as in an address": ("a%20b.jpg", "photos/a b.jpg", "photos/a b.jpg"),
    "what follows in an address": ("a.jpg?v=3", "photos/a.jpg", "photos/a.jpg"),
    "one of several by its folder": ("b/a.jpg", "photos/b/a.jpg", "photos/b/a.jpg"),
}


@posix_only
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_suggested_belongs_into_the_cell(kind: str, shop: Path) -> None:
    """Pasted, the row is good, from whichever folder the command is started."""
    cell, file, meant = KINDS[kind]
    put(shop / file)
    if kind.startswith("one of several"):
        put(shop / "photos/c/a.jpg", shop / "photos/d/a.jpg")
    (problem,) = check(write(shop, [cell])).problems
    assert suggested(problem.message) == meant
    assert check(write(shop, [meant])).problems == ()


def test_what_is_there_twice_is_not_suggested(shop: Path) -> None:
    """Nor what is hidden, lies in an output folder, or behind a link to another place."""
    put(shop / "one/a.jpg", shop / "two/a.jpg")
    put(shop / ".trash/b.jpg", shop / "out/b.jpg", shop / "outputs/x/c.jpg")
    (shop / "out/journal.db").touch()
    put(shop.parent / "elsewhere/d.jpg")
    (shop / "link").symlink_to(shop.parent / "elsewhere")
    manifest = write(shop, ["a.jpg", "b.jpg", "c.jpg", "d.jpg"])
    checked = check(manifest, f"output.dir={shop / 'outputs'}")
    assert len(checked.problems) == 4
    assert not any("Did you mean" in problem.message for problem in checked.problems)


def test_a_tree_without_end_is_not_walked_to_its_end(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nothing is suggested: whether a name is there only once cannot be told."""
    put(*(shop / f"photos/{at}.jpg" for at in range(5)))
    manifest = write(shop, ["1.jpg"])
    assert "Did you mean photos/1.jpg?" in check(manifest).problems[0].message
    for limit, value in (("_MOST_ENTRIES", 4), ("_MOST_FOLDERS", 1)):
        with monkeypatch.context() as patched:
            patched.setattr(search, limit, value)
            assert "Did you mean" not in check(manifest).problems[0].message
    assert search.find_names(Path("/"), {"etc"}).by_name == {}


def lies_in(folder: str) -> Callable[[Path], list[Path]]:
    return lambda shop: [shop / folder / f"p{at}.jpg" for at in range(56)]


def test_many_pictures_in_one_folder_are_one_message(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the setting, which works when it is pasted, in the file and as an option."""
    put(*lies_in("photos")(shop))
    manifest = write(shop, [f"p{at}.jpg" for at in range(56)])
    said = together(check(manifest))
    assert said == (
        "56 pictures are missing; all of them lie in Büro 1/photos/: set manifest.image_root: "
        'Büro 1/photos (or add --set "manifest.image_root=Büro 1/photos")'
    )
    assert check(manifest, option_in(said)).problems == ()
    monkeypatch.chdir(shop)
    said = together(check(Path("shop.csv")))
    assert said == (
        "56 pictures are missing; all of them lie in photos/: set manifest.image_root: photos "
        "(or add --set manifest.image_root=photos)"
    )
    assert check(Path("shop.csv"), option_in(said)).problems == ()


def test_a_setting_that_would_lose_a_picture_is_not_suggested(shop: Path) -> None:
    """Then the cells are to be changed, and so they are if pictures lie in two folders."""
    put(shop / "logo.jpg", *(shop / f"photos/p{at}.jpg" for at in range(3)))
    cells = [f"p{at}.jpg" for at in range(3)]
    assert together(check(write(shop, ["logo.jpg", *cells]))) == (
        "3 pictures are missing; all of them lie in photos/: write photos/ before their names"
    )
    put(*(shop / f"more/q{at}.jpg" for at in range(3)))
    groups = shown_groups(check(write(shop, [*cells, *(f"q{at}.jpg" for at in range(3))])).problems)
    assert [group.sentence.rpartition(": ")[2] for group in groups] == [
        "write photos/ before their names",
        "write more/ before their names",
    ]


CAUSES: dict[str, tuple[str, str, str]] = {
    # what the cells say, where the files lie, and the remedy for all
    "windows": (
        r"C:\Users\me\Bilder\p{}.jpg",
        "photos/p{}.jpg",
        "3 pictures have paths of another computer; all of them lie in photos/: replace "
        r"C:\Users\me\Bilder" + "\\ by photos/",
    ),
    "windows, folder and all": (
        r"D:\shop\photos\p{}.jpg",
        "photos/p{}.jpg",
        "3 pictures have paths of another computer; all of them lie in the picture folder itself: "
        r"remove D:\shop" + "\\ from the cells",
    ),
    "suffix": (
        "photos/p{}.jpg",
        "photos/p{}.jpeg",
        "3 pictures are missing; each is there with another suffix: write .jpeg in place of .jpg",
    ),
    "case": (
        "photos/p{}.jpg",
        "photos/P{}.JPG",
        (
            "3 pictures are missing; each is there in other capital or small letters: write "
            "photos/P0.JPG in place of photos/p0.jpg, and so on"
        ),
    ),
    "folder": (
        "Fotos/p{}.jpg",
        "photos/p{}.jpg",
        "3 pictures are missing; all of them lie in photos/: replace Fotos/ by photos/",
    ),
    "slash": (
        "/photos/p{}.jpg",
        "photos/p{}.jpg",
        (
            "3 pictures have paths outside the picture folder {shop}; all of them lie in the "
            "picture folder itself: remove / from the cells"
        ),
    ),
    "nowhere": (
        "gone/p{}.jpg",
        "photos/q{}.jpg",
        (
            "3 pictures are missing: there is no folder {shop}/gone. Put it there, or set "
            "manifest.image_root to the folder that it lies in."
        ),
    ),
    "nowhere on this computer": (
        r"C:\x\p{}.jpg",
        "photos/q{}.jpg",
        (
            r"3 pictures have paths of another computer, such as C:\x\p0.jpg. Copy them to {shop} "
            "and write their paths from there."
        ),
    ),
}


@posix_only
@pytest.mark.parametrize("cause", CAUSES)
def test_many_pictures_of_one_cause_are_one_message(cause: str, shop: Path) -> None:
    """It names the cause, and the one change that mends all of them."""
    cell, file, said = CAUSES[cause]
    put(*(shop / file.format(at) for at in range(3)))
    checked = check(write(shop, [cell.format(at) for at in range(3)]))
    assert together(checked) == said.replace("{shop}", str(shop))


@posix_only
@pytest.mark.parametrize(
    ("cells", "setting"),
    [
        ("{elsewhere}/p{at}.jpg", "image_root"),
        ("../elsewhere/p{at}.jpg", "images_outside"),
        ("file://{elsewhere}/p{at}.jpg", "image_root"),
        ("elsewhere/p{at}.jpg", "image_root"),
        ("Büro 1/photos/p{at}.jpg", "image_root"),
    ],
)
def test_the_setting_that_lets_pictures_be_found_elsewhere(
    cells: str, setting: str, shop: Path
) -> None:
    """Outside of the manifest's folder, or as seen from the working folder."""
    elsewhere = shop.parent / "elsewhere"
    put(*(folder / f"p{at}.jpg" for at in range(3) for folder in (elsewhere, shop / "photos")))
    if "Büro" not in cells:
        for file in (shop / "photos").iterdir():
            file.unlink()
    manifest = write(shop, [cells.format(elsewhere=elsewhere, at=at) for at in range(3)])
    option = option_in(together(check(manifest)))
    assert option.startswith(f"manifest.{setting}=")
    assert check(manifest, option).problems == ()


@linux_only
def test_a_name_in_another_unicode_form_is_taken(shop: Path) -> None:
    """In every part of the path, either way round, and with the setting of the folder."""
    name = "Größe é が/Müller Tässe.jpg"
    for have, say in (("NFD", "NFC"), ("NFC", "NFD")):
        put(shop / have / unicodedata.normalize(have, name))  # type: ignore[arg-type]
        cell = f"{have}/{unicodedata.normalize(say, name)}"  # type: ignore[arg-type]
        checked = check(write(shop, [cell]))
        assert checked.problems == ()
        assert checked.valid == 1
    root = unicodedata.normalize("NFC", f"{shop}/NFD/Größe é が")
    option = f'manifest.image_root="{root}"'
    assert check(write(shop, ["Müller Tässe.jpg"]), option).problems == ()


@linux_only
def test_it_is_taken_only_if_no_other_name_is_the_same(shop: Path) -> None:
    """Two names that look alike are a question for a person; the exact one is never one."""
    forms = ["\u1e69", "s\u0323\u0307", "s\u0307\u0323"]
    put(*(shop / f"{form}.jpg" for form in forms[1:]))
    (problem,) = check(write(shop, [f"{forms[0]}.jpg"])).problems
    assert problem.code == "picture_missing"
    put(shop / f"{forms[0]}.jpg")
    assert check(write(shop, [f"{forms[0]}.jpg"])).problems == ()


@linux_only
def test_it_leads_nowhere_outside_of_the_picture_folder(shop: Path) -> None:
    """A link whose name differs in form alone is no way around the rule."""
    put(shop.parent / "secret/a.jpg")
    (shop / unicodedata.normalize("NFD", "Bäder")).symlink_to(shop.parent / "secret")
    (problem,) = check(write(shop, ["B\u00e4der/a.jpg"])).problems
    assert problem.severity == "error"


@linux_only
def test_a_row_bought_before_does_not_look_edited(shop: Path) -> None:
    """The request is that of the picture, whichever form its name has."""
    put(shop / "M\u00fcller.jpg")
    manifest = write(shop, ["M\u00fcller.jpg"])
    before = check(manifest).requests[2].request_hash
    (shop / "M\u00fcller.jpg").rename(shop / "Mu\u0308ller.jpg")
    after = check(manifest)
    assert after.requests[2].request_hash == before


def test_two_names_in_one_cell(shop: Path) -> None:
    """It says how many there seem to be, and where they belong."""
    put(shop / "a.jpg", shop / "b.jpg")
    (problem,) = check(write(shop, ["a.jpg, b.jpg"])).problems
    assert "seems to name 2 pictures" in problem.message
