"""Plain CSV as Excel writes it on systems all over the world: which encoding it is in."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ManifestError
from pipeline.manifest.earlier import FoundOut, found_out
from pipeline.reader.text import encodings
from pipeline.reader.text.delimited import read_text
from pipeline.reader.text.encodings import detect

WRITTEN = {
    "German": ("cp1252", ["Eine große Tasse dreht sich über dem Tisch", "Schöner Stuhl, grün"]),
    "French": ("cp1252", ["Une théière émaillée tourne sur la table", "Coussin brodé, côté face"]),
    "Spanish": ("cp1252", ["Un sillón pequeño gira en el salón", "Lámpara de diseño"]),
    "Italian": ("cp1252", ["La tazza è sul tavolo e gira", "Qualità del tessuto più morbido"]),
    "Dutch": ("cp1252", ["Een geëmailleerde pan op het fornuis", "Coördinaten van de stoel"]),
    "Swedish": ("cp1252", ["En röd väska på ett träbord", "Stolen är grön och står på mattan"]),
    "English": ("cp1252", ["The mug’s handle turns – slowly", "It’s a “classic” chair, 50 °C"]),
    "Polish": ("cp1250", ["Czerwony kubek obraca się powoli", "Krzesło z drewna, światło dzienne"]),
    "Czech": ("cp1250", ["Červený hrnek se otáčí na stole", "Dřevěná židle v měkkém světle"]),
    "Hungarian": ("cp1250", ["Egy piros bögre forog az asztalon", "Szürke szék erős fényben, űr"]),
    "Russian": ("cp1251", ["Красная кружка медленно вращается", "Деревянный стул в мягком свете"]),
    "Greek": ("cp1253", ["Μια κόκκινη κούπα γυρίζει αργά", "Ξύλινη καρέκλα σε απαλό φως"]),
    "Turkish": (
        "cp1254",
        ["Kırmızı kupa masanın üzerinde dönüyor", "Ahşap sandalye, yumuşak ışık"],
    ),
    "Japanese": ("cp932", ["赤いマグカップがゆっくり回る", "木の椅子、柔らかい光"]),
    "Chinese": ("gb18030", ["一只陶瓷杯在桌子上旋转", "柔和的光线下的木椅"]),
    "Taiwan": ("cp950", ["一只陶瓷杯在桌子上旋轉", "柔和的光線下的木椅"]),
    "Korean": ("cp949", ["빨간 머그잔이 천천히 회전합니다", "부드러운 빛 속의 나무 의자"]),
    "Mac": ("mac_roman", ["Une théière émaillée tourne sur la table", "Coussin brodé, côté face"]),
}


def written(prompts: list[str], encoding: str, end: str = "\r\n") -> bytes:
    """Write a manifest as Excel does."""
    lines = ["key,prompt", *(f'K{number},"{one}"' for number, one in enumerate(prompts, 1))]
    return "".join(line + end for line in lines).encode(encoding)


def refusal(data: bytes, kept: FoundOut | None = None) -> ManifestError:
    """Return why a text is not read."""
    with pytest.raises(ManifestError) as refused:
        read_text(Path("m.csv"), data, kept=kept)
    return refused.value


@pytest.mark.parametrize("language", WRITTEN)
def test_plain_csv_is_read_and_said(language: str) -> None:
    """Every letter is right, and a line says in which encoding it was read, with a sample."""
    encoding, prompts = WRITTEN[language]
    manifest = read_text(Path("m.csv"), written(prompts, encoding))
    assert [row.cells[1] for row in manifest.rows] == prompts
    (note,) = manifest.notes
    assert f"read as {found_out(manifest).encoding} (" in note
    assert "\u201c" in note
    assert "--set manifest.encoding=" in note


def test_lines_of_a_mac_tell_a_mac() -> None:
    """Nobody else ends lines with a lone CR."""
    data = written(["Crème brûlée cup turns"], "mac_roman", end="\r")
    manifest = read_text(Path("m.csv"), data)
    assert manifest.rows[0].cells[1] == "Crème brûlée cup turns"


def test_letters_that_cannot_be_told_are_offered() -> None:
    """Two readings of a single letter: nothing is taken, each is shown with its option."""
    error = refusal(b"key,prompt\nK1,\xf0\n")
    assert "line 2 cannot be read as UTF-8: byte 15 of the file is 0xF0" in error.message
    assert str(error.action).count("--set manifest.encoding=") > 1
    assert "\u201cš\u201d" in str(error.action)


def test_utf8_with_a_damaged_byte_is_no_regional_encoding() -> None:
    """Its other letters would all be wrong."""
    data = "key,prompt\nK1,Größe und Höhe über Köln\nK2,caf".encode() + b"\xe9 x\n"
    assert not detect(data).likely
    assert "line 3 cannot be read as UTF-8" in refusal(data).message


def test_what_comes_late_is_heard() -> None:
    """Bytes far behind the sample count as much as those in it."""
    lines = ["Eine schöne Tasse"] * 2000 + ["Eine große Kanne"]
    found = detect(written(lines, "cp1252"))
    assert found.sure
    assert found.likely[0].encoding == "cp1252"
    damaged = written(lines, "cp1252") + b"K,\x81\x8d\x9d\n"
    assert not any(one.encoding == "cp1252" for one in detect(damaged).likely)


def test_what_has_neither_blanks_nor_commas_is_cut() -> None:
    """One line of a hundred megabytes was tried whole in each of 28 encodings."""
    line = "Größe" * 20_000
    sample = encodings._sample_of(f"key,prompt\n{line}\n{line}\n".encode("cp1252"))
    assert len(sample) < 2 * 2**14 + 100
    rare = b"a,b\n" + b"".join(b"%c" % one * 100_000 + b"\n" for one in range(0x80, 0x100))
    assert len(encodings._sample_of(rare)) < 2**17 + 2**15


@given(data=st.binary(max_size=300), seen=st.binary(max_size=20))
def test_the_first_of_each_byte_is_found_in_one_pass(data: bytes, seen: bytes) -> None:
    """As a search for each of them finds it, whatever signs they are to a pattern."""
    searched = {one: data.find(one) for one in range(0x80, 0x100) if one not in seen}
    expected = {one: at for one, at in searched.items() if at >= 0}
    assert encodings._first_of_each(data, seen) == expected


def test_a_manifest_that_was_run_keeps_its_encoding() -> None:
    """Whatever is likelier today; and where none is kept, nothing is found out anew."""
    data = written(WRITTEN["Polish"][1], "cp1250")
    kept = read_text(Path("m.csv"), data, kept=FoundOut(encoding="cp1252"))
    assert kept.rows[0].cells[1] == WRITTEN["Polish"][1][0].encode("cp1250").decode("cp1252")
    assert "as in its earlier runs" in kept.notes[0]
    assert "--set manifest.encoding=cp1250" in str(refusal(data, FoundOut()).action)


def test_what_was_configured_is_found_from_then_on() -> None:
    """A later run without the option reads the same."""
    data = written(WRITTEN["German"][1], "cp1252")
    assert found_out(read_text(Path("m.csv"), data, encoding="latin-1")).encoding == "latin-1"
    assert found_out(read_text(Path("m.csv"), "key,prompt\nK,ö\n".encode())).encoding is None


def test_a_header_that_is_known_tells() -> None:
    """Of several readings of few letters, the one whose header stands for a field is likelier."""
    found = detect("Schlüssel;prompt\r\nK1;A mug turns on the table\r\n".encode("cp1252"))
    assert found.likely[0].quote == "Schlüssel"
