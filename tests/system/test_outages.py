"""A way to the provider that is wrong from the beginning, and the same way when it fails later.

Before the first answered call a run ends at once; after it the run waits `outage.patience_s`, and
says from the first failure on what it waits for and until when.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.harness import invariants, sheets
from tests.system.harness.api import Api, wait_for
from tests.system.harness.network import API_HOST, PASSWORD, USER, Network, network
from tests.system.harness.product import Product

pytestmark = pytest.mark.process

WAITS = re.compile(r"Waiting for the provider to be reached again, until \d\d:\d\d:\d\d: .*")
LONG = {"outage.patience_s": "60"}
SHORT = {"outage.patience_s": "2", "polling.deadline_s": "6"}
OVER = "Over: the run waited for the provider to be reached again."


@pytest.fixture
def outside(tmp_path_factory: pytest.TempPathFactory, api: Api) -> Iterator[Network]:
    """The network, with the emulator behind it."""
    with network(tmp_path_factory.mktemp("network"), api.base_url, api.files_url) as found:
        yield found


@pytest.fixture
def inside(product: Product, outside: Network) -> Product:
    """The product, told of a host that only the proxy knows, with rows that go out one by one."""
    product.sets = {
        "api.base_url": f"https://{API_HOST}",
        "http.ca_file": str(outside.ca_file),
        "limits.submits_in_flight": "1",
        "polling.floor_s": "0.1",
    }
    return product


def want_a_password(outside: Network) -> None:
    outside.mode = "password"


def distrust(outside: Network) -> None:
    outside.trusted = False


def mend(outside: Network) -> None:
    outside.mode, outside.trusted = "open", True


FAULTS = pytest.mark.parametrize(
    ("fail", "said"),
    [
        (want_a_password, "wants a user name and a password, or others than it was given"),
        (distrust, "the certificate of the host is not trusted"),
    ],
    ids=["407", "untrusted"],
)
Fault = Callable[[Network], None]


def without_password(outside: Network) -> dict[str, str]:
    return {"HTTPS_PROXY": f"http://127.0.0.1:{outside.port}"}


def submitted(outside: Network) -> int:
    return sum(path == "/v1/videos/generations" for _, path, _ in outside.calls)


def shop(product: Product, rows: int) -> tuple[Path, Path]:
    manifest = sheets.write(product.folder / "shop.csv", sheets.rows(rows))
    return manifest, product.folder / "outputs" / "shop"


@FAULTS
def test_before_the_first_answer_the_run_ends_at_once(
    inside: Product, outside: Network, fail: Fault, said: str
) -> None:
    """With 5, the reason and the setting; nothing was sent, and nobody waits half an hour."""
    fail(outside)
    manifest, out = shop(inside, 3)
    patient = {"outage.patience_s": "100000"}  # longer than any test may take
    ended = inside("run", manifest, "--yes", sets=patient, env=without_password(outside))
    assert ended.code == 5, ended.err
    assert "the provider cannot be reached, and never was in this run: " in ended.err
    assert said in ended.err
    assert "http.proxy, http.ca_file" in ended.err
    assert "Waiting for" not in ended.err
    assert not outside.calls
    assert set(sheets.states(out).values()) == {"waiting"}


def test_a_name_that_nobody_knows_ends_the_run_at_once(product: Product) -> None:
    """The same for a spelling mistake in the address."""
    manifest, out = shop(product, 2)
    sets = {"api.base_url": "https://no-such-host.invalid", "outage.patience_s": "100000"}
    ended = product("run", manifest, "--yes", sets=sets)
    assert ended.code == 5, ended.err
    assert "the name of the host cannot be resolved" in ended.err
    assert "Waiting for" not in ended.err
    assert set(sheets.states(out).values()) == {"waiting"}


@FAULTS
@pytest.mark.long
@pytest.mark.parametrize("back", [True, False], ids=["comes back", "stays away"])
def test_after_an_answer_it_is_waited_out(
    inside: Product, outside: Network, api: Api, *, fail: Fault, said: str, back: bool
) -> None:
    """It is told what is waited for and until when; then it is over, or the patience is."""
    manifest, out = shop(inside, 6)
    if not back:
        api.faults("query_never_finishing")  # what is paid for is awaited until polling.deadline_s
    log = inside.folder / "err.txt"
    with log.open("w") as err:
        process = inside.start(
            "run",
            manifest,
            "--yes",
            sets=LONG if back else SHORT,
            env=without_password(outside),
            stderr=err,
        )
        wait_for("a submission", lambda: submitted(outside) > 0)
        fail(outside)
        wait_for("the reason", lambda: WAITS.search(log.read_text()))
        before = submitted(outside)
        if back:
            mend(outside)
        ended = inside.end(process)
    text = log.read_text()
    (line,) = WAITS.findall(text)
    assert said in line
    if back:
        assert ended.code == 0, text
        assert OVER in text
        assert set(sheets.states(out).values()) == {"done"}
    else:
        assert ended.code == 5, text
        assert OVER not in text
        assert "stopped: the provider does not answer submissions: " in text
        assert submitted(outside) == before
        assert "waiting" in sheets.states(out).values()
    assert not {"in_doubt", "submitting"} & set(sheets.states(out).values())
    run_log = (out / "run.log").read_text("utf-8")
    assert '"waits_for": "the provider to be reached again"' in run_log
    for secret in (PASSWORD, f"{USER}:"):
        invariants.no_secret(inside, secret)
