"""The sheets of models that a team has written itself: TOML in `models/` by its configuration.

All of them are read strictly before anything else happens, and every fault of all of them is named
at once. One for a model that the program has a sheet for has to say that it replaces that.

Tested in tests/config/test_ownsheets.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.disk.failures import explain_os_error
from pipeline.disk.openfile import read_regular
from pipeline.errors import ConfigError
from pipeline.manifest.columns import MODEL_COLUMN, PRODUCT_NAMES, field_of
from pipeline.manifest.resultcolumns import RESULT_PREFIX
from pipeline.manifest.videolooks import LOOK_COLUMN
from pipeline.manifest.wording import count
from pipeline.models.shelf import put_up, shipped_sheets

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from pipeline.models.records import Sheet

FOLDER = "models"
"""The folder beside the configuration."""
_FORM = ("duration", "aspect_ratio", "resolution")
"""The columns of every manifest that fields of a sheet can be."""
_CALL_IT = "give the field another name, and this one as its path"
_LARGEST_BYTES = 100_000
_MOST_FILES = 200


@dataclass(frozen=True, slots=True)
class OwnSheet:
    """A sheet of a team, and the file that it stands in."""

    path: Path
    sheet: Sheet
    content: bytes


def put_up_own_sheets(beside: Path) -> None:
    """Have the team's sheets found, those in the folder `models` of this one; raises ConfigError.

    Sheets of an earlier configuration are no longer found.
    """
    found = _by_name(read_own_sheets(beside / FOLDER))
    put_up({name: one.sheet for name, one in found.items()})


def find_sheets_to_bring(beside: Path, models: Collection[str]) -> list[OwnSheet]:
    """Return the sheets of the working folder that a configuration elsewhere lacks for models.

    They are put up with those that it has; all of them are where a model has no sheet at all, so
    that near names are found. Raises ConfigError.
    """
    there = _by_name(read_own_sheets(beside / FOLDER))
    wanted = {name for name in models if name not in there}
    here = _by_name(read_own_sheets(Path(FOLDER)) if wanted else ())
    brought = {name: one for name, one in here.items() if wanted & set(one.sheet.head.models)}
    nowhere = not wanted <= {*here, *shipped_sheets()}
    found = there | (here if nowhere else brought)
    put_up({name: one.sheet for name, one in found.items()})
    return list({one.path: one for one in brought.values()}.values())


def _by_name(sheets: Iterable[OwnSheet]) -> dict[str, OwnSheet]:
    return {name: one for one in sheets for name in one.sheet.head.models}


def read_own_sheets(folder: Path) -> list[OwnSheet]:
    """Return the sheets of a folder, in the order of their files; none where there is no folder.

    Raises:
        ConfigError: One of them has a fault; every fault of each is named, with its file.

    """
    found, faults = list[OwnSheet](), list[str]()
    for path in _files_in(folder):
        try:
            found.append(read_own_sheet(path))
        except ConfigError as error:
            faults += _with_file(path, error)
    names: dict[str, Path] = {}
    for one in found:
        for name in one.sheet.head.models:
            where = names.setdefault(name.casefold(), one.path)  # cells name them in any case
            if where is not one.path:
                faults.append(f"{one.path}: models: {name} has a sheet in {where.name}, too")
    if faults:
        raise ConfigError(
            f"The sheets of models in {folder} have {count(len(faults), 'fault')}:", faults=faults
        )
    return found


def read_own_sheet(path: Path) -> OwnSheet:
    """Read one sheet of a team; raises ConfigError, which names every fault of it."""
    # What reads strictly takes 25 ms to load, and most teams have no sheets of their own.
    from pipeline.models.sheet import read_sheet  # noqa: PLC0415

    try:
        content = read_regular(path, _LARGEST_BYTES)
        if len(content) > _LARGEST_BYTES:
            raise ConfigError(f"{path} is too large for the sheet of a model (over 100 kB).")
        sheet = read_sheet(content.decode("utf-8-sig").replace("\r\n", "\n"), str(path))
    except UnicodeDecodeError:
        raise ConfigError(
            f"{path} is not UTF-8 text.", action="Save the file in the encoding UTF-8."
        ) from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {explain_os_error(error)}.") from None
    if faults := [*_taken_names(sheet)]:
        raise ConfigError(f"{path} is no sheet of a model:", faults=faults)
    shipped = shipped_sheets()
    known = [name for name in sheet.head.models if name in shipped]
    spelled = {name.casefold(): name for name in shipped}
    for name in sheet.head.models:
        if (same := spelled.get(name.casefold(), name)) != name:
            said = f"models: {name} is {same} but for its capitals, which cells may have in any way"
            raise ConfigError(f"{path} is no sheet of a model:", faults=[said])
    if known and not sheet.head.replaces:
        said = (
            f"models: Reelsheet has a sheet for {known[0]}; write replaces = true to use this one"
        )
        raise ConfigError(f"{path} is no sheet of a model:", faults=[said])
    if sheet.head.replaces and not known:
        said = f"replaces: Reelsheet has no sheet for {sheet.head.models[0]}; leave it out"
        raise ConfigError(f"{path} is no sheet of a model:", faults=[said])
    return OwnSheet(path, sheet, content)


def _taken_names(sheet: Sheet) -> Iterator[str]:
    """Yield a fault for each field that is called like a column of something else."""
    for name in sheet.fields:
        field = field_of(name)
        if name in (LOOK_COLUMN, MODEL_COLUMN) or name in PRODUCT_NAMES or field == "key":
            yield f"fields.{name}: the column {name} is read as something else; {_CALL_IT}"
        elif name.startswith(RESULT_PREFIX):
            yield f"fields.{name}: columns {RESULT_PREFIX}… are those of results; {_CALL_IT}"
        elif field is not None and field != name:
            called = f"call the field {field}" if field in _FORM else _CALL_IT
            yield f"fields.{name}: the column {name} is read as {field}; {called}"
        elif field is not None and field not in _FORM:
            yield f"fields.{name}: the column {name} is the program's own; {_CALL_IT}"


def _files_in(folder: Path) -> Sequence[Path]:
    try:
        names = sorted(one for one in folder.iterdir() if one.name.endswith(".toml"))
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise ConfigError(f"{folder} cannot be read: {explain_os_error(error)}.") from None
    if len(names) > _MOST_FILES:
        raise ConfigError(f"{folder} has {len(names)} sheets of models; {_MOST_FILES} are read.")
    return names


def _with_file(path: Path, error: ConfigError) -> list[str]:
    """Return what is wrong with a file, each fault with its file before it."""
    first, *faults = error.lines
    return [f"{path}: {fault}" for fault in faults] or [first]
