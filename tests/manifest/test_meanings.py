"""Headers in other languages: what means a field, what may mean one, and what earlier runs read."""

from __future__ import annotations

import pytest

from pipeline.manifest import languages
from pipeline.manifest.columns import FIELDS, match_columns
from pipeline.manifest.earlier import IGNORE, NEW, Reading
from pipeline.manifest.languages import EARLIEST, LATEST
from pipeline.manifest.meanings import Standing, fold_name, meanings_of, nearest_name

SHEETS = {
    "German": "Artikelnummer|Videoprompt|Bild 1|Bild 2|Bild 3|Videolänge|Seitenverhältnis"
    "|Auflösung",
    "French": "Référence produit|Prompt vidéo|Photo 1|Photo 2|Photo 3|Durée de la vidéo"
    "|Rapport d'aspect|Résolution vidéo",
    "Spanish": "Código de producto|Prompt de vídeo|Imagen 1|Imagen 2|Imagen 3"
    "|Duración del vídeo|Relación de aspecto|Resolución",
    "Italian": "Codice articolo|Prompt video|Immagine 1|Immagine 2|Immagine 3|Durata video"
    "|Rapporto d'aspetto|Risoluzione",
    "Dutch": "Artikelcode|Videoprompt|Afbeelding 1|Afbeelding 2|Afbeelding 3|Videoduur"
    "|Beeldverhouding|Resolutie",
    "Portuguese": "Código do produto|Prompt do vídeo|Imagem 1|Imagem 2|Imagem 3"
    "|Duração do vídeo|Proporção da tela|Resolução",
    "Polish": "Numer produktu|Prompt wideo|Zdjęcie 1|Zdjęcie 2|Zdjęcie 3|Długość filmu"
    "|Proporcje obrazu|Rozdzielczość",
    "Chinese": "商品编号|提示词|图片1|图片2|图片3|视频时长|宽高比|分辨率",
    "Japanese": "商品番号|プロンプト|画像1|画像2|画像3|動画の長さ|アスペクト比|解像度",
}
ORDER = (
    "key", "prompt", "image_1", "image_2", "image_3", "duration", "aspect_ratio", "resolution",
)  # fmt: skip


@pytest.mark.parametrize("language", SHEETS)
def test_headers_that_can_mean_nothing_else_are_understood(language: str) -> None:
    """A whole sheet in each of the languages, without a word of configuration."""
    headers = SHEETS[language].split("|")
    found, problems = match_columns(headers)
    assert {headers[index]: field for field, index in found.items()} == dict(
        zip(headers, ORDER, strict=True)
    )
    assert not problems


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("VIDEOLÄNGE", "duration"), ("videolaenge", "duration"), ("Videola\u0308nge", "duration"),
        ("Video-Länge", "duration"), ("Videolänge (s)", "duration"),
        ("Videolänge [Sek.]", "duration"), ("时长\uff08秒\uff09", "duration"),
        ("Bild-1", "image_1"), ("1. Bild", "image_1"), ("Bild Nr. 2", "image_2"),
        ("Foto_2", "image_2"), ("画像\uff11", "image_1"), ("Photo n° 3", "image_3"),
        ("Bild 1 URL", "image_1"), ("Foto", "image_1"), ("ZDJECIE", "image_1"),
        ("foto's", "images"), ("Bilder", "images"), ("图1", "image_1"),
        ("\uff8c\uff9f\uff9b\uff9d\uff8c\uff9f\uff84", "prompt"), ("Prompt *", "prompt"),
        ("Art.-Nr.", "key"), ("Duration (s)", "duration"), ("Aspect ratio:", "aspect_ratio"),
    ],
)  # fmt: skip
def test_case_accents_width_and_signs_do_not_count(header: str, field: str) -> None:
    """However a header is typed, it is the same one."""
    assert meanings_of(header)[0].field == field
    assert meanings_of(header)[0].standing is not Standing.OFFERED


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("Länge", "duration"), ("Longueur", "duration"), ("Longitud", "duration"),
        ("Lunghezza", "duration"), ("Lengte", "duration"), ("Comprimento", "duration"),
        ("Długość", "duration"), ("长度", "duration"), ("長さ", "duration"),
        ("Format", "aspect_ratio"), ("Formato", "aspect_ratio"), ("格式", "aspect_ratio"),
        ("Titel", "prompt"), ("Titre", "prompt"), ("Título", "prompt"), ("標題", "prompt"),
        ("Name", "key"), ("Nom", "key"), ("Nombre", "key"), ("Naam", "key"), ("Nazwa", "key"),
        ("名称", "key"), ("名前", "key"), ("Beschreibung", "prompt"),
    ],
)  # fmt: skip
def test_what_may_mean_several_things_is_never_taken(header: str, field: str) -> None:
    """Such a header is offered: no column is read as it by itself."""
    assert (field, Standing.OFFERED) in meanings_of(header)
    assert match_columns([header, "anything"], prompt_needed=False)[0] == {}


@pytest.mark.parametrize(
    "header", ["Videolänge (min)", "Dauer in Minuten", "Bild 4", "Bild 12", "Bildung", "Saison"]
)
def test_other_headers_mean_nothing(header: str) -> None:
    """Minutes are no seconds, a fourth picture has no place, and a word is not its beginning."""
    assert meanings_of(header) == ()


def test_a_name_means_one_field() -> None:
    """No name is taken for two fields, and each is a name after it was folded."""
    for table in (languages.SURE, languages.IF_CELLS_FIT):
        assert set(table) <= set(FIELDS)
        for field, names in table.items():
            for name in ",".join(names.values()).split(","):
                taken = [one for one in meanings_of(name) if one.standing is not Standing.OFFERED]
                assert {one.field for one in taken} == {field}, name
                assert fold_name(name)


def test_a_slip_is_recognised() -> None:
    """A misspelt name is said with the option that reads it, and not read."""
    assert nearest_name("Vidoelänge", ["duration"]) == ("Videolänge", "duration")
    assert nearest_name("Vidoelänge", ["image_1"]) is None
    found, problems = match_columns(["prompt", "Vidoelänge"])
    assert "duration" not in found
    assert 'Did you mean "Videolänge"?' in problems[0].message
    assert "--column Vidoelänge=duration" in problems[0].message


def test_single_pictures_and_one_column_of_all_are_not_mixed() -> None:
    """Rows cannot name pictures in both: the columns of single ones count."""
    found, _ = match_columns(["prompt", "Bilder", "Bild 1"])
    assert found == {"prompt": 0, "image_1": 2}


def test_a_manifest_that_was_run_keeps_its_reading() -> None:
    """What the runs before read is read, what they left is left, and the settings go before."""
    headers = ["prompt", "Bild 1", "Dauer", "Text"]
    earliest = Reading(EARLIEST)
    assert match_columns(headers, known=earliest)[0] == {"prompt": 0}
    known = Reading(LATEST, {"Text": "prompt", "Dauer": IGNORE}, frozenset({"prompt", "Bild 1"}))
    assert match_columns(headers, known=known)[0] == {"prompt": 3}
    mapping = {"prompt": "prompt", "Bild 1": "image_1"}
    assert match_columns(headers, mapping=mapping, known=known)[0] == {"prompt": 0, "image_1": 1}
    assert match_columns([*headers, "Foto 2"], known=known)[0] == {"prompt": 3, "image_2": 4}


def test_a_note_is_read_as_it_was_written() -> None:
    """The journal's note comes back; one that is missing or broken stands for the earliest."""
    reading = Reading.of(["sku ", "prompt", "Bild", "x"], {"key": 0, "prompt": 1}, ["Bild"], LATEST)
    assert reading.read == {"sku": "key", "prompt": "prompt", "Bild": IGNORE}
    assert reading.left == {"x"}
    assert Reading.noted(reading.note()) == reading
    for text in (None, "", "{}", "[]", '{"names": 2, "read": [], "left": []}'):
        assert Reading.noted(text) == Reading(EARLIEST)
    assert NEW.names == LATEST
