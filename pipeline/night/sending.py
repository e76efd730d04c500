"""Give the message of a night to addresses of Apprise: mail, Slack, Telegram and many more.

The services are called by a child process, in which this module is the program: one that hangs
keeps nobody, what it prints or logs goes nowhere, and no code of a service runs beside the API's
key. Addresses hold passwords: no sentence repeats one; they are named by where they stand.

Tested in tests/night/test_sending.py.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline.config.nights import Notify
from pipeline.disk.failures import explain_os_error
from pipeline.disk.openfile import read_regular
from pipeline.process.children import Child, Died, NotStarted, TookTooLong
from pipeline.process.confinement import READY, confine, end_with_input

_INSTALL = 'Install it: pip install "reelsheet[notify]"'
_LARGEST_BYTES = 100_000
_LARGEST_CA_BYTES = 10_000_000
_OTHERS_MAY_READ = 0o077
_MOST_SAID_BYTES = 100_000
_MEMORY_BYTES = 1024**3


@dataclass(frozen=True, slots=True)
class Address:
    """An address of Apprise; `place` says where it stands, as in "address 2 of notify.urls_env"."""

    place: str
    url: str = field(repr=False)


def read_addresses(
    notify: Notify, environ: Mapping[str, str]
) -> tuple[tuple[Address, ...], list[str]]:
    """Return the addresses that the settings lead to, and what is wrong with them, in sentences."""
    found: list[Address] = []
    said: list[str] = []
    if notify.urls_env is not None:
        text = environ.get(notify.urls_env, "")
        if not text.strip():
            said.append(f"notify.urls_env: the environment variable {notify.urls_env} is not set")
        found += _addresses(text.split(), "notify.urls_env", said)
    if notify.urls_file is not None:
        lines = _lines_of(Path(notify.urls_file), said)
        found += _addresses(lines, "notify.urls_file", said)
    if found and find_spec("apprise") is None:
        return (), [*said, f"{_settings_of(notify)}: Apprise is not installed. {_INSTALL}"]
    return tuple(found), said


def send(
    addresses: Sequence[Address],
    title: str,
    text: str,
    *,
    bad: bool,
    environ: Mapping[str, str],
    ca_file: str | None,
    limit_s: float,
) -> list[str]:
    """Give the message to all addresses at once; return who could not be told, in sentences.

    Args:
        addresses: Where it goes.
        title: What it is about.
        text: The message, as plain text.
        bad: Whether something went wrong: services colour it so.
        environ: What the services find in their environment, such as a proxy.
        ca_file: A file of certificates that are trusted, too; None for no others than usual.
        limit_s: How long they have, all together.

    """
    environ = dict(environ)
    order = {
        "urls": [one.url for one in addresses],
        "title": title,
        "text": text,
        "bad": bad,
        "environ": environ,
    }
    left = dict(enumerate(one.place for one in addresses))
    said = []
    fault = f"no answer within {limit_s:.0f} s"
    try:
        with _trusted(ca_file) as trusted, Child(__name__, limit_s=limit_s) as child:
            environ |= trusted
            child.give(json.dumps(order).encode() + b"\n")
            for line in child.lines(_MOST_SAID_BYTES):
                number, answer = json.loads(line)
                place = left.pop(number)
                if answer is not None:
                    said.append(f"{place}: {answer}")
                if not left:
                    break
    except TookTooLong:
        pass
    except (NotStarted, Died, OSError) as error:
        fault = f"Apprise ended: {error}"
    return [*said, *(f"{place}: {fault}" for place in left.values())]


@contextlib.contextmanager
def _trusted(ca_file: str | None) -> Iterator[dict[str, str]]:
    """Yield what has services trust certificates beside those that they trust anyway."""
    if ca_file is None:
        yield {}
        return
    import certifi  # noqa: PLC0415 - it comes with Apprise

    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder, "trusted.pem")
        usual = Path(certifi.where()).read_bytes()
        bundle.write_bytes(usual + b"\n" + read_regular(Path(ca_file), _LARGEST_CA_BYTES))
        yield dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"), str(bundle))


def _settings_of(notify: Notify) -> str:
    given = {"notify.urls_env": notify.urls_env, "notify.urls_file": notify.urls_file}
    return " and ".join(name for name, value in given.items() if value is not None)


def _lines_of(path: Path, said: list[str]) -> list[str]:
    """Return the lines of the file with the addresses, without comments."""
    where = f"notify.urls_file: {path}"
    try:
        content = read_regular(path, _LARGEST_BYTES)
        if os.name == "posix" and path.stat().st_mode & _OTHERS_MAY_READ:
            said.append(f"{where} can be read by other users: chmod 600 keeps it to you")
    except OSError as error:
        said.append(f"{where} cannot be read: {explain_os_error(error)}")
        return []
    if len(content) > _LARGEST_BYTES:
        said.append(f"{where} is too large for a list of addresses")
        return []
    lines = (one.strip() for one in content.decode("utf-8-sig", "replace").splitlines())
    return [one for one in lines if one and not one.startswith("#")]


def _addresses(texts: Sequence[str], setting: str, said: list[str]) -> list[Address]:
    found = []
    for number, text in enumerate(texts, start=1):
        place = f"address {number} of {setting}"
        if "://" in text and text.isprintable():
            found.append(Address(place, text))
        else:
            said.append(f"{place} is none: write for example mailto://user:password@example.com")
    return found


# The child.


def serve() -> None:
    """Give the message to all addresses, and say of each what came of it."""
    confine(memory_bytes=_MEMORY_BYTES)
    with os.fdopen(os.dup(1), "wb", buffering=0) as parent:  # the pipe that the parent reads
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a service prints
        parent.write(READY)
        order = json.loads(sys.stdin.buffer.readline())
        end_with_input()
        os.environ.update(order["environ"])
        answers = threading.Lock()

        def answer(number: int, fault: str | None) -> None:
            with answers:
                parent.write(json.dumps([number, fault]).encode() + b"\n")

        _tell_all(order, answer)


def _tell_all(order: dict[str, Any], answer: Callable[[int, str | None], None]) -> None:
    from apprise import Apprise, AppriseAsset, OverflowMode  # noqa: PLC0415 - it is an extra

    asset = AppriseAsset(app_id="Reelsheet", storage_mode="memory", async_mode=False)

    def tell(number: int, service: Apprise) -> None:
        name = service[0].service_name
        try:
            told = service.notify(
                body=order["text"],
                title=order["title"],
                notify_type="failure" if order["bad"] else "info",
                body_format="text",
            )
        except Exception as error:  # noqa: BLE001 - whatever a service makes of the message
            answer(number, f"{name} failed with {type(error).__name__}")
            return
        answer(number, None if told else f"{name} did not take the message, or cannot be reached")

    threads = []
    for number, url in enumerate(order["urls"]):
        service = Apprise(asset=asset)
        if not service.add(url) or len(service) != 1:
            answer(number, "Apprise knows no such address")
            continue
        if "overflow=" not in url:
            service[0].overflow_mode = OverflowMode.TRUNCATE  # what matters most comes first
        threads.append(threading.Thread(target=tell, args=(number, service), daemon=True))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
