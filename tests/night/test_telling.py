"""A webhook and a dead man's switch are told how a night went; none of it can spoil a night."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from pipeline.config.loading import load
from pipeline.config.nights import Notify
from pipeline.errors import ConfigError
from pipeline.network import read_network
from pipeline.night.notice import Notice
from pipeline.night.telling import Telling, Way
from tests.night.receiver import Receiver, serving

SAID = Notice("a title", "a text")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server, serving(server):
        yield server


def telling(said: list[str], *, most_s: float = 20.0, **given: str) -> Telling:
    return Telling(Notify.model_validate(given), {}, said.append, most_s=most_s)


def test_the_switch_and_the_webhook_are_told(receiver: Receiver) -> None:
    """The webhook gets night.json, the message under "text" and its title under "title"."""
    said: list[str] = []
    both = telling(said, webhook=receiver.address, ping=receiver.address)
    both.begin()
    both.end({"schema": 1}, Notice("Grüße", "aus der Nacht"), well=True)
    both.end({}, None, well=False)
    gets = [(way, path) for way, path, _ in receiver.got if way == "GET"]
    assert gets == [("GET", "/abc/start"), ("GET", "/abc"), ("GET", "/abc/fail")]
    [posted] = [one for one in receiver.got if one[0] == "POST"]
    told = {"schema": 1, "title": "Grüße", "text": "Grüße\n\naus der Nacht"}
    assert posted == ("POST", "/abc", told)
    assert said == []


def test_what_cannot_be_told_is_said_without_its_address(receiver: Receiver) -> None:
    """It may be a secret; the night goes on."""
    said: list[str] = []
    receiver.status = 500
    telling(said, webhook=receiver.address).end({}, SAID, well=True)
    telling(said, ping="http://127.0.0.1:1/secret").begin()
    telling(said, ping="http://127.0.0.1:1/sec\tret").begin()
    assert len(said) == 3
    assert said[0].startswith("warning: nobody could be told by notify.webhook: HTTP Error 500")
    assert "notify.ping" in said[1]
    assert "sec" not in f"{said[1]} {said[2]}"
    nobody = telling(said)
    nobody.begin()
    nobody.end({}, SAID, well=True)
    assert len(said) == 3


def test_nobody_is_waited_for_who_drips(receiver: Receiver) -> None:
    """A receiver that begins an answer and never ends it keeps the night for a while, no longer."""
    said: list[str] = []
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/s3cret"
        slow = telling(said, webhook=receiver.address, ping=address, most_s=1.0)
        slow.end({}, SAID, well=True)
    assert said == [
        "warning: nobody could be told by all that is set under notify: no answer within 1 s"
    ]
    assert [way for way, _, _ in receiver.got] == ["POST"]


def test_a_proxy_is_that_of_the_calls() -> None:
    """Programs of others know the proxy by their environment."""
    environ = {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "example.com,.local"}
    network = read_network(load(None, environ={}, overrides=["provider=toapis"]), environ)
    told = Way(network).environ
    assert told == {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "example.com,.local"}
    assert Way().environ == {}


@pytest.mark.parametrize("address", ["a.example/s3cret", "file:///etc/hosts", "https://a b", ""])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match=r"notify\.webhook") as caught:
        load(None, environ={}, overrides=[f"notify.webhook={address or '7'}"])
    assert "s3cret" not in str(caught.value)
