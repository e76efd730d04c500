"""A sheet is read strictly: every fault of it at once, each with its path."""

from __future__ import annotations

import pytest

from pipeline.errors import ConfigError
from pipeline.models.records import Sheet
from pipeline.models.sheet import read_sheet

HEAD = """
sheet = 1
models = ["clip-2"]
source = "https://example.test/clip-2"
read = 2026-11-22
"""
PICTURE = '[[images]]\ncounts = [1]\nput = { image = "{1}" }\n'
DURATION = '[fields.duration]\ntype = "integer"\nrange = [1, 15]\ndefault = 8\n'


def faults_of(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        read_sheet(text, "clip-2.toml")
    return caught.value.lines[1:]


def read(text: str) -> Sheet:
    return read_sheet(HEAD + text, "clip-2.toml")


def test_what_a_sheet_may_leave_out() -> None:
    """Names, the page and the day on which it was read are all that it needs."""
    sheet = read("")
    assert sheet.picture_counts == (0,)
    assert sheet.prompt.required is True
    assert not sheet.head.verified


def test_fields_keep_their_order() -> None:
    """It is that of the body."""
    sheet = read(DURATION + '[fields.audio]\ntype = "boolean"\ndefault = true\n' + PICTURE)
    assert list(sheet.fields) == ["duration", "audio"]
    assert sheet.picture_counts == (1,)


def test_every_fault_is_named_at_once() -> None:
    """A fault in one section hides none in another."""
    text = """
sheet = 2
models = ["a b"]
source = "ftp://x"
read = "yesterday"
[prompt]
required = "maybe"
[[images]]
counts = [1, 2]
put = { image = "{1}" }
[fields.duration]
type = "integer"
values = [4, "6"]
[fields.prompt]
[[rules]]
when = { look = ["x"] }
need = { duration = ["any"] }
[[prices]]
when = { sound = [true], images = [7] }
per_second = 0
[frames]
"16:9 8k" = [1]
[extra]
x = 1
"""
    named = [fault.partition(": ")[0] for fault in faults_of(text)]
    assert named == [
        "sheet",
        "models.0",
        "source",
        "read",
        "extra",
        "prompt.required",
        "images.1",
        "fields.duration",
        "rules.1.say",
        "prices.1.per_second",
        "frames.16:9 8k.1",
        "fields.prompt",
        "rules.1.when.look",
        "prices.1.when.sound",
    ]


@pytest.mark.parametrize(
    ("head", "fault"),
    [
        ('"https', "source: must be the web address of the page"),
        ("= 2026", "read: must be a date without quotes, as 2026-11-22"),
        ("[", "models: must be a list in [ ]"),
    ],
)
def test_no_sentence_is_a_librarys(head: str, fault: str) -> None:
    """Patterns, tuples and types of Python are said in words of a sheet."""
    text = HEAD.replace(head, {'"https': '"ftp', "= 2026": '= "2026', "[": '"clip-2"  # ['}[head])
    if head == "= 2026":
        text = text.replace("-22", '-22"')
    assert fault in "\n".join(faults_of(text))


@pytest.mark.parametrize("hidden", ["\\u001b[2J", "\\u202e", "\\u200b", " "])
def test_an_address_has_nothing_that_nobody_sees(hidden: str) -> None:
    """It is shown on screens and pages."""
    text = HEAD.replace("test/clip-2", f"test/{hidden}clip-2")
    assert faults_of(text) == ("source: must be the web address of the page, without blanks",)


def test_a_key_too_many_hides_nothing() -> None:
    """What is wrong with the keys that are known is named as well."""
    text = HEAD + '[fields.a]\ntype = "integer"\nvalues = [4, "x"]\ncolour = 3\n[[rules]]\n'
    assert faults_of(text) == (
        "fields.a.colour: there is no such key here",
        "fields.a: x is not of the type integer",
        "rules.1.when: is missing",
        "rules.1.say: is missing",
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[fields.model]\nvalues = ["x"]', "the program's own"),
        ('[fields.client_business_id]\nvalues = ["x"]', "the program's own"),
        ('[fields.a]\npath = "prompt"', "the program's own"),
        ('[fields.a]\npath = "model.name"', "the program's own"),
        ('[fields.a]\npath = "x..y"', "single dots"),
        ('[fields.a]\npath = "x.y"\n[fields.b]\npath = "x"', "same place in the body"),
        ('[fields.image]\n[[images]]\ncounts = [1]\nput = { image = "{1}" }', "same place"),
        ('[fields.a]\ntype = "boolean"\ndefault = "true"', "not of the type boolean"),
        ('[fields.a]\ntype = "integer"\ndefault = true', "not of the type integer"),
        ('[fields.a]\nvalues = ["x"]\ndefault = "y"', "not among what is allowed"),
        ('[fields.a]\nvalues = ["x", "x"]', "twice"),
        ('[fields.a]\ntype = "integer"\nvalues = [1]\nrange = [1, 2]', "both values and range"),
        ('[fields.a]\ntype = "integer"\nrange = [2, 1]', "the smaller one first"),
        ('[fields.a]\ntype = "integer"\ndefault = 90071992547409930', "JSON"),
        ('[fields.a]\nvalues = ["x"]\nsend = { y = "z" }', "send names y"),
        ("[[images]]\ncounts = [1]", "no place for picture 1"),
        ('[[images]]\ncounts = [1, 2]\nput = { a = "{1}", b = "{2}" }', "may have only 1"),
        ('[[images]]\ncounts = [0]\nput = { a = "{1}" }', "may have only 0"),
        ('[[images]]\ncounts = [1]\nput = { a = "{*}" }', "inside a list"),
        (
            '[[images]]\ncounts = [2]\nput = { a = "{1}", b = "{2+}" }',
            "{2+} elsewhere than inside a",
        ),
        ('[[images]]\ncounts = [1, 2]\nput = { a = "{1}", b = ["{2+}"] }', "may have only 1"),
        ('[[images]]\ncounts = [3]\nput = { a = "{1}", b = ["{3+}"] }', "no place for picture 2"),
        ('[[images]]\ncounts = [2]\nput = { a = ["{0+}"] }', "no place for picture 1"),
        ('[[images]]\ncounts = [2]\nput = { a = [["{*}", "{2+}"]] }', "in one entry of a list"),
        ('[fields.a]\nvalues = ["x"]\nmax_characters = 9', "is for texts without values"),
        ('[fields.a]\ntype = "integer"\nmax_characters = 9', "is for texts without values"),
        ('[fields.a]\nmax_characters = 3\ndefault = "abcd"', "not among what is allowed"),
        ("[fields.a]\nmax_characters = 0", "must be at least 1"),
        ('[fields.a]\ntype = "boolean"\nsend = { yes = "on" }', "send names yes"),
        (PICTURE + '[[images]]\ncounts = [1, 3]\nput = { image_urls = ["{*}"] }', "too"),
        (DURATION + '[[rules]]\nwhen = { duration = [4] }\nsay = "x"', "either need or forbid"),
        (
            DURATION + "[[rules]]\nwhen = { duration = [16] }\nforbid = { images = [1] }\n"
            'say = "x"',
            "16 is not among",
        ),
        (
            DURATION + '[[rules]]\nwhen = { model = ["clip-3"] }\nforbid = { duration = "any" }\n'
            'say = "x"',
            "clip-3 is not among",
        ),
        ("[[prices]]\nper_second = 0.1", "needs a field duration"),
        ("[[prices]]\ncurrency = 'USD'", "either per_second or per_request"),
        ("[fields]\nx = 1", "must be a table"),
        ("images = 3", "[[images]]"),
        (
            "fields = 3\n" + '[[rules]]\nwhen = { a = [1] }\nneed = { a = [2] }\nsay = "x"',
            "a table",
        ),
        (DURATION + '[[rules]]\nwhen = { duration = ["4"] }\nsay = "x"', "4 is not among"),
        ("a = [", "is no TOML"),
        (f"a = {'9' * 5000}", "a number is too long"),
        (f"a = {'[' * 3000}{']' * 3000}", "too deeply"),
        ('[fields.a]\nvalues = ["", "x"]', "fields.a.values.0: must not be empty"),
        ("[fields.a]\nvalues = [1.5]", "must be a text in quotes, a whole number, true or false"),
        ('[fields.a]\ntype = "integer"\nrange = [1, 2, 3]', "must be two numbers in [ ]"),
        (
            DURATION + '[[rules]]\nwhen = { duration = "4" }\nsay = "x"',
            'rules.1.when.duration: must be a list of values in [ ], or "any"',
        ),
        (
            DURATION + '[[rules]]\nwhen = { images = [3] }\nforbid = { duration = [4] }\nsay = "x"',
            "3 is not among",
        ),
        (DURATION + "[[prices]]\nper_second = '1'", "must be a valid number"),
        (
            DURATION + "[[prices]]\nper_second = 1\n[[prices]]\nper_second = 2",
            "prices.2: is never reached",
        ),
        ('[frames]\n"16:9" = [16, 9]', "there is no field aspect_ratio"),
        ("[image_files]\nshape = [2, 1]", "the narrowest ratio, then the widest"),
        ("[image_files]\ntypes = []", "must not be empty"),
        (f"[image_files]\nmax_bytes = {'9' * 400}", "image_files.max_bytes: must be at most"),
        ('[[images]]\ncounts = [1]\nput = { a = "{1}", b = 2026-01-01 }', "put has a date or a ti"),
        (
            '[[images]]\ncounts = [1]\nput = { a = ["{1}", { b = nan }] }',
            "put has a number that is",
        ),
        (f'[[images]]\ncounts = [1]\nput = {{ a = "{{1}}", b = {2**60} }}', "too large, which no"),
        (
            "".join(f"[fields.f{at}]\n" for at in range(201)),
            "fields: has 201 entries; 200 are read",
        ),
        ('[[images]]\ncounts = [1]\nput = { a = "{1}", b = "\\u202e" }', "put has characters that"),
        (PICTURE * 201, "images: has 201 entries; 200 are read"),
        (f"{'a' * 5_000} = 1", f"{'a' * 100}…: there is no such key"),
        ("[image_files]\nshape = [0, nan]", "must be more than 0"),
    ],
)
def test_what_no_sheet_may_say(text: str, fault: str) -> None:
    """Each is a fault of its own, in words."""
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert fault in str(caught.value)


def test_rules_between_fields() -> None:
    """What a row leaves out it lacks, and `any` asks only whether it says something."""
    text = """
[fields.aspect_ratio]
values = ["16:9", "9:16"]
[fields.resolution]
values = ["720p", "1080p"]
[[images]]
counts = [0]
[[images]]
counts = [1, 2]
put = { image_urls = ["{*}"] }
[[rules]]
when = { resolution = ["1080p"] }
need = { aspect_ratio = ["16:9"] }
say = "only lying"
[[rules]]
when = { images = [1, 2] }
forbid = { aspect_ratio = "any" }
say = "with pictures their shape"
"""
    lying, shaped = read(text).rules
    assert not lying.is_broken_by({"resolution": "720p", "aspect_ratio": "9:16"})
    assert not lying.is_broken_by({"resolution": "1080p", "aspect_ratio": "16:9"})
    assert lying.is_broken_by({"resolution": "1080p", "aspect_ratio": "9:16"})
    assert lying.is_broken_by({"resolution": "1080p"})
    assert shaped.is_broken_by({"images": 1, "aspect_ratio": "16:9"})
    assert not shaped.is_broken_by({"images": 1})
    assert not shaped.is_broken_by({"images": 0, "aspect_ratio": "16:9"})
