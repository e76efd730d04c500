"""The configuration: four sources, one frozen Config, every fault at once."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checker import rules
from pipeline.config.catalogue import FIELDS, SECTIONS, describe_setting, sample, say_allowed
from pipeline.config.content import Defaults
from pipeline.config.loading import load
from pipeline.config.settings import Config
from pipeline.config.values import ManifestField
from pipeline.errors import ConfigError, ExitCode
from pipeline.manifest import columns
from pipeline.manifest.earlier import IGNORE
from pipeline.runner.target import load_settings

ROOT = Path(__file__).parents[2]


def _file(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _faults(text: str, folder: Path, *overrides: str, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load(_file(folder, text), environ=environ or {}, overrides=overrides)
    assert caught.value.exit_code is ExitCode.USAGE
    return caught.value.message


def test_the_committed_file_is_the_rendered_one() -> None:
    """config.yaml in the repository is exactly what the settings render."""
    assert (ROOT / "config.yaml").read_text(encoding="utf-8") == sample()


def test_the_sample_loads_as_the_defaults() -> None:
    """The commented file changes nothing."""
    assert load(ROOT / "config.yaml", environ={}) == Config() == load(None, environ={})


def test_every_setting_is_explained() -> None:
    """Each key carries a description and can say what it takes."""
    for key in FIELDS:
        assert describe_setting(key), key
        assert say_allowed(key), key


def test_defaults_agree_with_the_rules_of_the_provider() -> None:
    """What config.yaml takes as a default is what the provider takes."""
    for name in ("duration", "aspect_ratio", "resolution"):
        info = Defaults.model_fields[name]
        assert get_args(info.annotation) == rules.BY_FIELD[name].allowed
        assert info.default == getattr(rules.Form(), name)


def test_fields_agree_with_the_columns() -> None:
    """manifest.columns can name every field there is, or say to ignore a column, and no more."""
    assert get_args(ManifestField) == (*columns.ALL_FIELDS, IGNORE)


def test_precedence(tmp_path: Path) -> None:
    """--set wins over the environment, that over the file, that over the defaults."""
    path = _file(tmp_path, "limits: {outstanding: 1, uploads: 2, downloads: 3}\n")
    config = load(
        path,
        environ={"REELSHEET_LIMITS__OUTSTANDING": "4", "REELSHEET_LIMITS__UPLOADS": "5"},
        overrides=["limits.outstanding=6", "limits.outstanding=7"],
    )
    limits = config.limits
    assert (limits.outstanding, limits.uploads, limits.downloads) == (7, 5, 3)
    assert limits.attempts == 3


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{sku}", '{{ row["sku"] | default("") }}'),
        ("'{sku}'", '{{ row["sku"] | default("") }}'),
        ("{key} # 2", '{{ row["key"] | default("") }} # 2'),
        ("{{ key }}: {{ sku | lower }}", "{{ key }}: {{ sku | lower }}"),
        (" 2024 ", "2024"),
        ("*x", "*x"),
        ("no", "no"),
    ],
)
def test_a_text_setting_is_taken_as_text(text: str, name: str) -> None:
    """From the command line and from the environment; YAML's quotes are taken off as ever."""
    assert load(None, environ={}, overrides=[f"output.name={text}"]).output.name == name
    assert load(None, environ={"REELSHEET_OUTPUT__NAME": text}).output.name == name


def test_a_text_setting_can_be_unset() -> None:
    """Null is what YAML calls it."""
    for text in ("null", "~", ""):
        overrides = ["manifest.key=2024", f"manifest.key={text}"]
        assert load(None, environ={}, overrides=overrides).manifest.key is None
    assert load(None, environ={}, overrides=["manifest.key=2024"]).manifest.key == "2024"


def test_the_shorthand_of_names_is_translated_once() -> None:
    """Whoever reads the settings finds one template language, in the default, too."""
    assert Config().output.name == '{{ row["key"] | default("") }}'
    assert (
        Config().output.name == load(None, environ={}, overrides=["output.name={key}"]).output.name
    )
    long = "{key}" * 100
    assert load(None, environ={}, overrides=[f"output.name={long}"]).output.name.count("row") == 100


def test_values_of_variables_and_overrides_are_read_as_yaml() -> None:
    """null, true, sections and quoted texts work as in the file; an empty variable is not set."""
    config = load(
        None,
        environ={
            "REELSHEET_PROVIDER": "toapis",
            "REELSHEET_MANIFEST__COLUMNS": "{Video text: prompt}",
            "REELSHEET_API__MODEL": "",
            "UNRELATED": "x",
        },
        overrides=[
            "api.client_reference=false",
            'defaults.aspect_ratio="9:16"',
            "budget={videos: 5, money: null}",
            "manifest.columns.Photo v1.2=image_1",
        ],
    )
    assert config.provider == "toapis"
    assert config.api.client_reference is False
    assert config.defaults.aspect_ratio == "9:16"
    assert config.budget.videos == 5
    assert config.manifest.columns == {"Video text": "prompt", "Photo v1.2": "image_1"}
    assert config.api.model == "gemini_omni_flash"


def test_all_faults_at_once_with_their_sources(tmp_path: Path) -> None:
    """One look tells everything that is wrong, and where it came from."""
    text = "provider: toapi\nlimits:\n  outstanding: 0\n  uploads: '3'\nsheet: x\n"
    message = _faults(
        text,
        tmp_path,
        "polling.floor_s=-1",
        "nonsense",
        environ={"REELSHEET_LIMITS__DOWNLOADS": "many", "REELSHEET_BUDGET__VIDOES": "1"},
    )
    for expected in (
        "8 faults",
        "config.yaml:1: provider: toapi: must be rehearsal or toapis",
        "config.yaml:3: limits.outstanding: 0: must be a whole number from 1 up to 10000",
        "config.yaml:4: limits.uploads: 3: must be a whole number",
        "config.yaml:5: sheet: is not a setting; did you mean manifest.sheet?",
        "--set: polling.floor_s: -1: must be a number from 0 up to 3600, or null",
        "--set: write dotted.key=value, not nonsense",
        "REELSHEET_LIMITS__DOWNLOADS: limits.downloads: many",
        "REELSHEET_BUDGET__VIDOES: did you mean REELSHEET_BUDGET__VIDEOS?",
    ):
        assert expected in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("limits: {downloads: 1, downloads: 2}", "limits.downloads: is given twice"),
        ("a: &a [x, x]\nb: [*a, *a]", "config.yaml:2: cannot be read as YAML: aliases"),
        ("a: " + "[" * 5000, "nested too deeply"),
        ("defaults:\n  aspect_ratio: 16:9", 'YAML reads 16:9 as the number 969: write "16:9"'),
        ("api: !!python/object:os.system {}", "tags (!name) are not allowed"),
        ("api: [x: !!python/name:os.system ]", "cannot be read as YAML"),
        ("api: {model: !!bool x}", "tags (!name) are not allowed"),
        ("output: {name: 2024-13-45}", "does not allow"),
        ("limits: 5", "limits: is a section"),
        ("- a", "must consist of lines such as"),
        ("provider: [unclosed", "cannot be read as YAML"),
        ("? [a]\n: b", "a key must be a plain name"),
        ("x: \x07", "does not allow"),
        ("manifest: {key: 2024}", "manifest.key: 2024: must be text, or null (write it"),
        ("manifest: {sheet: yes}", "manifest.sheet: true: must be text, or null (write it"),
        ("manifest: {hidden_rows: hide}", "hidden_rows: hide: must be include or skip, or null"),
        ("manifest: {fill_merged: 1}", "manifest.fill_merged: 1: must be true or false"),
        ("manifest: {prompt_template: 'A {{ title '}", "is not a usable template"),
        ("manifest: {prompt_template: \"{{ 'a' * 300000000 }}\"}", "multiplying is not available"),
        ("output: {name: '{{ key.upper() }}'}", "output.name"),
        ("output: {name: '{key'}", "brace without its partner"),
        ("manifest: {columns: {Titel: titel}}", "manifest.columns.Titel: titel: must be"),
        ("manifest: {columns: {a: key, b: key}}", '"a" and "b" both stand for key'),
        ("manifest: {columns: 3}", "manifest.columns: 3: must be lines of the form"),
        ("manifest: {prompt_template: 'A title'}", "names no column"),
        ("manifest: {encoding: klingon}", "manifest.encoding: klingon: is not a known encoding"),
        ("budget: {per_day: {money: 5}}", "per_day.money is a cap that needs price_per_second"),
        ("budget: {per_day: {videos: x}}", "budget.per_day.videos: x: must be a whole number"),
        ("budget: {per_day: {vidoes: 1}}", "did you mean budget.per_day.videos?"),
        ("budget: {per_day: 5}", "budget.per_day: is a section"),
        ("in_doubt: resend", "in_doubt: is not a setting; the sections are: provider, api"),
        ("api: {in_doubt: resend}", "api.in_doubt: resend: this setting is gone"),
        ("api: {in_doubt: resend}", "settle with reelsheet resolve"),
        ("api: {in_doubt: again}", "api.in_doubt: again: this setting is gone"),
        ("api: {in_doubt: {hold: 1}}", "this setting is gone"),
        ("budget: {videos: 0}", "budget.videos: 0: must be a whole number above 0, or null"),
        ("budget: {currency: Euro}", "text of three capital letters"),
        ("defaults: {duration: 5}", "defaults.duration: 5: must be 4, 6 or 10"),
        ("defaults: {duration: true}", "defaults.duration: true"),
        ("defaults: {resolution: 720}", "must be 720P or 1080p"),
        ('defaults: {resolution: 1080p, aspect_ratio: "9:16"}', "exists only with aspect_ratio"),
        ("polling: {deadline_s: .inf}", "polling.deadline_s: inf"),
        ("output: {name: ' '}", "must not be empty"),
        ("api: {base_url: http://toapis.com}", "must begin with https://"),
        ("api: {base_url: toapis.com}", "is not a web address"),
        ("api: {base_url: 'https://toapis.com/docs'}", "nothing after the host but /v1"),
        ("api: {key_env: MY-KEY}", "must be the name of an environment variable"),
    ],
)
def test_faults_are_named(text: str, expected: str, tmp_path: Path) -> None:
    """Whatever is wrong gets a sentence with its path, never a guess and never a traceback."""
    assert expected in _faults(text, tmp_path)


def test_a_setting_that_is_gone_is_ignored_if_it_asks_for_what_happens(tmp_path: Path) -> None:
    """`in_doubt: hold`, which every configuration of earlier versions holds, gets a note."""
    path, notes = tmp_path / "config.yaml", list[str]()
    path.write_text("provider: toapis\napi:\n  in_doubt: hold\n", encoding="utf-8")
    environ, sets = {"REELSHEET_API__IN_DOUBT": "hold"}, ["api.in_doubt=hold"]
    config = load(path, environ=environ, overrides=sets, note=notes.append)
    assert config == Config(provider="toapis")
    gone = "api.in_doubt: this setting is gone and is ignored."
    assert notes == [
        f"{path}:3: {gone}",
        f"environment variable REELSHEET_API__IN_DOUBT: {gone}",
        f"--set: {gone}",
    ]


@pytest.mark.parametrize(
    ("environ", "sets", "source"),
    [
        ({"REELSHEET_API__IN_DOUBT": "resend"}, [], "environment variable REELSHEET_API__IN_DOUBT"),
        ({}, ["api.in_doubt=resend"], "--set"),
    ],
)
def test_a_setting_that_is_gone_and_asks_for_something_else_is_a_fault(
    environ: dict[str, str], sets: list[str], source: str
) -> None:
    """Whoever relied on `resend` is told so before anything is sent, wherever it was given."""
    with pytest.raises(ConfigError) as caught:
        load(None, environ=environ, overrides=sets)
    assert f"{source}: api.in_doubt: resend: this setting is gone" in caught.value.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("provider: toapis\nlimit:\n  uploads: 3\n", ":2: limit: is not a setting"),
        ("provider: toapis\n\n# none\nlimit: {}\n", ":4: limit: is not a setting"),
        ("provider: toapis\nlimit:\n", ":2: limit: is not a setting"),
        ("provider: toapis\nlimits:\n  # none\n  up:\n    a: 3\n", ":4: limits.up: is not"),
        ("provider: toapis\nnames:\n- a\n- b\n", ":2: names: is not a setting"),
        ("limits:\n  uploads:\n    - 3\n", ":2: limits.uploads: [3]"),
        ("limits:\n  - uploads\n", ":1: limits: is a section"),
        ("budget:\n  per_day:\n    videos:\n      0\n", ":3: budget.per_day.videos: 0"),
        ("defaults:\n  aspect_ratio:\n    16:9\n", ":2: defaults.aspect_ratio: YAML reads"),
    ],
)
def test_a_fault_has_the_line_of_its_key(text: str, expected: str, tmp_path: Path) -> None:
    """Neither the line of what stands below it, nor the first of the file."""
    assert f"config.yaml{expected}" in _faults(text, tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "api: {key_env: sk-4f9aSECRETc81}",
        "api: {key_env: a8f5f167f44f4964e6c998dee827110c}",
        "api: {key: sk-4f9aSECRETc81}",
        "api: {model: [sk-4f9aSECRETc81]}",
        "api: {base_url: 'https://me:SECRET@toapis.com'}",
        "api: {key: 'sk-SECRET",
    ],
)
def test_a_pasted_key_is_never_repeated(text: str, tmp_path: Path) -> None:
    """A key that landed in the file stays out of the message."""
    message = _faults(text, tmp_path)
    assert "SECRET" not in message
    assert "a8f5" not in message


def test_an_override_never_repeats_a_key(tmp_path: Path) -> None:
    """Nor does a malformed --set."""
    assert "SECRET" not in _faults("", tmp_path, "sk-SECRET")


@given(st.text("abk:-[]{}&*!<>=|?,'\"# \n\t~%@`0123._\u00e9", max_size=40))
def test_any_text_is_settings_or_a_fault(text: str) -> None:
    """Whatever stands behind --set or in a section, it ends in a Config or a ConfigError."""
    for override in (f"api={text}", f"manifest={text}", f"limits.outstanding={text}", text):
        with contextlib.suppress(ConfigError):
            assert isinstance(load(None, environ={}, overrides=[override]), Config)


@pytest.mark.skipif(os.name != "posix", reason="has no pipes with names")
def test_what_is_no_file_is_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe would wait for its writer for ever: it is refused, also under the usual name."""
    pipe = tmp_path / "config.yaml"
    os.mkfifo(pipe)
    link = tmp_path / "link.yaml"
    link.symlink_to("/dev/zero")
    for path in (pipe, link):
        with pytest.raises(ConfigError, match=r"cannot be read: it is a (pipe|device), not a file"):
            load(path, environ={})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"config\.yaml cannot be read"):
        load_settings()


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing, foreign or huge file is one clear sentence."""
    with pytest.raises(ConfigError, match="There is no configuration file"):
        load(tmp_path / "none.yaml", environ={})
    foreign = tmp_path / "foreign.yaml"
    foreign.write_bytes("provider: r\xe9".encode("latin-1"))
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(foreign, environ={})
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path, environ={})
    foreign.write_bytes(b"#" * 1_000_001)
    with pytest.raises(ConfigError, match="too large"):
        load(foreign, environ={})


def test_an_empty_file_and_empty_sections_are_fine(tmp_path: Path) -> None:
    """A section whose keys are all commented out keeps its defaults."""
    assert load(_file(tmp_path, ""), environ={}) == Config()
    assert load(_file(tmp_path, "limits:\n  # outstanding: 5\n"), environ={}) == Config()


def test_spellings_of_the_resolution(tmp_path: Path) -> None:
    """720p and 1080P are taken and made the provider's spelling."""
    config = load(_file(tmp_path, "defaults: {resolution: 1080P}"), environ={})
    assert config.defaults.resolution == "1080p"


def test_poll_floor() -> None:
    """A null means 5 s at the provider and none in a rehearsal or on this machine."""
    assert Config().poll_floor_s == 0
    live = load(None, environ={}, overrides=["provider=toapis"])
    assert live.poll_floor_s == 5
    for url in ("http://127.0.0.1:8080", "http://localhost:1/v1/", "http://[::1]:80"):
        local = load(None, environ={}, overrides=["provider=toapis", f"api.base_url={url}"])
        assert local.poll_floor_s == 0
    assert load(None, environ={}, overrides=["polling.floor_s=2"]).poll_floor_s == 2


def test_sections_follow_the_design() -> None:
    """The sections stand in the order in which the design shows them."""
    expected = ["api", "limits", "polling", "manifest", "images", "defaults", "output", "budget"]
    expected += ["account", "retry", "outage", "stop", "disk", "http", "pilot", "night", "notify"]
    expected += ["metrics", "log", "review", "fleet"]
    assert [name for name in SECTIONS if "." not in name] == expected


def test_caps_per_day_come_from_every_source(tmp_path: Path) -> None:
    """budget.per_day is set like any other section, by file, environment and --set."""
    config = load(
        _file(tmp_path, "budget: {videos: 9, per_day: {videos: 3, video_seconds: 18}}\n"),
        environ={"REELSHEET_BUDGET__PER_DAY__VIDEO_SECONDS": "24"},
        overrides=["budget.per_day.money=1.5", "budget.price_per_second=0.1"],
    )
    budget = config.budget
    assert budget.videos == 9
    assert budget.per_day.model_dump() == {"videos": 3, "video_seconds": 24, "money": 1.5}
    whole = load(None, environ={}, overrides=["budget.per_day={videos: 2}"]).budget
    assert (whole.videos, whole.per_day.videos) == (None, 2)
    assert load(_file(tmp_path, "budget: {per_day: }\n"), environ={}) == Config()


def test_the_book_of_a_file_lies_beside_the_file(tmp_path: Path) -> None:
    """One configuration means one book, from whichever folder a command is given."""
    path = _file(tmp_path, "account: {book: our.db}\n")
    assert load(path, environ={}).account.book == str(path.parent / "our.db")
    typed = load(path, environ={}, overrides=["account.book=typed.db"])
    assert typed.account.book == "typed.db"
    for book in ("none", "/somewhere/our.db"):
        assert (
            load(_file(tmp_path, f"account: {{book: {book}}}\n"), environ={}).account.book == book
        )


@pytest.mark.parametrize(
    ("text", "said"),
    [("0,10", ": 0.10 with a point"), ("1,5", ": 1.5 with a point"), ("1,000", "")],
)
def test_a_number_with_a_comma_is_named_with_a_point(text: str, said: str, tmp_path: Path) -> None:
    """As most of Europe writes it; what may be a thousand is not guessed at."""
    found = _faults("", tmp_path, f"budget.price_per_second={text}")
    assert found.endswith(f"{text}: must be a number above 0, or null{said}")
