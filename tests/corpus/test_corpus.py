"""Every file of the corpus is checked: no traceback, each fault named, and good rows stay good."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.checker.check import CheckedManifest, check_manifest
from pipeline.config.loading import load
from pipeline.errors import ManifestError
from tests.corpus import formats, pictures, sheets, texts, values
from tests.corpus.case import Case
from tests.corpus.keys import BEFORE, FURTHER, mark_of

# What leaves a row without a key, where it stands in the key's cell.
_NO_KEY = {"key_empty", "error_value", "formula_not_calculated"}
_END_WITH_A_COMMAND = {"picture_no_scheme", "formula_empty"}
# What is remarked of prompts and pictures that are as short and small as those of the cases.
_REMARKS = {
    "prompt_short", "prompt_like_empty", "prompt_controls", "prompt_html", "prompts_equal",
    "picture_small", "picture_repeated",
}  # fmt: skip
GROUPS = {
    "texts": texts,
    "values": values,
    "pictures": pictures,
    "sheets": sheets,
    "formats": formats,
}
CASES = [
    pytest.param(case, f"{name}/{case.name}", id=f"{name}/{case.name}")
    for name, group in GROUPS.items()
    for case in group.CASES
]


def _check(case: Case, folder: Path) -> CheckedManifest:
    path = folder / "shop" / case.file
    path.parent.mkdir()
    path.write_bytes(case.data)
    if case.around is not None:
        case.around(path.parent)
    before = path.read_bytes()
    try:
        return check_manifest(
            path, load(None, environ={}, overrides=case.settings), cache_dir=folder / "cache"
        )
    finally:
        assert path.read_bytes() == before


@pytest.mark.parametrize(("case", "name"), CASES)
def test_the_corpus(case: Case, name: str, tmp_path: Path) -> None:
    """A check finds just what is wrong, says it in a sentence, and leaves the good rows valid."""
    if case.refused:
        with pytest.raises(ManifestError) as caught:
            _check(case, tmp_path)
        said = f"{caught.value.message} {caught.value.action}"
        assert case.file in caught.value.message
        assert case.refused in said
        assert caught.value.action
    else:
        checked = _check(case, tmp_path)
        found = [
            (one.row, one.column, one.code)
            for one in checked.problems
            if one.row is not None or one.code not in _REMARKS
        ]
        if len(checked.requests_by_hash) < len(checked.requests):
            found.remove((None, None, "rows_equal"))  # which is not what the cases are about
        assert found == list(case.problems)
        assert tuple(checked.requests) == case.valid
        _well_said(checked)
        _as_expected(case, checked)
        assert mark_of(checked) == BEFORE[name]
        said = " ".join(one.message for one in checked.problems)
    for part in case.says:
        assert part in said


def _well_said(checked: CheckedManifest) -> None:
    """Each problem is a sentence; one of a row names its place as far as there is one."""
    unnamed = {one.row for one in checked.problems if one.code in _NO_KEY}
    for problem in checked.problems:
        assert len(problem.message.split()) > 4
        assert problem.message[-1] in ".?}" or problem.code in _END_WITH_A_COMMAND, problem.message
        if problem.row is not None:
            assert problem.key or problem.row in unnamed
            assert problem.column
            if checked.manifest.sheet is not None:
                assert problem.cell is not None
                assert problem.cell.endswith(str(problem.row))


def _as_expected(case: Case, checked: CheckedManifest) -> None:
    assert len(checked.keys) == len(set(checked.keys)) == len(checked.manifest.rows)
    if case.keys:
        assert checked.keys == case.keys
    for row, expected in case.sent.items():
        request = checked.requests[row]
        form = (request.duration, request.aspect_ratio, request.resolution)
        assert expected == (request.prompt if isinstance(expected, str) else form)


def test_the_corpus_is_large() -> None:
    """One file per case of the reading rules, and no name twice within a group."""
    assert len(CASES) >= 150
    assert len({case.id for case in CASES}) == len(CASES)


@pytest.mark.parametrize("model", ["gemini_omni_flash", "gemini-omni-flash"])
@pytest.mark.parametrize("name", FURTHER)
def test_columns_of_other_models_move_no_key(name: str, model: str, tmp_path: Path) -> None:
    """Nor do they change a request: for these models they are a person's own columns."""
    path = tmp_path / "shop.csv"
    path.write_text("\n".join(FURTHER[name]) + "\n", encoding="utf-8")
    settings = load(None, environ={}, overrides=[f"api.model={model}"])
    checked = check_manifest(path, settings, cache_dir=None)
    assert mark_of(checked) == BEFORE[f"{name}, {model}"]
