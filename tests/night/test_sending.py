"""Addresses of Apprise get the message; none of them can spoil a night, or is ever repeated."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.config.nights import Notify
from pipeline.night.sending import Address, read_addresses, send
from tests.night.receiver import Postbox, Receiver, serving


def give(*urls: str, bad: bool = False, limit_s: float = 30.0) -> list[str]:
    addresses = [Address(f"address {number}", url) for number, url in enumerate(urls, start=1)]
    return send(
        addresses,
        "Reelsheet: 2 rows need you",
        "a.csv: 2 failed\n  Größe & <Farbe>",
        bad=bad,
        environ={},
        ca_file=None,
        limit_s=limit_s,
    )


@pytest.mark.process
def test_services_get_title_and_text_and_those_that_fail_are_named_without_their_address() -> None:
    """A post of JSON and a mail come; a host that refuses and an unknown service are said."""
    with Receiver() as receiver, serving(receiver), Postbox() as post, serving(post):
        said = give(
            f"json://127.0.0.1:{receiver.server_port}/s3cret",
            "json://127.0.0.1:1/s3cret",
            "nosuch://s3cret",
            post.address,
            bad=True,
        )
    assert sorted(said) == [
        "address 2: JSON did not take the message, or cannot be reached",
        "address 3: Apprise knows no such address",
    ]
    [(_, path, posted)] = receiver.got
    assert (path, posted["type"]) == ("/s3cret", "failure")
    assert posted["title"] == "Reelsheet: 2 rows need you"
    assert posted["message"] == "a.csv: 2 failed\n  Größe & <Farbe>"
    [mail] = post.mails
    assert mail["Subject"] == "Reelsheet: 2 rows need you"
    body = mail.get_body()
    assert body is not None
    assert "a.csv: 2 failed" in body.get_content()


@pytest.mark.process
@pytest.mark.long
def test_a_service_that_never_answers_is_not_waited_for() -> None:
    """Whatever time its address asks for; the others are told."""
    with socket.socket() as silent, Receiver() as receiver, serving(receiver):
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        waits = f"json://127.0.0.1:{silent.getsockname()[1]}/?cto=500&rto=500"
        told = f"json://127.0.0.1:{receiver.server_port}/abc"
        assert give(waits, told, limit_s=10.0) == ["address 1: no answer within 10 s"]
    assert len(receiver.got) == 1


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "urls.txt"
    path.write_text("# the team\n\nmailto://u:s3cret@example.com\n  s3cret words\n", "utf-8")
    path.chmod(0o600)
    return path


def places(found: Sequence[Address]) -> list[str]:
    return [one.place for one in found]


def test_addresses_come_from_a_variable_and_from_a_file(listed: Path) -> None:
    """What is no address is said by its place; neither shows what it holds."""
    notify = Notify(urls_env="TELL", urls_file=str(listed))
    found, said = read_addresses(notify, {"TELL": "json://a/s3cret\n  slack://b/c/d x"})
    assert places(found) == [
        "address 1 of notify.urls_env",
        "address 2 of notify.urls_env",
        "address 1 of notify.urls_file",
    ]
    assert [one.split(" is none")[0] for one in said] == [
        "address 3 of notify.urls_env",
        "address 2 of notify.urls_file",
    ]
    assert "s3cret" not in f"{found} {said}"


@pytest.mark.skipif(os.name != "posix", reason="no such rights")
def test_a_file_that_others_can_read_is_said(listed: Path) -> None:
    listed.chmod(0o644)
    found, said = read_addresses(Notify(urls_file=str(listed)), {})
    assert len(found) == 1
    assert "chmod 600 keeps it to you" in said[0]


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    notify = Notify(urls_env="TELL", urls_file=str(tmp_path / "gone"))
    found, said = read_addresses(notify, {})
    assert found == ()
    assert said[0] == "notify.urls_env: the environment variable TELL is not set"
    assert said[1].startswith(f"notify.urls_file: {tmp_path / 'gone'} cannot be read: ")
    assert read_addresses(Notify(), {}) == ((), [])


def test_without_the_extra_one_sentence_names_it(
    listed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    found, said = read_addresses(Notify(urls_file=str(listed)), {})
    assert found == ()
    install = 'Apprise is not installed. Install it: pip install "reelsheet[notify]"'
    assert said[-1] == f"notify.urls_file: {install}"
