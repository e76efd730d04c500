"""Whether bytes that were decoded are words that somebody wrote, or the wrong letters.

The bytes of a regional encoding can be decoded in many ways, nearly all of which give something. A
wrong way gives letters that no single language has (`Crčme brűlée`), signs and capitals inside of
words (`MŠdchen`), or characters that hardly anybody writes.

Tested in tests/reader/test_encodings.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

# What each language adds to a to z, with the letters of loan words (as Unicode's CLDR lists them),
# and its most frequent words.
_LANGUAGES = tuple(
    (frozenset(letters), frozenset(words.split()))
    for letters, words in (
        # English
        (
            "éèêëàâäçïñóôöûü",
            "the a an of and on in with to is for it at by from turns slowly white red product",
        ),
        # German
        (
            "äöüßéàè",
            "der die das und auf mit ein eine einer einem den dem von zu im in ist nicht für sich",
        ),
        # French
        (
            "àâæçéèêëîïôœùûüÿñ",
            "le la les de des du un une et est sur dans avec pour ne pas ce qui au en",
        ),
        # Spanish
        ("áéíóúüñç", "el la los las de del un una y en con para por que se no es al su"),
        # Italian
        ("àèéìíîòóùú", "il lo la gli le di del della un una e in con per che non si su da al è"),
        # Portuguese
        ("áâãàçéêíóôõúü", "o os as de do da um uma e em no na com para por que se não ao"),
        # Dutch
        ("éëïóöüèêáíúàç", "de het een van en op in met voor is niet te dat die aan door naar zijn"),
        # Catalan
        ("àçèéíïòóúü", "el la els les de del un una i en amb per que no es al"),
        # Danish, Norwegian
        ("æøåéèêóòôâüöä", "den det en et og på i med til for er ikke som av af de"),
        # Swedish
        ("åäöéàüèç", "den det en ett och på i med till för är inte som av de"),
        # Finnish
        ("åäöšžéü", "ja on ei että se joka kun mutta tai jos oli"),
        # Icelandic
        ("áðéíóúýþæö", "og að á er í með til fyrir ekki sem um af"),
        # Estonian
        ("äõöüšž", "ja on ei et see mis kui aga või oma ning"),
        # Polish
        ("ąćęłńóśźżé", "i w na z do się nie jest to o za od po przez dla"),
        # Czech
        ("áčďéěíňóřšťúůýžöü", "a v na s je se do to že o z k pro ve si"),
        # Slovak
        ("áäčďéíĺľňóôŕšťúýžöü", "a v na s je sa do to že o z k pre vo si"),
        # Hungarian
        ("áéíóöőúüűä", "a az és egy nem is hogy van meg ez de ha"),
        # Romanian
        ("ăâîşţșțé", "și şi de la în cu un o pe nu este din se pentru care"),
        # Croatian, Slovenian
        ("čćđšžé", "i je u na se da za su od s ne in v z ki so pri"),
        # Albanian
        ("çëé", "dhe në i e të një me për nga është që"),
        # Lithuanian
        ("ąčęėįšųūžé", "ir yra su į iš kad ne už apie tai"),
        # Latvian
        ("āčēģīķļņšūžé", "un ir ar no uz par ka nav kas tas"),
        # Turkish
        ("çğıİöşüâîûé", "ve bir bu için ile de da olan değil çok en"),
        ("абвгдежзийклмнопрстуфхцчшщъыьэюяё", ""),  # Russian
        ("абвгґдеєжзиіїйклмнопрстуфхцчшщьюя", ""),  # Ukrainian
        ("абвгдеёжзійклмнопрстуўфхцчшыьэюя", ""),  # Belarusian
        ("абвгдежзийклмнопрстуфхцчшщъьюяѝ", ""),  # Bulgarian
        ("абвгдђежзијклљмнњопрстћуфхцчџш", ""),  # Serbian
        ("абвгдѓежзѕијклљмнњопрстќуфхцчџш", ""),  # Macedonian
        ("αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ", ""),  # Greek
    )
)
_BLOCKS = (
    (0x0370, 0x0400, "Greek"),
    (0x0400, 0x0530, "Cyrillic"),
    (0x0590, 0x0600, "Hebrew"),
    (0x0600, 0x0700, "Arabic"),
    (0x0E00, 0x0E80, "Thai"),
    (0x1100, 0x1200, "East"),
    (0x2E80, 0x10000, "East"),
)
_WORD = re.compile(r"[^\W\d_]+")
_SPELLED = frozenset({"Latin", "Greek", "Cyrillic"})
"""The scripts whose languages are told apart by their letters."""
_HARDLY_WRITTEN = frozenset("¤¦¬¨¯´¸‡†ƒˆ˜¶∂∑∏π∫Ω≈∆◊ˇ˘˙˚˝˛‰⌐√∩≥≤∞≡‗‚‹\xad")
_FRAMES = range(0x2500, 0x2600)
_BEFORE_WORDS = frozenset("¡¿„«")
_BEHIND_WORDS = frozenset("²³¹½¼¾®™©ªº÷")
_INSIDE_WORDS = frozenset("’·")
_ARABIC_STOPS = frozenset("،؛؟")
_IMPOSSIBLE = frozenset({"Cc", "Cn", "Co", "Cs"})
_JAPANESE = frozenset({"cp932", "euc_jis_2004"})
_LEAST_USUAL = 0.6
"""In a text of any length at least this share of East Asian characters are usual."""
_MOST_LONELY = 0.1
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Looks:
    """What a text looks like.

    `strange` is the share of its characters beyond ASCII that look wrong: 1 if it cannot be
    anything that somebody wrote. `familiar` is the share of its words that are frequent ones of a
    language that has its letters.
    """

    strange: float
    familiar: float = 0.0


def look_at_letters(text: str, encoding: str) -> Looks:
    """Judge a text by its characters beyond ASCII.

    `encoding` is what it was decoded from: those of East Asia have their usual characters in front.
    """
    marks: Counter[bool] = Counter()
    letters: Counter[str] = Counter()
    eastern: list[int] = []
    for at, sign in enumerate(text):
        if sign < "\x80":
            continue
        kind = unicodedata.category(sign)
        if kind in _IMPOSSIBLE:
            return Looks(1.0)
        script = _script(sign)
        if script == "East":
            eastern.append(at)
        elif kind[0] == "L" and _fits_word(text, at, script) and script in _SPELLED:
            letters[sign if sign == "İ" else sign.lower()] += 1
        else:
            marks[_fits(text, at, kind, script)] += 1
    if eastern and not _is_eastern(text, eastern, encoding):
        return Looks(1.0)
    spelled = [sum(n for one, n in letters.items() if one in known) for known, _ in _LANGUAGES]
    bad = marks[False] + letters.total() - max(spelled)
    strange = bad / max(1, marks.total() + letters.total() + len(eastern))
    return Looks(strange, _familiarity(text, spelled))


def _familiarity(text: str, spelled: Sequence[int]) -> float:
    """Return the share of frequent words, of the languages that spell most of the letters."""
    words = Counter(_WORD.findall(text.lower()))
    known = (
        sum(words[word] for word in frequent)
        for (_, frequent), n in zip(_LANGUAGES, spelled, strict=True)
        if n == max(spelled)
    )
    return max(known) / max(1, words.total())


def _script(sign: str) -> str:
    code = ord(sign)
    return next((name for first, end, name in _BLOCKS if first <= code < end), "Latin")


def _around(text: str, at: int) -> tuple[str, str]:
    return text[at - 1 : at] if at else "", text[at + 1 : at + 2]


def _is_letter(sign: str) -> bool:
    return sign.isalpha() or (sign > "\x7f" and unicodedata.category(sign)[0] == "M")


def _fits_word(text: str, at: int, script: str) -> bool:
    """Tell whether a letter has the script and the case of those beside it."""
    before, after = _around(text, at)
    sign = text[at]
    for beside in (before, after):
        if beside.isalpha() and _script(beside) not in {script, "East"}:
            return False
    if sign in "ªºµØ" and not before.isalpha() and not after.isalpha():
        return False  # a sign, not a letter of a word: "Ø 20 cm"
    if sign.isupper():
        return not before.islower()
    return sign == "ß" or not (before.isupper() and after.isupper())


def _fits(text: str, at: int, kind: str, script: str) -> bool:
    """Tell whether a character that is no letter of a known alphabet may stand where it does."""
    before, after = _around(text, at)
    sign = text[at]
    if kind[0] == "L":
        return _fits_word(text, at, script) or (
            sign in "ªºµØ" and not _is_letter(after) and (sign != "Ø" or not before.isalpha())
        )
    if kind[0] == "M":
        return script not in _SPELLED and _script(before or " ") == script
    if sign in _ARABIC_STOPS:
        return _is_letter(before)
    if script not in _SPELLED:
        return True
    if sign in _HARDLY_WRITTEN or ord(sign) in _FRAMES:
        return False
    if _is_letter(before) and _is_letter(after):
        return sign in _INSIDE_WORDS
    if sign in _BEFORE_WORDS:
        return not _is_letter(before)
    return not (sign in _BEHIND_WORDS and _is_letter(after))


def _is_eastern(text: str, places: list[int], encoding: str) -> bool:
    """Tell whether the East Asian characters are usual in their encoding, and stand together."""
    usual = lonely = halves = 0
    for at in places:
        before, after = _around(text, at)
        together = any(beside and _script(beside) == "East" for beside in (before, after))
        between = any(beside.isascii() and beside.isalpha() for beside in (before, after))
        lonely += not together and between
        if "\uff61" <= text[at] < "\uffa0":  # half-width katakana: any byte from 0xA1 to 0xDF
            halves += 1
            usual += together
        else:
            usual += _is_usual(text[at], encoding)
    if halves > _HALF * len(places):
        return False
    return usual >= _LEAST_USUAL * len(places) and lonely <= _MOST_LONELY * len(places)


def _is_usual(sign: str, encoding: str) -> bool:
    """Tell whether a character is a sign, a syllable, or on the first level of its standard."""
    if "\u3040" <= sign < "\u3100":
        return encoding in _JAPANESE
    if "\u3000" <= sign < "\u3040" or "\uff00" <= sign < "\uff61":
        return True
    try:
        lead, *trail = sign.encode(encoding)
    except UnicodeEncodeError:
        return False
    if encoding == "gb18030":  # GB 2312, level 1
        return len(trail) == 1 and 0xB0 <= lead <= 0xD7 and trail[0] >= 0xA1  # noqa: PLR2004
    if encoding == "cp950":  # Big5, level 1
        return 0xA4 <= lead <= 0xC6  # noqa: PLR2004
    if encoding == "cp949":  # KS X 1001, syllables
        return 0xB0 <= lead <= 0xC8 and trail[0] >= 0xA1  # noqa: PLR2004
    return 0x88 <= lead <= 0x97  # noqa: PLR2004 - JIS X 0208, level 1
