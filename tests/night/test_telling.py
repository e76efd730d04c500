"""A webhook and a dead man's switch are told how a night went; none of it can spoil a night."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.config.loading import load
from pipeline.errors import ConfigError
from pipeline.night.telling import Telling
from tests.night.receiver import Receiver, serving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server, serving(server):
        yield server


def test_the_switch_and_the_webhook_are_told(receiver: Receiver) -> None:
    """The webhook gets night.json, and the message under "text"."""
    said: list[str] = []
    telling = Telling(receiver.address, receiver.address, said.append)
    telling.begin()
    telling.notify({"schema": 1}, "Grüße")
    telling.end(well=True)
    telling.end(well=False)
    assert receiver.got == [
        ("GET", "/abc/start", None),
        ("POST", "/abc", {"schema": 1, "text": "Grüße"}),
        ("GET", "/abc", None),
        ("GET", "/abc/fail", None),
    ]
    assert said == []


def test_what_cannot_be_told_is_said_without_its_address(receiver: Receiver) -> None:
    """It may be a secret; the night goes on."""
    said: list[str] = []
    receiver.status = 500
    Telling(receiver.address, None, said.append).notify({}, "")
    Telling(None, "http://127.0.0.1:1/secret", said.append).begin()
    assert len(said) == 2
    assert said[0].startswith("warning: nobody could be told by notify.webhook: HTTP Error 500")
    assert "notify.ping" in said[1]
    assert "secret" not in said[1]
    nobody = Telling(None, None, said.append)
    nobody.begin()
    nobody.end(well=True)
    nobody.notify({}, "")
    assert len(said) == 2


@pytest.mark.parametrize("address", ["example.com/hook", "file:///etc/hosts", "https://a b", ""])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match=r"notify\.webhook"):
        load(None, environ={}, overrides=[f"notify.webhook={address or '7'}"])
