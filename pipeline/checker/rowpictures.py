"""The pictures that rows name: each one found and opened once, then judged row by row.

Tested in tests/checker/test_check.py.
"""

from __future__ import annotations

import atexit
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from pipeline.checker.drafts import image_fields, problem_at
from pipeline.checker.rules import Draft
from pipeline.disk.rights import make_cache
from pipeline.errors import ConfigError, StoreError
from pipeline.manifest.locations import BucketPicture, locate
from pipeline.model import Manifest, Picture, PictureFault, Problem, Row, Severity
from pipeline.pictures.accepted import shape_warning

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline.checker.modelrules import ModelRules
    from pipeline.checker.picturehints import Hint
    from pipeline.checker.rowmodels import RowModels
    from pipeline.config.settings import Config

_SEVERAL = "several"


@cache
def _passing_folder() -> Path:
    """Make a folder for pictures from buckets that is there until this process ends."""
    folder = Path(mkdtemp(prefix="reelsheet-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    return folder


class PictureProgress(Protocol):
    """Is told how many pictures of how many were looked at, and a line about a slow one."""

    def __call__(self, done: int, total: int, line: str = "", /) -> None:
        """Take note."""


_Place = Path | str | PictureFault  # a file, a web address, or a text that is neither


class _Sentence(NamedTuple):
    """What is said of a picture in a row."""

    code: str
    message: str
    severity: Severity
    together: str | None = None


class PicturedRow(NamedTuple):
    """A row and the pictures that it names; without a draft the row has another error."""

    row: Row
    key: str
    draft: Draft | None
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PictureRules:
    """Where relative pictures start, what is allowed, and the folder that is kept between runs."""

    root: Path
    outside: bool  # pictures may lie outside of root
    prepare: bool  # pictures that are not fit to be sent become copies
    cache_dir: Path | None
    strict: bool  # JPEGs are read by a strict decoder, too
    outputs: str  # the folder in which no missing picture is looked for
    models: RowModels  # those of the rows: their sheets may say what files have to be

    def make_cache(self, manifest: Path) -> Path | None:
        """Return the folder that is kept between runs, made; None if there can be none."""
        if self.cache_dir is not None:
            with suppress(StoreError):  # then nothing is remembered of pictures
                make_cache(self.cache_dir, manifest)
                return self.cache_dir
        return None

    @classmethod
    def of(cls, config: Config, root: Path, cache_dir: Path | None, models: RowModels) -> Self:
        """Return what the settings say.

        Args:
            config: the settings.
            root: where relative pictures start.
            cache_dir: the folder that is kept between runs; None for none.
            models: those of the rows.

        """
        outside, prepare = config.manifest.images_outside, config.images.prepare == "auto"
        strict = config.images.strict
        return cls(root, outside, prepare, cache_dir, strict, config.output.dir, models)


@dataclass(frozen=True, slots=True)
class Findings:
    """The pictures that are sent with each row, and the local ones by their `sha256`.

    `images` holds URLs and `sha256:<hex>` by physical row number, in the order of the cells.
    `files` are the local ones as the user keeps them.
    """

    problems: list[Problem] = field(default_factory=list)
    holding: list[Problem] = field(default_factory=list)
    images: dict[int, tuple[str, ...]] = field(default_factory=dict)
    pictures: dict[str, Picture] = field(default_factory=dict)
    files: tuple[Path, ...] = ()


def picture_root(setting: str) -> Path:
    """Return the folder of `manifest.image_root`; raises ConfigError if there is no such folder."""
    root = Path(setting).expanduser()
    if not root.is_dir() and not setting.isascii():
        from pipeline.pictures.search import UnicodeForms  # noqa: PLC0415 - hardly ever needed

        root = UnicodeForms().find(root) or root
    if not root.is_dir():
        raise ConfigError(
            f"manifest.image_root is {setting}, but there is no such folder.",
            action="Correct the path. A relative path starts in the working folder.",
        )
    return root


def judge_pictures(
    rows: Sequence[PicturedRow],
    manifest: Manifest,
    fields: Mapping[str, int],
    terms: PictureRules,
    progress: PictureProgress | None = None,
) -> Findings:
    """Open each local picture once, and judge the pictures of each row.

    `progress` is told how many pictures of how many were asked for in buckets, then how many local
    ones were looked at.
    """
    # In the order of the rows: a set's order would wander through the whole memory.
    texts = dict.fromkeys(text for one in rows for text in one.texts)
    located = {text: locate(text, terms.root, outside=terms.outside) for text in texts}
    places = _fetch(located, terms, progress, manifest.path)
    opened = _open(places.values(), terms, progress, manifest.path)
    hints = _hints(places, opened, terms, manifest.path.parent)
    findings = Findings(
        pictures={one.sha256: one for one in opened.values() if isinstance(one, Picture)},
        files=tuple(path for path, one in opened.items() if isinstance(one, Picture)),
    )
    for one in rows:
        images = []
        for at, text in enumerate(one.texts):
            place = places[text]
            found = opened[place] if isinstance(place, Path) else place
            if isinstance(found, str):  # a web address: the provider fetches it
                images.append(found)
                continue
            if isinstance(found, Picture):
                images.append(f"sha256:{found.sha256}")
            several = isinstance(found, PictureFault) and found.code == _SEVERAL
            if several:  # they were once sent as one
                images.append(text)
            sentences = _sentences(place, found, one.draft, hints.get(text))
            if isinstance(found, Picture) and isinstance(place, Path):
                sentences += _by_sheet(place, found, terms.models.rules_of(one.row))
            if sentences:
                name, _ = image_fields(one.row, fields)[at]
                (findings.holding if several else findings.problems).extend(
                    replace(
                        problem_at(manifest, one.row.number, fields[name], one.key,
                                   code=said.code, message=said.message, severity=said.severity),
                        together=said.together,
                    )
                    for said in sentences
                )  # fmt: skip
        findings.images[one.row.number] = tuple(images)
    return findings


def _fetch(
    located: Mapping[str, _Place | BucketPicture],
    terms: PictureRules,
    progress: PictureProgress | None,
    manifest: Path,
) -> dict[str, _Place]:
    """Put the files of pictures in buckets in place of their addresses."""
    named = {one.address for one in located.values() if isinstance(one, BucketPicture)}
    fetched: Mapping[str, Path | PictureFault] = {}

    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress(done, total, "")

    if named:
        # Few manifests name any, and the libraries that open pictures come with it.
        from pipeline.pictures.accepted import LARGEST_SOURCE_BYTES  # noqa: PLC0415
        from pipeline.storage.pictures import fetch_pictures  # noqa: PLC0415

        folder = terms.make_cache(manifest) or _passing_folder()
        fetched = fetch_pictures(sorted(named), folder, LARGEST_SOURCE_BYTES, tell)
    return {
        text: fetched[one.address] if isinstance(one, BucketPicture) else one
        for text, one in located.items()
    }


def _open(
    places: Iterable[_Place], terms: PictureRules, progress: PictureProgress | None, manifest: Path
) -> Mapping[Path, Picture | PictureFault]:
    paths = {place for place in places if isinstance(place, Path)}
    if not paths:
        return {}
    # A manifest without local pictures starts without the libraries that open them.
    from pipeline.pictures.shelf import PictureShelf  # noqa: PLC0415

    def tell(done: int, line: str) -> None:
        if progress is not None:
            progress(done, len(paths), line)

    terms.make_cache(manifest)
    root = None if terms.outside else terms.root
    with PictureShelf(
        terms.cache_dir, prepare=terms.prepare, strict=terms.strict, root=root
    ) as shelf:
        return shelf.inspect(sorted(paths), progress=tell)


def _hints(
    places: Mapping[str, _Place],
    opened: Mapping[Path, Picture | PictureFault],
    terms: PictureRules,
    folder: Path,
) -> Mapping[str, Hint]:
    """Find remedies for the pictures that are not there; `folder` is that of the manifest."""
    looked = {text: opened[at] if isinstance(at, Path) else at for text, at in places.items()}
    faults = {text: one for text, one in looked.items() if isinstance(one, PictureFault)}
    if not faults:
        return {}
    from pipeline.checker.lostpictures import Surroundings  # noqa: PLC0415 - as above
    from pipeline.checker.picturehints import hint  # noqa: PLC0415 - as above

    there = [text for text, one in looked.items() if isinstance(one, Picture)]
    return hint(faults, there, Surroundings(terms.root, folder, (Path(terms.outputs),)))


def _by_sheet(place: Path, found: Picture, model: ModelRules | None) -> list[_Sentence]:
    """Say why the model of a row does not take a picture."""
    if model is None or not any(model.image_files):
        return []
    from pipeline.pictures.accepted import say_unfit  # noqa: PLC0415 - hardly ever needed

    said = say_unfit(place.name, found, model.image_files, model.model)
    return [_Sentence("picture_not_for_model", text, Severity.ERROR) for text in said]


def _sentences(
    place: _Place, found: Picture | PictureFault, draft: Draft | None, hint: Hint | None
) -> list[_Sentence]:
    """Say what has to be said of one picture in one row."""
    if isinstance(found, PictureFault):
        message, together = hint or (found.message, None)
        return [_Sentence(f"picture_{found.code}", message, Severity.ERROR, together)]
    sentences = [_Sentence("picture_warning", text, Severity.WARNING) for text in found.warnings]
    if draft is not None and isinstance(place, Path):
        far = shape_warning(place.name, found.width, found.height, draft.form.aspect_ratio)
        sentences += [_Sentence("picture_shape", far, Severity.WARNING)] if far else []
    return sentences
