"""The column video_model: what each model's sheet asks of its rows, their keys, their requests."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest

from pipeline.checker.check import check_manifest
from pipeline.checker.checked import CheckedManifest
from pipeline.checker.formtexts import whole_in, yes_or_no_in
from pipeline.checker.modelrules import ModelRules
from pipeline.checker.rules import Form, content_of, form_of, same_content, sheet_changed
from pipeline.config.loading import load
from pipeline.journal.records import request_of, request_values
from pipeline.manifest.earlier import NEW, Reading
from pipeline.manifest.languages import EARLIEST, LATEST
from pipeline.model import Request, Severity
from pipeline.models.body import body_of
from pipeline.models.shelf import DEFAULT_MODEL, shipped_sheets

EXAMPLES = Path(__file__).parents[1] / "examples"
HEAD = "prompt,image_1,image_2,image_3,duration,aspect_ratio,resolution,video_model,audio,seed"
ONE, TWO, THREE = (f"https://a.example/{number}.jpg" for number in (1, 2, 3))


def checked(
    folder: Path, *rows: str, head: str = HEAD, model: str = "", known: Reading = NEW
) -> CheckedManifest:
    path = folder / "m.csv"
    path.write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
    sets = [f"api.model={model}"] if model else []
    return check_manifest(path, load(None, environ={}, overrides=sets), cache_dir=None, known=known)


def said_of(found: CheckedManifest) -> list[tuple[int | None, str | None, str]]:
    return [(one.row, one.column, one.code) for one in found.errors]


def bodies(found: CheckedManifest) -> list[dict[str, object]]:
    return [body_of(one, one.prompt, one.images) for one in found.requests.values()]


def test_a_manifest_may_mix_models(tmp_path: Path) -> None:
    """Each row goes out as the page of its model says, with that model's defaults."""
    found = checked(
        tmp_path,
        "A cup turns,,,,,,,,,",
        "A cup turns,,,,,,,veo3.1-fast,,",
        f"A cup turns,{ONE},{TWO},,,9:16,4K,Veo3.1-Quality,,",
        f"A cup turns,{ONE},,,3 s,2x3,480,grok-video-1.5,,",
        "A cup turns,,,,16,hochkant,540p,viduq3-pro,nein,7",
        f",{ONE},{TWO},,,,,viduq3-turbo,,",
    )
    assert found.errors == ()
    plain = {"prompt": "A cup turns"}
    assert bodies(found) == [
        {"model": DEFAULT_MODEL, **plain, "duration": 6, "aspect_ratio": "16:9",
         "resolution": "720P"},
        {"model": "veo3.1-fast", **plain, "duration": 8, "aspect_ratio": "16:9",
         "metadata": {"resolution": "720p"}},
        {"model": "veo3.1-quality", **plain, "duration": 8, "aspect_ratio": "9:16",
         "metadata": {"resolution": "4k", "generation_type": "frame"},
         "image_urls": [ONE, TWO]},
        {"model": "grok-video-1.5", **plain, "duration": 3, "aspect_ratio": "2:3",
         "resolution": "480p", "image": ONE},
        {"model": "viduq3-pro", **plain, "duration": 16, "resolution": "540p",
         "aspect_ratio": "9:16", "audio": False, "seed": 7},
        {"model": "viduq3-turbo", "duration": 5, "resolution": "720p", "audio": True,
         "image_urls": [ONE, TWO]},
    ]  # fmt: skip
    assert len(set(found.keys)) == 6


@pytest.mark.parametrize(
    ("row", "column", "code", "said"),
    [
        ("x,,,,5,,,veo3.1-fast,,", "duration", "duration_not_allowed",
         'The duration "5" is not possible with veo3.1-fast. Write 8 seconds'),
        ("x,,,,17,,,viduq3-pro,,", "duration", "duration_not_allowed",
         "Write a whole number from 1 to 16 seconds, or leave the cell empty for 5."),
        ("x,,,,,,,viduq3-pro,perhaps,", "audio", "audio_not_allowed",
         "Write true or false, or leave the cell empty for true."),
        ("x,,,,,,,viduq3-pro,,many", "seed", "seed_not_allowed", "or leave the cell empty."),
        (f"x,{ONE},,,,16:9,,viduq3-pro,,", "aspect_ratio", "model_rule",
         "With pictures the video has their shape"),
        (f"x,{ONE},{TWO},{THREE},,,,veo3.1-quality,,", "image_3", "model_rule",
         "veo3.1-quality takes no reference pictures"),
        (f"x,{ONE},,,,,,veo3.1-fast,,", "image_1", "image_count",
         "The row names 1 picture; a video of veo3.1-fast takes no picture, two or three."),
        ("x,,,,,,,grok-video-1.5,,", "image_1", "image_count",
         "The row names no picture; a video of grok-video-1.5 takes one. Name one."),
        (f",{ONE},,,,,,grok-video-1.5,,", "prompt", "prompt_empty", "The prompt is empty."),
        (f"{'x' * 5001},,,,,,,viduq3-pro,,", "prompt", "prompt_too_long", "at most 5,000."),
        ("x,,,,,,,veo3.2-fast,,", "video_model", "model_unknown", "Did you mean veo3.1-fast"),
    ],
)  # fmt: skip
def test_what_a_sheet_refuses(tmp_path: Path, row: str, column: str, code: str, said: str) -> None:
    """The cell, what the model takes, and what to write."""
    found = checked(tmp_path, row, "A cup,,,,,,,,,")
    named = [(one.code, one.column) for one in found.errors]
    assert (code, column) in named
    assert said in " ".join(one.message for one in found.errors)
    assert list(found.requests) == [3]


def test_the_model_of_the_settings(tmp_path: Path) -> None:
    """It is that of rows that name none; the settings' other defaults are the first model's."""
    head = "prompt,seed,audio,video_model"
    found = checked(tmp_path, "A cup,7,no,", f"A cup,7,no,{DEFAULT_MODEL}", head=head,
                    model="viduq3-pro")  # fmt: skip
    vidu, gemini = bodies(found)
    assert vidu == {
        "model": "viduq3-pro", "prompt": "A cup", "duration": 5, "resolution": "720p",
        "audio": False, "seed": 7,
    }  # fmt: skip
    assert gemini["model"] == DEFAULT_MODEL
    assert gemini["duration"] == 6


def test_plain_model_is_never_read(tmp_path: Path) -> None:
    """It is a word of product catalogues."""
    found = checked(tmp_path, "A cup,veo3.1-fast", head="prompt,model")
    assert [one.model for one in found.requests.values()] == [DEFAULT_MODEL]
    assert found.columns.not_read == ("model",)


def test_keys_of_rows_without_a_key_column(tmp_path: Path) -> None:
    """A column counts only for rows whose model has that field."""
    rows = ("A cup,1,", "A cup,2,", "A cup,1,viduq3-pro", "A cup,2,viduq3-pro")
    found = checked(tmp_path, *rows, head="prompt,seed,video_model")
    alone = checked(tmp_path, "A cup", "A cup", head="prompt")
    assert found.keys[:2] == alone.keys
    assert len(set(found.keys)) == 4
    assert not found.keys[3].startswith(found.keys[2])
    named = checked(tmp_path, f"A cup,{DEFAULT_MODEL}", head="prompt,video_model")
    assert named.keys == alone.keys[:1]


@pytest.mark.parametrize(
    "known",
    [
        Reading(EARLIEST),
        Reading(LATEST, {"prompt": "prompt"}, frozenset({"video_model", "seed"})),
        Reading(LATEST, {"video_model": "ignore", "seed": "ignore"}),
    ],
)
def test_a_manifest_that_was_run_before(tmp_path: Path, known: Reading) -> None:
    """It keeps its reading, its keys and its requests."""
    rows, head = ("A cup,viduq3-pro,7",), "prompt,video_model,seed"
    found = checked(tmp_path, *rows, head=head, known=known)
    assert [one.model for one in found.requests.values()] == [DEFAULT_MODEL]
    assert found.keys == checked(tmp_path, "A cup", head="prompt").keys
    fresh = checked(tmp_path, *rows, head=head)
    again = checked(tmp_path, *rows, head=head, known=fresh.reading)
    assert again.keys == fresh.keys
    assert again.requests == fresh.requests


def test_rules_of_the_first_model_are_those_of_the_forms() -> None:
    """For every combination of what people write, whatever the defaults."""
    durations, ratios, lines = ("", "4", "5", "10s"), ("", "16x9", "portrait", "1:1"), (
        "", "720", "1080P", "4k")  # fmt: skip
    for given in (Form(), Form(10, "16:9", "1080p"), Form(4, "9:16", "720P")):
        model = ModelRules(DEFAULT_MODEL, given)
        for texts in product(durations, ratios, lines):
            named = zip(("duration", "aspect_ratio", "resolution"), texts, strict=True)
            said = {name: model.understand(name, text) for name, text in named if text}
            values = {name: value for name, value in said.items() if value is not None}
            form = model.form(values, 0) if len(values) == len(said) else None
            assert form == form_of(*texts, given)


@pytest.mark.parametrize("model", shipped_sheets())
def test_requests_come_back_from_the_journal(tmp_path: Path, model: str) -> None:
    """With their body, where that is what was hashed."""
    head = "prompt,image_1,video_model"
    pictures = "" if model != "grok-video-1.5" else ONE
    (request,) = checked(tmp_path, f"A cup,{pictures},{model}", head=head).requests.values()
    back = request_of(*request_values(request))
    assert back == request
    assert bool(back.body) == (not model.startswith("gemini"))
    assert content_of(back) == content_of(request)


def test_models_that_need_no_prompt_need_no_column_of_it(tmp_path: Path) -> None:
    """Refused is only what has a row of another model, no pictures, or a column that may be it."""
    head, rows = "sku,image_1,video_model", (f"A,{ONE},viduq3-pro", f"B,{TWO},viduq3-turbo")
    found = checked(tmp_path, *rows, head=head)
    (said,) = (one for one in found.problems if one.code == "no_prompt_column")
    assert (said.severity, found.errors, found.valid) == (Severity.WARNING, (), 2)
    assert said.message.endswith("each video is made of its row's pictures alone.")
    with_empty = checked(tmp_path, *(f"{row}," for row in rows), head=f"{head},prompt")
    assert bodies(found) == bodies(with_empty)
    assert [one.request_hash for one in found.requests.values()] == [
        one.request_hash for one in with_empty.requests.values()
    ]
    bare = checked(tmp_path, *rows, "C,,viduq3-pro", head=head)
    assert said_of(bare) == [(4, None, "prompt_empty")]
    assert checked(tmp_path, f"A,{ONE}", head="sku,image_1", model="viduq3-pro").valid == 1
    for of_first in (
        checked(tmp_path, *rows, f"C,{ONE},", head=head),
        checked(tmp_path, f"A,{ONE}", head="sku,image_1"),
        checked(tmp_path, "A,viduq3-pro", head="sku,video_model"),
        checked(tmp_path, *(f"{row},x" for row in rows), head=f"{head},The promptt"),
    ):
        assert (of_first.errors[0].code, of_first.valid) == ("no_prompt_column", 0)
        assert 'Name the column that describes the video "prompt"' in of_first.errors[0].message


def test_another_spelling_of_a_prompt_is_the_same_content(tmp_path: Path) -> None:
    """Line breaks and accents do not make a row of any model an edited one."""
    head = "key,prompt,video_model"
    rows = ('a,"Caf\u00e9\nau lait",veo3.1-lite', 'b,"Cafe\u0301\r\nau lait",veo3.1-lite',
            'c,"Cafe au lait",veo3.1-lite')  # fmt: skip
    one, other, third = checked(tmp_path, *rows, head=head).requests.values()
    assert one.request_hash != other.request_hash
    assert same_content(one, other)
    assert not same_content(one, third)


def test_a_sheet_that_was_changed_is_told_from_a_row_that_was_edited(tmp_path: Path) -> None:
    """What the row says itself is as it was: another default, place or constant is the sheet's."""
    head = "prompt,duration,seed,video_model"
    (now,) = checked(tmp_path, "A cup,4,7,viduq3-pro", head=head).requests.values()
    assert not same_content(now, before_of(now, resolution="1080p"))
    assert sheet_changed(now, before_of(now, resolution="1080p"))
    assert sheet_changed(now, before_of(now, extras=(("audio", False), ("seed", 7))))
    assert sheet_changed(
        now, before_of(now, extras=(*now.extras, ("gone", 1)), said=(*now.said, "gone"))
    )
    assert not sheet_changed(now, before_of(now, duration=5))
    assert not sheet_changed(now, before_of(now, extras=(("audio", True), ("seed", 8))))
    assert not sheet_changed(now, before_of(now, said=(*now.said, "audio")))
    assert not sheet_changed(now, before_of(now, prompt="A mug"))
    (first,) = checked(tmp_path, "A cup,4,7,", head=head).requests.values()
    assert not sheet_changed(first, first)


def before_of(now: Request, **changes: object) -> Request:
    fields = {name: getattr(now, name) for name in now.__slots__} | changes
    body = json.loads(now.body) | {"constant": str(changes)}
    return Request(**(fields | {"body": json.dumps(body), "request_hash": f"{changes}"}))


def test_yes_no_and_numbers() -> None:
    """As people and spreadsheets write them."""
    assert [yes_or_no_in(text) for text in ("Ja", "TRUE", "1", "oui")] == [True] * 4
    assert [yes_or_no_in(text) for text in ("Nein", "FALSE", "0", "off")] == [False] * 4
    assert yes_or_no_in("vielleicht") is None
    assert [whole_in(text) for text in ("7", "7.0", "-3", "7,0")] == [7, 7, -3, 7]
    assert [whole_in(text) for text in ("7.5", "", "x", "9" * 30)] == [None] * 4


def test_rows_of_one_manifest_are_the_requests_that_the_pages_print(tmp_path: Path) -> None:
    """All examples of all models in one mixed manifest, each row against its page's body."""
    columns = ("prompt", "pictures", "duration", "aspect_ratio", "resolution", "audio", "seed")
    rows, wanted = [], []
    for path in sorted(EXAMPLES.glob("*.json")):
        for one in json.loads(path.read_text("utf-8"))["requests"]:
            said = {**one["row"], "pictures": "|".join(one["row"].get("pictures", ()))}
            cells = (said.get(name, "") for name in columns)
            rows.append(",".join(map(str, (*cells, one["body"]["model"]))))
            wanted.append(one["body"])
    head = ",".join(("prompt", "images", *columns[2:], "video_model"))
    found = checked(tmp_path, *rows, head=head)
    assert found.errors == ()
    assert bodies(found) == wanted
    assert len({body["model"] for body in bodies(found)}) == len(list(EXAMPLES.glob("*.json")))


def test_a_column_that_is_named_by_the_settings(tmp_path: Path) -> None:
    """Under any header, also in a manifest that was run without it, and it stays so."""
    path = tmp_path / "m.csv"
    path.write_text("prompt,Modell,seed\nA cup,viduq3-pro,7\n", encoding="utf-8")
    before = Reading(LATEST, {"prompt": "prompt"}, frozenset({"Modell", "seed"}))
    asked = ["manifest.columns.Modell=video_model", "manifest.columns.seed=seed"]
    settings = load(None, environ={}, overrides=asked)
    found = check_manifest(path, settings, cache_dir=None, known=before)
    (body,) = bodies(found)
    assert (body["model"], body["seed"]) == ("viduq3-pro", 7)
    plain = load(None, environ={}, overrides=[])
    again = check_manifest(path, plain, cache_dir=None, known=found.reading)
    assert (bodies(again), again.keys) == ([body], found.keys)
    other = load(None, environ={}, overrides=["manifest.columns.seed=ignore"])
    assert "seed" not in bodies(check_manifest(path, other, cache_dir=None, known=found.reading))[0]
