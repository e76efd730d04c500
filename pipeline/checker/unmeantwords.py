"""The words by which `unmeant` tells texts that nobody means, in the languages of the user.

Folded: small letters, blanks for signs. A word is here only if a whole cell, or what stands in
brackets, can hardly mean anything else.

Tested in tests/checker/test_unmeant.py.
"""

from __future__ import annotations

TO_DO = frozenset({
    "todo", "to do", "tbd", "t b d", "tba", "t b a", "tbc", "tktk", "fixme", "wip", "placeholder",
    "pending", "work in progress", "prompt missing", "missing prompt", "no prompt yet",
    "not written yet", "to be added", "to be announced", "to be confirmed", "to be decided",
    "to be defined", "to be determined", "to be done", "to be written", "to follow", "fill in",
    "fill me in", "object object",
    "n n", "folgt", "folgt noch", "fehlt", "fehlt noch", "noch offen", "kommt noch",
    "noch ergänzen", "noch zu ergänzen", "ausfüllen", "bitte ausfüllen", "bitte ergänzen",
    "wird noch ergänzt", "wird ergänzt", "wird nachgereicht", "wird nachgetragen", "platzhalter",
    "beispieltext", "mustertext", "platzhaltertext",
    "à faire", "à compléter", "a completer", "à définir", "à remplir", "à rédiger", "à venir",
    "à suivre", "manquant", "texte à venir",
    "por definir", "por completar", "por hacer", "por rellenar", "a determinar", "pendiente",
    "falta", "faltante", "sin definir",
    "a definir", "a fazer", "a preencher", "por preencher", "em falta", "pendente",
    "da definire", "da completare", "da compilare", "da fare", "da scrivere", "in arrivo",
    "mancante", "segnaposto",
    "nog in te vullen", "nog invullen", "in te vullen", "nog te bepalen", "nog te doen", "volgt",
    "volgt nog", "ontbreekt", "nader te bepalen",
    "do uzupełnienia", "do ustalenia", "do zrobienia", "uzupełnić", "brak", "w przygotowaniu",
    "att göra", "kommer", "saknas", "mangler", "puuttuu", "yapılacak", "belirlenecek", "doplnit",
    "bude doplněno", "pótolni", "уточнить", "заполнить", "дополнить", "будет позже", "сделать",
    "уточняется", "заглушка", "συμπλήρωση", "να συμπληρωθεί", "לא הושלם",
    "待定", "待补充", "待填", "待填写", "待完善", "未填写", "待補充", "未定", "未記入", "未入力",
    "要記入", "要入力", "後で記入", "後で入力", "後日記入", "記入予定", "作成中", "準備中",
    "추후 입력", "미정",
})  # fmt: skip
"""A whole prompt that says that there is none yet."""
SUBJECTS = frozenset({
    "prompt", "prompts", "prompttext", "videoprompt", "text", "texte", "texto", "testo", "tekst",
    "beschreibung", "description", "descripción", "descrizione", "beschrijving", "descrição",
    "opis", "videotext",
})  # fmt: skip
"""What is missing, or is to be written."""
MISSING = frozenset({
    "folgt", "fehlt", "offen", "kommt", "missing", "follows", "coming", "soon", "pending",
    "manquant", "manque", "falta", "pendiente", "mancante", "manca", "volgt", "ontbreekt",
    "pendente", "faltando", "brak", "brakuje", "tbd", "todo",
})  # fmt: skip
WRITE = frozenset({
    "insert", "enter", "write", "add", "type", "eintragen", "eingeben", "einfügen", "ergänzen",
    "einsetzen", "ausfüllen", "hinzufügen", "saisir", "saisissez", "insérer", "insérez", "écrire",
    "écrivez", "ajouter", "remplir", "escribir", "escribe", "escriba", "introducir", "introduzca",
    "insertar", "inserte", "añadir", "inserire", "inserisci", "scrivere", "scrivi", "invoeren",
    "invullen", "invoegen", "schrijven", "inserir", "insira", "escrever", "escreva", "preencher",
    "wpisz", "wpisać", "wstaw", "dodaj", "uzupełnij",
})  # fmt: skip
HERE = frozenset({"here", "hier", "ici", "aquí", "aqui", "qui", "hierheen", "tutaj", "tu"})
GLUE = frozenset({
    "the", "a", "an", "your", "my", "please", "bitte", "den", "die", "das", "ihren", "deinen",
    "noch", "is", "yet", "still", "of", "for", "video", "le", "la", "les", "votre", "un", "une",
    "veuillez", "svp", "el", "su", "por", "favor", "il", "lo", "tuo", "per", "de", "het", "je",
    "uw", "nog", "vul", "o", "seu", "um", "proszę", "swój", "jeszcze", "des", "der", "du", "del",
    "di", "do", "da", "van", "dell", "l", "d",
})  # fmt: skip

_PRODUCT = frozenset({
    "product", "products", "produkt", "produkts", "produktes", "produit", "producto", "prodotto",
    "produto", "produktu", "artikel", "artikels", "article", "artículo", "articolo", "artigo",
    "artykułu", "item",
})  # fmt: skip
_PROPERTY = frozenset({
    "name", "names", "bezeichnung", "nom", "nombre", "nome", "naam", "nazwa", "brand", "marke",
    "marque", "marca", "merk", "marka", "colour", "color", "farbe", "couleur", "colore", "kleur",
    "cor", "kolor", "sku", "price", "preis", "prix", "precio", "prezzo", "prijs", "preço", "cena",
    "productname", "produktname", "produktnamen", "produktbezeichnung", "artikelname",
    "artikelbezeichnung", "productnaam", "artikelnaam", "markenname", "brandname",
})  # fmt: skip
TITLES = frozenset({
    "title", "titel", "titre", "título", "titolo", "tytuł", "description", "beschreibung",
    "produkttitel", "artikeltitel", "material", "category", "kategorie",
})  # fmt: skip
"""Names of properties that head parts of a prompt as well: "[Title] A mug turns"."""
ASIAN_NAMES = frozenset({
    "商品名", "商品名称", "产品名", "产品名称", "商品名稱", "產品名稱", "製品名", "品名", "名称",
    "名前", "品牌", "颜色", "色", "ブランド名", "商品标题", "标题",
})  # fmt: skip

ERRORS = (
    "N/A", "REF!", "VALUE!", "NAME?", "DIV/0!", "NUM!", "NULL!", "SPILL!", "CALC!", "FIELD!",
    "BLOCKED!", "UNKNOWN!", "CONNECT!", "BUSY!", "ERROR!", "PYTHON!", "EXTERNAL!",
    "BEZUG!", "WERT!", "ZAHL!", "ÜBERLAUF!", "KALK!", "FELD!", "VALEUR!", "NOM?", "NOMBRE!",
    "NUL!", "PROPAGATION!", "¡REF!", "¡VALOR!", "¿NOMBRE?", "NOMBRE?", "¡DIV/0!", "¡NUM!",
    "¡NULO!", "¡DESBORDAMIENTO!", "VALOR!", "NOME?", "NÚM!", "NULO!", "RIF!", "VALORE!", "VERW!",
    "WAARDE!", "NAAM?", "DEEL/0!", "GETAL!", "LEEG!", "ADR!", "ARG!", "NAZWA?", "LICZBA!",
    "DZIEL/0!", "ZERO!", "ССЫЛКА!", "ЗНАЧ!", "ИМЯ?", "ДЕЛ/0!", "ЧИСЛО!", "ПУСТО!",
    "SAYI/0!", "DEĞER!", "BAŞV!", "AD?", "BOŞ!", "SAYI!", "HODNOTA!", "HODN!", "NÁZEV?", "ODKAZ!",
    "ČÍSLO!", "DĚLENÍ_NULOU!", "ÉRTÉK!", "NÉV?", "HIV!", "SZÁM!", "ZÉRÓOSZTÓ!", "VÄRDEFEL!",
    "REFERENS!", "NAMN?", "DIVISION/0!", "OGILTIGT!", "VÆRDI!", "NAVN?", "REFERENCE!", "VERDI!",
    "ARVO!", "VIITTAUS!", "NIMI?", "JAKO/0!", "LUKU!", "ΤΙΜΗ!", "ΟΝΟΜΑ?", "ΔΙΑΙΡ/0!", "ΑΝΑΦ!",
    "ΑΡΙΘ!", "VALOARE!", "NUME?",
)  # fmt: skip
"""The errors of Excel, LibreOffice and Google Sheets in the languages that they are shown in."""
ERRORS_ALONE = (
    "NV", "NB", "ND", "N/A!", "N/B", "N/D", "N/D!", "Н/Д", "I/T", "YOK", "HIÁNYZIK", "SAKNAS!",
    "SAKNAS", "PUUTTUU!", "PUUTTUU", "Δ/Υ", "GETTING_DATA", "NENÍ_K_DISPOZICI",
    "IKKE TILGÆNGELIG", "IKKE TILGJENGELIG",
)  # fmt: skip
"""Errors that are words, too: they count where they are the whole cell."""

TOTALS = frozenset({
    "total", "totals", "grand total", "subtotal", "sub total", "sum", "summary", "sum total",
    "summe", "gesamt", "gesamtsumme", "gesamtergebnis", "ergebnis", "zwischensumme", "insgesamt",
    "gesamtkosten", "gesamtdauer", "gesamtpreis", "gesamtbetrag", "gesamtanzahl", "gesamtzahl",
    "gesamtlänge", "total général", "sous total", "somme", "total general", "suma", "suma total",
    "totale", "totale complessivo", "somma", "totaal", "eindtotaal", "som", "total geral", "soma",
    "razem", "suma końcowa", "ogółem", "łącznie", "celkem", "součet", "spolu", "summa", "totalt",
    "yhteensä", "i alt", "összesen", "végösszeg", "ukupno", "skupaj", "kokku", "iš viso", "kopā",
    "toplam", "genel toplam", "итого", "итог", "всего", "сумма", "общо", "разом", "усього",
    "σύνολο", "γενικό σύνολο", "סה כ", "סך הכל", "المجموع", "الإجمالي", "รวม", "tổng",
    "tổng cộng", "jumlah", "合計", "総計", "小計", "集計", "合计", "总计", "總計", "小计", "汇总",
    "합계", "총계",
})  # fmt: skip
"""Labels of rows that sum up a table."""
SUMMED = frozenset({
    "of", "der", "des", "de", "del", "di", "la", "rows", "products", "videos", "video", "seconds",
    "duration", "cost", "costs", "price", "items", "images", "pictures", "prompts", "zeilen",
    "produkte", "sekunden", "dauer", "kosten", "artikel", "bilder", "stück", "lignes", "produits",
    "secondes", "durée", "coût", "filas", "productos", "segundos", "duración", "coste", "righe",
    "prodotti", "secondi", "durata", "costo", "rijen", "producten", "seconden", "duur", "linhas",
    "produtos", "duração", "custo", "wierszy", "produktów", "sekund", "filmów", "vidéos",
})  # fmt: skip
"""What a table's rows are counted in: behind such a label."""
FIGURES = frozenset({
    "count", "average", "mean", "anzahl", "mittelwert", "durchschnitt", "moyenne", "promedio",
    "media", "gemiddelde", "aantal", "średnia", "min", "max", "minimum", "maximum",
})  # fmt: skip
"""Labels of other rows of figures: words of products, too, so they count beside a figure alone."""

HINTS = frozenset({
    "required", "optional", "mandatory", "recommended", "text", "string", "number", "integer",
    "file", "path", "url", "link", "filename", "free text", "seconds", "pflicht", "pflichtfeld",
    "freitext", "zahl", "datei", "dateiname", "pfad", "sekunden", "obligatoire", "facultatif",
    "optionnel", "texte", "nombre", "fichier", "obligatorio", "opcional", "requerido", "texto",
    "número", "archivo", "obbligatorio", "facoltativo", "opzionale", "testo", "numero",
    "verplicht", "optioneel", "tekst", "getal", "bestand", "obrigatório", "arquivo", "ficheiro",
    "wymagane", "opcjonalne", "liczba", "plik", "必填", "选填", "可选", "文本", "必須", "任意",
    "文字列", "テキスト", "数値",
})  # fmt: skip
"""What a second row of headers says of the columns below the first."""
LABELS = frozenset({
    "article number", "item number", "product number", "article no", "item no", "product id",
    "product code", "item id", "article", "item", "name", "product", "product name",
    "what the video shows", "video text", "video description", "text for the video",
    "beschreibung des videos", "was das video zeigt", "text des videos", "videobeschreibung",
    "description de la vidéo", "descripción del vídeo", "descripción del video",
    "descrizione del video", "beschrijving van de video", "descrição do vídeo", "opis filmu",
    "视频描述", "动画の説明", "動画の説明", "produkt", "artikel", "notes", "notizen", "bemerkung",
    "season", "saison", "price", "preis", "status", "category", "kategorie",
})  # fmt: skip
"""Further labels of columns, which no table of fields has."""


def is_instruction(words: frozenset[str]) -> bool:
    """Tell whether words say that a text is missing, or is to be written."""
    if words.isdisjoint(SUBJECTS):
        return False
    acts = WRITE | HERE | MISSING
    return not words.isdisjoint(acts) and words <= SUBJECTS | acts | GLUE


def is_property(words: frozenset[str]) -> bool:
    """Tell whether words are the name of a property of a product: "product name"."""
    plain = {word for word in words if not word.isdecimal()}
    named = not plain.isdisjoint(_PROPERTY | TITLES)
    return named and plain <= _PROPERTY | TITLES | _PRODUCT | GLUE | HERE


def is_product(words: frozenset[str]) -> bool:
    """Tell whether words name a product, and nothing of it."""
    return bool(words) and words <= _PRODUCT | {"id", "nr", "no"}


def is_order(words: frozenset[str]) -> bool:
    """Tell whether words ask somebody to write a product or a property: "insert product here"."""
    what = _PRODUCT | _PROPERTY | TITLES | SUBJECTS
    return (
        not words.isdisjoint(WRITE)
        and not words.isdisjoint(what | HERE)
        and words <= WRITE | what | GLUE | HERE
    )


def heads(words: frozenset[str]) -> bool:
    """Tell whether words may be the heading of what follows."""
    return words <= TITLES


def is_label(words: str) -> bool:
    """Tell whether a cell says what belongs into its column: "required", "(Text)"."""
    return words in HINTS or words in LABELS
