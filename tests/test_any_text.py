"""No text ends a run: every parser that a user's, a shop's or the API's text is fed to, fuzzed.

A parser may refuse a text in its own way, which its caller makes a sentence about a row, a file or
a setting. Anything else that it raises would end the run with an internal error.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import string
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from pipeline.authoring import filenames, nearnames, shots
from pipeline.authoring.newmanifest import write
from pipeline.authoring.shops.conversion import convert, web_address
from pipeline.authoring.shops.recognition import find, recognise_file
from pipeline.checker import naming, rules
from pipeline.checker.check import check_manifest
from pipeline.cli.options import read_duration_s, split_list
from pipeline.concealment import conceal, show_controls
from pipeline.config import nights
from pipeline.config.loading import load
from pipeline.config.settings import Config
from pipeline.config.values import looks_secret, origin_of, proxy_address
from pipeline.config.yamltext import read_yaml
from pipeline.downloader.addresses import address_refusal, local_name_refusal
from pipeline.downloader.boxes import BoxFault, walk_boxes
from pipeline.downloader.connection import (
    PartMark,
    _next,
    _parse,
    judge,
    link_refusal,
    strong_validator,
)
from pipeline.downloader.transfer import _check_head, _parse_mark
from pipeline.errors import DownloadError, ManifestError, ReelsheetError
from pipeline.export.publicaddress import PublicAddress
from pipeline.manifest import (
    blank,
    columns,
    locations,
    pagelinks,
    plaintext,
    templates,
    traits,
    videolooks,
    wording,
)
from pipeline.manifest.invocation import Invocation
from pipeline.manifest.templates import TemplateFault
from pipeline.model import Problem
from pipeline.models.sheet import read_sheet
from pipeline.network import Network, Proxy, read_network
from pipeline.night import health, sending
from pipeline.night.history import Past
from pipeline.pictures.accepted import unidentified
from pipeline.planner import editions
from pipeline.reader.text.delimited import read_text
from pipeline.reader.workbook.package import NotAWorkbook
from pipeline.retryafter import retry_after_s
from pipeline.review import exchange
from pipeline.runner.remains import _whole, journal_id_in, second_of, traces_in_log
from pipeline.toapis import answers, failures, holdings
from pipeline.toapis.bodies import Answer, number_of, parse
from pipeline.toapis.weblinks import escape_link, first_usable, link_fault
from pipeline.writer import movedrows
from pipeline.writer.layout import number_columns
from pipeline.writer.outcome import iso
from tests.night.test_history import LINE as PAST

LONG = "9" * 4400
NASTY = (
    "<![ 20 % off ]>", "<![", "<!", "<!-", "<!--", "<!DOCTYPE [", "<![CDATA[",
    "<![if !x]>a<![endif]>", "<![\u00e9[x]]>", "<?", "<?php", "</", "<a b='", "&", "&#",
    f"&#{LONG};", "&#x110000;", "&#xd800;", f"<b>x</b>&#{LONG};", "<svg", "<script>", "<" * 300,
    "http://[", "http://[::1", "https://[v1.x]/a", "https://[fe80::1%25x]/", f"http://a:{LONG}/",
    "http://a:99999/", "http://a:b/", "http://xn--\u00e4/", f"https://{'a' * 70}.com/x.mp4",
    "https://a..b/x", "https://\u2100.com/", "https://\uff0f/", "http://", "https://a\\@b/",
    "https://u:p@h/", "file://[", "file:///%ff%00", "file:///a%", "data:", "//[", "www.", "~",
    "~nobody/x", "C:\\x", "\\\\h\\s", "./\x00", "\ud800", "\udcff", "\U0001f469\u200d\U0001f52c",
    "\x00", "\x1b[31m", "\u202e", "\u2028", LONG, f"-{LONG}", f"{LONG}.5", "1e999", "-1e999",
    "nan", "inf", "\u0661\u0662", "\u00b2", "1" * 400, "0x1f", "1,5", "1.234,56", "4s", "16:9",
    f"{LONG}:9", "0,39583", "9:16 AM", "{{", "}}", "{%", "{% x", "{#", "{", "}", "{0}",
    "{a!r:>9}", "{{ 1 }}", f"{{{{ {LONG} }}}}", "{{ a", "{{ 'x' | join(1) }}", '"', "'", '""',
    '"a', "sep=;", 'sep="', "=1+1", "@", "1899-12-31 9:16", "Mon, 99 Foo 2026 99:99:99 GMT",
    "Fri, 31 Dec 9999 23:59:59 -2359", "Mon, 1 Jan 0001 00:00:00 +2359",
    f"Fri, 27 Nov {LONG} 00:00:00 GMT", "0001-01-01", "9999-12-31T23:59:59+00:00", "-", "+",
    "a|b;c\nd", f"bytes 0-{LONG}/{LONG}", "bytes \u0661-\u0662/*", "!!python/object:x", "&a [*a]",
    "*a", "? a", "[" * 300, "- " * 200, "2026-13-45", "12:30:45", "!!float x", "!!int ''",
    "!!timestamp 9", "!!binary =", "0o9", "<<: 1", "%", "%s", "%d%", "\\", "a\\", "(",
    "a{99999999999999}", "(?P<key>", "[z-a]", "(" * 300, "\\1", "(?i",
)  # fmt: skip
PIECES = st.one_of(st.sampled_from(NASTY), st.text(st.characters(), max_size=12))
TEXTS = st.one_of(PIECES, st.builds("".join, st.lists(PIECES, max_size=4)))
JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.floats(), TEXTS,
        st.sampled_from([10**400, -1, 0, 1732690000000, 10**18, int("9" * 4000)]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from([
                "id", "task_id", "status", "data", "url", "video_url", "result", "error", "code",
                "message", "progress", "created_at", "completed_at", "expires_at", "fail_reason",
                "object", "type", "success", "remain_balance", "remain_credits", "credits_per_usd",
                "currency", "unlimited_quota", "used_credits",
            ]),
            inner, max_size=6,
        ),
    ),
    max_leaves=12,
)  # fmt: skip
HERE = Path("/srv/pictures")


def _grouped(text: str) -> dict[str, list[shots.Shot]]:
    return shots.group_products(shots.by_name([f"{text}.jpg", f"x_{text}.jpg", f"a/{text}"]))


def _decisions(text: str) -> object:
    return exchange.parse(HERE / "hers.csv", text.encode("utf-8", "surrogatepass"))


_SHEET = 'sheet = 1\nfields = 3\n[[rules]]\nwhen = { a = ["b"] }\nsay = '

pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")

# Each parser with what it may raise: the way in which it refuses.
PARSERS: tuple[tuple[str, Callable[[str], object], tuple[type[Exception], ...]], ...] = (
    ("html", plaintext.plain_text, ()),
    ("entities", plaintext.unescape, ()),
    ("sentence", plaintext.sentence, ()),
    ("guard", lambda text: plaintext.unguard_within(plaintext.guard_within(text)), ()),
    ("template", templates.compile_template, (TemplateFault,)),
    ("shorthand", lambda text: templates.compile_template(templates.from_shorthand(text)),
     (TemplateFault,)),
    ("picture's place", lambda text: locations.locate(text, HERE), ()),
    ("picture's place outside", lambda text: locations.locate(text, HERE, outside=True), ()),
    ("picture's address", locations.web_fault, ()),
    ("picture's page", lambda text: pagelinks.page_at(f"https://drive.google.com/{text}"), ()),
    ("a shop's page", lambda text: pagelinks.page_at(web_address(text)), ()),
    ("shop's address", lambda text: locations.web_fault(web_address(text)), ()),
    ("start of an export",
     lambda text: recognise_file(HERE, text.encode("utf-8", "surrogatepass")), ()),
    ("duration", rules.duration_of, ()),
    ("aspect ratio", rules.aspect_ratio_of, ()),
    ("resolution", rules.resolution_of, ()),
    ("key", naming.normalise_key, ()),
    ("made key", naming.looks_made_of_contents, ()),
    ("numbered key", lambda text: naming.number_key(text, Counter([text])), ()),
    ("file name", naming.safe_name, ()),
    ("attempt's name", lambda text: naming.base_name(text, 2), ()),
    ("blank", blank.is_blank, ()),
    ("folded", blank.fold_text, ()),
    ("path", blank.trim_path, ()),
    ("header", columns.fold_header, ()),
    ("headers", lambda text: columns.match_columns([text, "prompt"]), ()),
    ("mapped header", lambda text: columns.match_columns(["a"], mapping={text: "prompt"}), ()),
    ("key's header", lambda text: columns.match_columns(["a", text], key=text), ()),
    ("quoted name", wording.quote_name, ()),
    ("command", lambda text: Invocation(Path("m.csv"), sets=(text,)).command("run", key=text), ()),
    ("advice", lambda text: Invocation(Path("m.csv")).complete(text, key=text), ()),
    ("option's list", split_list, ()),
    ("option's time", lambda text: read_duration_s("--x", text), (ReelsheetError,)),
    ("shown", show_controls, ()),
    ("concealed", lambda text: conceal(text, text), ()),
    ("secret", looks_secret, ()),
    ("window of a night", nights.read_window, (ValueError,)),
    ("time of a night", health._seconds, ()),
    ("address of a notice", nights._address, (ValueError,)),
    ("addresses of services", lambda text: sending._addresses(text.split(), "x", []), ()),
    ("yaml", read_yaml, ()),
    ("sheet of a model", lambda text: read_sheet(text, "x.toml"), (ReelsheetError,)),
    ("condition in it", lambda text: read_sheet(_SHEET + text, "x.toml"), (ReelsheetError,)),
    ("base url", origin_of, (ReelsheetError,)),
    ("proxy", proxy_address, (ValueError,)),
    ("names of pictures", filenames.read_name, ()),
    ("title of a product", lambda text: traits.seen_title(text, text[:3]), ()),
    ("traits of a product", lambda text: traits.traits_of({text: text, "color": text}), ()),
    ("looks", videolooks.read_looks, (videolooks.LooksFault,)),
    ("look of a row", lambda text: videolooks.built_in().nearest(text), ()),
    ("names that are near", lambda text: nearnames.describe_doubts(_grouped(text)), ()),
    ("numbers of shots", shots.split_numbers, ()),
    ("shots", lambda text: shots.group_products(shots.by_name([f"{text}.jpg", f"a/{text}"])), ()),
    ("pattern", lambda text: shots.by_pattern(["a_1.jpg"], text), (ReelsheetError,)),
    ("dated name", lambda text: editions.are_called_alike(Path(f"{text}.csv"), Path("a.csv")), ()),
    ("series", lambda text: editions.series_of(text, "a 2026-01-01"), ()),
    ("address", address_refusal, ()),
    ("local name", local_name_refusal, ()),
    ("download link", lambda text: link_refusal(_parse(text), allow_private=False),
     (DownloadError,)),
    ("redirect", lambda text: link_refusal(_next(URL("https://h/a"), text), allow_private=False),
     (DownloadError,)),
    ("folder of a shop", lambda text: PublicAddress.read(f"https://{text}").of(text),
     (ReelsheetError,)),
    ("video's address", lambda text: first_usable([text]), ()),
    ("log's time", second_of, ()),
    ("history's time",
     lambda text: Past.of({**PAST, "started_at": text, "ended_at": text}).ended_second,
     (ValueError, OverflowError)),
    ("whole number", _whole, ()),
    ("number", number_of, ()),
    ("name of a run's journal", lambda text: journal_id_in([{"event": "begin", "journal": text}]),
     ()),
    ("file of decisions", _decisions, (ReelsheetError,)),
    ("formula", lambda text: movedrows._followed(f"A2&{text}", movedrows.Moves({2: 3})),
     (NotAWorkbook,)),
    ("shared formula", lambda text: movedrows._Rows(movedrows.Moves({})).move(
        f'<row r="2"><c r="A2"><f t="shared" si="0">A1+{escape(text)}</f></c></row><row r="3">'
        '<c r="A3"><f t="shared" si="0"/></c></row>'.encode("utf-8", "xmlcharrefreplace")),
     (NotAWorkbook,)),
    ("one decision", lambda text: _decisions(f"entry,number,sha256,verdict,at\nx,1,a,,{text}"),
     (ReelsheetError,)),
)  # fmt: skip
HEADERS = (
    "Retry-After", "Date", "Content-Length", "Content-Range", "Content-Encoding", "ETag",
    "Last-Modified", "Content-Type",
)  # fmt: skip


@pytest.mark.parametrize(("name", "parser", "refuses"), PARSERS, ids=[one[0] for one in PARSERS])
def test_a_nasty_text_is_parsed_or_refused(
    name: str, parser: Callable[[str], object], refuses: tuple[type[Exception], ...]
) -> None:
    """The texts that parsers of the standard library and of others are known to raise for."""
    assert name
    for text in NASTY:
        with contextlib.suppress(*refuses):
            parser(text)


@pytest.mark.parametrize(("name", "parser", "refuses"), PARSERS, ids=[one[0] for one in PARSERS])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=TEXTS)
def test_any_text_is_parsed_or_refused(
    name: str, parser: Callable[[str], object], refuses: tuple[type[Exception], ...], text: str
) -> None:
    """The same for whatever text."""
    assert name
    with contextlib.suppress(*refuses):
        parser(text)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(templates.FILTERS), TEXTS, TEXTS)
def test_any_value_goes_into_a_template(name: str, value: str, argument: str) -> None:
    """Through each filter, with the arguments of its kind: a text, or why there is none."""
    arguments = {"replace": f"({argument!r}, 'x')", "join": f"({argument!r})", "truncate": "(5)"}
    for call in (name, name + arguments.get(name, "")):
        with contextlib.suppress(TemplateFault):
            templates.compile_template(f'{{{{ row["A"] | {call} }}}}').fill({"A": value})


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.builds(lambda told: json.dumps(told).encode(), JSON), st.binary(max_size=40)))
def test_any_answer_of_the_api_is_read(body: bytes) -> None:
    """JSON of any shape, or none: what it means, or that it means nothing."""
    parse(body)
    for status in (200, 302, 400, 401, 402, 404, 422, 429, 500, 503):
        answer = Answer(status, body)
        view = answers.task_view(answer)
        if view is not None:
            iso(view.created_at)
            iso(view.completed_at)
            if view.video_url is not None:
                assert link_fault(view.video_url) is None
                escape_link(view.video_url)
        answers.accepted_task(answer)
        answers.picture_url(answer)
        holdings.balance(answer, "key")
        holdings.model_names(answer)
        for explain in (
            failures.explain_submission,
            failures.explain_query,
            failures.explain_upload,
            failures.explain_balance,
            failures.explain_models,
        ):
            assert str(explain(answer))


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(HEADERS), TEXTS), st.sampled_from([200, 206, 302, 416, 429]))
def test_any_header_of_a_host_is_read(headers: dict[str, str], status: int) -> None:
    """Waits, dates, lengths, ranges, marks of versions and media types."""
    wait_s = retry_after_s(headers, 1_800_000_000.0)
    assert wait_s is None or wait_s >= 0
    strong_validator(headers)
    for mark in (None, PartMark('"v"', 10)):
        with contextlib.suppress(DownloadError):
            judge(status, headers, 5, mark)
    with contextlib.suppress(DownloadError):
        _check_head(b"abcdefghijkl", headers.get("Content-Type", ""))


def test_each_nasty_header_is_read() -> None:
    """The known ones in each header, without chance."""
    for name in HEADERS:
        for text in NASTY:
            headers = {"Date": "Fri, 27 Nov 2026 00:00:00 GMT", name: text}
            retry_after_s(headers, 0.0)
            strong_validator({"Last-Modified": text, **headers})
            for status in (200, 206, 416):
                with contextlib.suppress(DownloadError):
                    judge(status, headers, 5, PartMark('"v"', 10))


@settings(deadline=None)
@given(st.binary(max_size=80), st.sampled_from([b"", b"\0\0\0\x18ftypmp42", b"{", b"["]))
def test_any_bytes_are_looked_at(data: bytes, start: bytes) -> None:
    """Files of tables, pictures and videos by their first bytes, and what is kept beside a part."""
    whole = start + data
    _parse_mark(whole, "a.mp4")
    unidentified(Path("a.jpg"), whole, prepare=True, heic=True)
    with contextlib.suppress(BoxFault):
        walk_boxes(io.BytesIO(whole), len(whole))
    for encoding in (None, "cp1252", "utf-7", "idna", "raw_unicode_escape", "punycode", "\0"):
        with contextlib.suppress(ManifestError):
            read_text(Path("m.csv"), whole, encoding=encoding)


@settings(deadline=None)
@given(TEXTS, st.sampled_from(["", ",", ";", "\t", "|", "a"]))
def test_any_table_is_read(text: str, sign: str) -> None:
    """A file of text is a table, or a sentence says why it is none."""
    for body in (text, f"sep={sign}\n{text}", f"sku{sign}prompt\n1{sign}{text}\n"):
        with contextlib.suppress(ManifestError):
            manifest = read_text(Path("m.csv"), body.encode("utf-8", "surrogatepass"))
            number_columns(manifest.headers, manifest.rows, range(len(manifest.headers)))


KEYS = (
    "provider", "api.base_url", "api.key_env", "manifest.sheet", "manifest.encoding", "output.name",
    "manifest.columns", "manifest.prompt_template", "budget.timezone", "limits.outstanding",
    "http.proxy", "budget.price_per_second", "account.book", "",
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(KEYS), TEXTS)
def test_any_setting_is_taken_or_refused(key: str, text: str) -> None:
    """From the command line and from the environment."""
    for overrides, environ in (([f"{key}={text}"], {}), ([text], {}), ([], {"REELSHEET_X": text})):
        with contextlib.suppress(ReelsheetError):
            load(None, environ=environ, overrides=overrides)
    environ = {"https_proxy": text, "no_proxy": text}
    config = Config.model_validate({"provider": "toapis", "http": {"proxy": "env"}})
    with contextlib.suppress(ReelsheetError):
        read_network(config, environ).proxy_for("https://example.com/")


@settings(deadline=None)
@given(TEXTS)
def test_any_link_finds_its_way(text: str) -> None:
    """Whatever passes for a link is asked for the proxy that leads to it."""
    network = Network({"https": Proxy("http://proxy:1", "http.proxy")}, ("h:1", "10.0.0.0/8", text))
    with contextlib.suppress(DownloadError):
        url = _parse(text)
        if link_refusal(url, allow_private=True) is None:
            network.proxy_for(str(url))
            network.proxy_for(text) if link_fault(text) is None else None


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(["time", "run_id", "event", "key", "attempt", "task_id"]), JSON)
)
def test_any_line_of_a_log_is_passed_over(line: dict[str, Any]) -> None:
    """A log that something else has written into."""
    traces_in_log([{"time": "2026-01-01T00:00:00Z", "event": "Intended", "key": "A", **line}])


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(TEXTS, min_size=6, max_size=6))
def test_good_rows_go_on_beside_any_row(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    """A bad row beside a good one: the good one is valid, the other one has its own problems."""
    path = tmp_path_factory.mktemp("rows") / "m.csv"
    plain = [text.replace("\0", "").encode("utf-8", "replace").decode() for text in texts]
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["sku", "prompt", "image", "duration", "aspect_ratio", "Notes"])
        table.writerow(["GOOD", "A mug turns.", "", "4", "16:9", "none"])
        table.writerow(["", *plain[1:]])
    for template in (None, '{{ row["Notes"] | striphtml | default("x") }}'):
        given_ = {"manifest": {"prompt_template": template}} if template else {}
        found = check_manifest(path, Config.model_validate(given_), cache_dir=None)
        assert 2 in found.drafts
        assert all(isinstance(one, Problem) for one in found.problems)


@pytest.mark.parametrize("shop", ["shopify", "woocommerce", "google", "magento", "prestashop"])
@pytest.mark.parametrize("text", NASTY)
def test_good_products_go_on_beside_any_product(tmp_path: Path, shop: str, text: str) -> None:
    """`init --from`: whatever stands in an export, the other products become rows."""
    plain = text.replace("\0", "").encode("utf-8", "replace").decode()
    headers = {
        "shopify": ["Handle", "Title", "Body (HTML)", "Image Src", "Image Position", "Status"],
        "woocommerce": ["SKU", "Name", "Description", "Images", "ID", "Published"],
        "google": ["id", "title", "description", "image_link", "price", "product_type"],
        "magento": ["sku", "name", "description", "base_image", "price", "categories"],
        "prestashop": ["Reference #", "Name *", "Description", "Image", "Product ID", "Status"],
    }[shop]
    export, made = tmp_path / "export.csv", tmp_path / "made.csv"
    with export.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(headers)
        table.writerow(["GOOD", "Mug", "A <b>mug</b>.", "https://example.com/a.jpg", "1", "active"])
        table.writerow(["ODD", f"Tea {plain}", f"<p>Sale</p>{plain}", plain, plain, plain])
    conversion = convert(export, find(shop))
    keys = [row[0] for row in conversion.manifest.rows]
    assert keys == ["GOOD", "ODD"]
    write(conversion.manifest, made)
    assert set(check_manifest(made, Config(), cache_dir=None).drafts) >= {2}


def test_a_product_that_no_template_suits_is_left_out(tmp_path: Path) -> None:
    """Its neighbours become rows, and a line says why it did not."""
    export = tmp_path / "export.csv"
    with export.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["Handle", "Title", "Body (HTML)"])
        table.writerow(["GOOD", "Mug", "A mug."])
        table.writerow(["LONG", "Tea", "tea " * 30_000])
    template = "{{ title }} {{ description }}"
    conversion = convert(export, find("shopify"), template=template)
    assert [row[0] for row in conversion.manifest.rows] == ["GOOD"]
    assert any("template cannot be filled in" in line for line in conversion.findings)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Sale</p><![ 20 % off ]><p>Now</p>", "Sale; <![ 20 % off ]>; Now"),
        ("<![ 20 % off ]>", "<![ 20 % off ]>"),
        ("a <!bad> <b>b</b>", "a b"),
        ("<!--[if mso]>x<![endif]-->y", "y"),
        ("<![if !supportLists]>1.<![endif]> one", "1. one"),
        (f"<b>x</b> &#{LONG};", f"x &#{LONG};"),
    ],
)
def test_what_the_parser_cannot_read_is_text(html: str, text: str) -> None:
    """A price in brackets is words, whatever the version of Python makes of it."""
    assert plaintext.plain_text(html) == text


@pytest.mark.parametrize(
    "unit", ["<a ", "<a b='", "<!--", "<!--x>", "<![if x>", "<svg></b>", "</", "&#", "<!x '>"]
)
def test_the_parser_does_not_look_through_the_rest_again_and_again(unit: str) -> None:
    """What is opened thousands of times and never closed took minutes; most of it is words."""
    text = "<b>Tea</b> " + unit * (60_000 // len(unit))
    assert plaintext.plain_text(text).startswith("Tea")


def test_the_list_of_parsers_is_whole() -> None:
    """Whoever calls a parser of another library here has it fuzzed above."""
    calls = re.compile(
        r"\b(urlsplit|urlparse|HTMLParser|fromisoformat|strptime|parsedate_to_datetime|"
        r"unescape|csv\.reader|ip_address|ip_network|from_string|literal_eval|Formatter)\("
    )
    package = Path(plaintext.__file__).parents[1]
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if calls.search(path.read_text("utf-8"))
        and not path.relative_to(package).as_posix().startswith(("emulator/", "reader/workbook/"))
    }
    assert found == {
        "account/place.py", "authoring/shops/google.py", "authoring/shops/magento.py",
        "authoring/shops/prestashop.py", "authoring/shops/recognition.py",
            "authoring/shops/woocommerce.py", "cli/several.py", "config/nights.py",
        "config/values.py", "downloader/addresses.py", "export/publicaddress.py",
        "manifest/locations.py", "manifest/pagelinks.py", "manifest/plaintext.py",
        "manifest/templates.py", "network.py", "night/health.py", "night/history.py",
        "night/telling.py",
        "reader/text/delimited.py", "reader/text/dialect.py", "retryafter.py",
        "review/exchange.py", "review/listening.py", "runner/remains.py", "toapis/weblinks.py",
        "writer/movedrows.py",
    }  # fmt: skip
    assert string.printable
