"""Runs behind a proxy and a firewall that opens encrypted connections; keys out of files."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

from tests.system.harness import invariants, sheets
from tests.system.harness.api import KEY, Api, wait_for
from tests.system.harness.network import (
    API_HOST,
    FILES_HOST,
    PASSWORD,
    USER,
    Network,
    network,
)
from tests.system.harness.product import Product, interrupt

pytestmark = pytest.mark.process
QUICK = {"polling.floor_s": "0.1", "api.base_url": f"https://{API_HOST}"}


@pytest.fixture
def outside(tmp_path_factory: pytest.TempPathFactory, api: Api) -> Iterator[Network]:
    """The network, with the emulator behind it."""
    with network(tmp_path_factory.mktemp("network"), api.base_url, api.files_url) as found:
        yield found


@pytest.fixture
def inside(product: Product) -> Product:
    """The product, told of a host that only the proxy knows."""
    product.sets = QUICK
    return product


def manifest_of(product: Product, name: str, *, rows: int = 2) -> tuple[Path, Path]:
    """Write a manifest, its first row with a picture; return it and its output folder."""
    Image.new("RGB", (640, 360), "teal").save(product.folder / "mug.png")
    lines = [f"{name}-{number},{name} {number}," for number in range(rows)]
    lines[0] += "mug.png"
    path = product.folder / f"{name}.csv"
    path.write_text("\n".join(["sku,prompt,image_1", *lines]) + "\n", "utf-8")
    return path, product.folder / "outputs" / name


def through(outside: Network, how: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return settings and variables that lead through the proxy and trust the certificates."""
    ca = {"http.ca_file": str(outside.ca_file)}
    match how:
        case "HTTPS_PROXY":
            return ca, {"HTTPS_PROXY": outside.proxy}
        case "https_proxy":
            return ca, {"https_proxy": outside.proxy.removeprefix("http://"), "HTTPS_PROXY": "x"}
        case "http.proxy":
            return ca, {"REELSHEET_HTTP__PROXY": outside.proxy, "NO_PROXY": "*"}
        case _:
            return {}, {"HTTPS_PROXY": outside.proxy, "SSL_CERT_FILE": str(outside.ca_file)}


@pytest.mark.parametrize("how", ["HTTPS_PROXY", "https_proxy", "http.proxy", "SSL_CERT_FILE"])
def test_a_run_through_a_proxy(inside: Product, outside: Network, how: str) -> None:
    """Calls, uploads and downloads take the tunnel; the proxy never sees the key, nor they its own.

    What the proxy wants to be told stands in no file and in no line.
    """
    outside.mode = "password"
    manifest, out = manifest_of(inside, how.replace(".", "-"))
    sets, env = through(outside, how)
    ended = inside("run", manifest, "--yes", sets=sets, env=env)
    assert ended.code == 0, ended.err
    assert set(sheets.states(out).values()) == {"done"}
    assert outside.asked == {f"{API_HOST}:443", f"{FILES_HOST}:443"}
    assert KEY.encode() not in outside.seen
    assert b"Authorization: Bearer" not in outside.seen
    kinds = {(host, known) for host, _, known in outside.calls}
    assert kinds == {(API_HOST, True), (FILES_HOST, False)}
    assert {"/v1/uploads/images", "/v1/videos/generations"} <= {one[1] for one in outside.calls}
    for secret in (KEY, PASSWORD, f"{USER}:"):
        invariants.no_secret(inside, secret)


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("password", "wants a user name and a password"),
        ("refuse", "refuses to connect to the host (HTTP 403)"),
        ("drop", "cannot be reached, or broke the connection"),
        ("hang up", "cannot be reached, or broke the connection"),
        ("gone", "cannot be reached, or broke the connection"),
    ],
)
def test_a_proxy_that_lets_nothing_through(
    inside: Product, outside: Network, mode: str, said: str
) -> None:
    """It is named with the setting, nothing was sent, and no row is in doubt."""
    outside.mode = mode
    manifest, out = manifest_of(inside, mode)
    proxy = f"http://127.0.0.1:{9 if mode == 'gone' else outside.port}"
    log = inside.folder / "err.txt"
    with log.open("w") as err:
        sets = {"http.ca_file": str(outside.ca_file)}
        process = inside.start(
            "run", manifest, "--yes", "-v", sets=sets, env={"HTTPS_PROXY": proxy}, stderr=err
        )
        wait_for("the proxy's name", lambda: said in log.read_text() or process.poll() is not None)
        # A wrong password ends the run by itself; the others are waited for.
        if mode != "password" and process.poll() is None:
            interrupt(process, signal.SIGINT)
        ended = inside.end(process)
    text = log.read_text()
    assert said in text
    assert f"the proxy {urlsplit(proxy).netloc} (the environment variable HTTPS_PROXY)" in text
    assert ended.code in {4, 5, 130}
    assert not outside.calls
    assert set(sheets.states(out).values()) == {"waiting"}


def test_a_certificate_that_nobody_vouches_for(inside: Product, outside: Network) -> None:
    """Nothing is sent, and the setting that helps is named."""
    manifest, out = manifest_of(inside, "untrusted")
    log = inside.folder / "err.txt"
    with log.open("w") as err:
        env = {"HTTPS_PROXY": outside.proxy}
        process = inside.start("run", manifest, "--yes", "-v", env=env, stderr=err)
        wait_for("the reason", lambda: "http.ca_file" in log.read_text() or process.poll())
        if process.poll() is None:
            interrupt(process, signal.SIGINT)
        inside.end(process)
    assert "the certificate of the host is not trusted" in log.read_text()
    assert not outside.calls
    assert set(sheets.states(out).values()) == {"waiting"}


@pytest.mark.parametrize(
    ("sets", "env", "said"),
    [
        ({"http.ca_file": "no.pem"}, {}, "http.ca_file: no.pem cannot be read"),
        ({"http.ca_file": "mug.png"}, {}, "http.ca_file: mug.png holds no certificate"),
        ({}, {"HTTPS_PROXY": "socks5://127.0.0.1:1"}, "variable HTTPS_PROXY is a SOCKS proxy"),
        ({}, {"https_proxy": "http://pass-w0rd@"}, "variable https_proxy is not the address of a"),
        ({"http.proxy": "http://me:pass-w0rd@host/x"}, {}, "must be the address of the proxy only"),
        ({"http.proxy": "''"}, {}, "http.proxy"),
    ],
)
def test_a_way_out_that_cannot_be_taken(
    inside: Product, sets: Mapping[str, str], env: Mapping[str, str], said: str
) -> None:
    """Exit code 2 before anything is made or sent, in a run and in the next one."""
    manifest, out = manifest_of(inside, "wrong")
    ended = inside("run", manifest, "--yes", sets=sets, env=env)
    assert ended.code == 2, ended.err
    assert said in ended.err
    assert "pass-w0rd" not in ended.err
    assert not (out / "journal.db").exists()


def test_this_machine_is_never_reached_through_a_proxy(product: Product) -> None:
    """Neither by the variables nor by the setting: nothing listens there."""
    dead = "http://127.0.0.1:9"
    for number, (sets, env) in enumerate(
        [({}, {"HTTPS_PROXY": dead, "HTTP_PROXY": dead}), ({"http.proxy": dead}, {})]
    ):
        manifest, out = manifest_of(product, f"local{number}")
        ended = product("run", manifest, sets=sets, env=env)
        assert ended.code == 0, ended.err
        assert set(sheets.states(out).values()) == {"done"}


@pytest.mark.parametrize("place", ["TOAPIS_API_KEY_FILE", "CREDENTIALS_DIRECTORY"])
def test_the_key_in_a_file(
    product: Product, tmp_path_factory: pytest.TempPathFactory, place: str
) -> None:
    """With a line break at its end, as editors leave it; it goes to the API and nowhere else."""
    folder = tmp_path_factory.mktemp("secrets")
    file = folder / "toapis_key"
    file.write_text(f"{KEY}\n", "utf-8")
    file.chmod(0o600)
    product.key = None
    manifest, out = manifest_of(product, f"of-{place.lower()}")
    env = {place: str(file if place.endswith("_FILE") else folder)}
    ended = product("run", manifest, env=env)
    assert ended.code == 0, ended.err
    assert "the key" not in ended.err
    assert set(sheets.states(out).values()) == {"done"}
    invariants.no_secret(product, KEY)


def test_what_is_said_of_a_key_in_a_file(
    product: Product, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """That others can read it; that another one is used; or that it holds no key, with 2."""
    file = tmp_path_factory.mktemp("secrets") / "key.txt"
    file.write_text(KEY, "utf-8")
    env = {"TOAPIS_API_KEY_FILE": str(file)}
    if os.name == "posix":
        file.chmod(0o644)
        product.key = None
        ended = product("run", manifest_of(product, "open")[0], env=env)
        assert ended.code == 0, ended.err
        assert f"Other users of this machine can read the key in {file}" in ended.err
    product.key = KEY
    file.write_text("sk-another-key-of-somebody", "utf-8")
    ended = product("run", manifest_of(product, "other")[0], env=env)
    assert ended.code == 0, ended.err
    assert f"the file {file} (TOAPIS_API_KEY_FILE) holds another one" in ended.err
    product.key = None
    file.write_text(f"{KEY}\n{KEY}\n", "utf-8")
    manifest, out = manifest_of(product, "lines")
    ended = product("run", manifest, env=env)
    assert ended.code == 2
    assert f"The file {file} (TOAPIS_API_KEY_FILE) holds several lines." in ended.err
    assert not (out / "journal.db").exists()
    invariants.no_secret(product, "sk-another-key-of-somebody")
    invariants.no_secret(product, KEY)
