"""Where the review page is served: on this machine alone, or under an address of its network.

Tested in tests/review/test_server.py.
"""

from __future__ import annotations

import ipaddress
import os
import socket

from pipeline.errors import UsageError

_HERE = "127.0.0.1"
_PORT_OF_HTTP = 80
_WAITING = 64


def listen(host: str | None, port: int) -> tuple[socket.socket, str]:
    """Return an open listener, and the host and port as browsers say them.

    Args:
        host: an address or a name of this machine in its network; None for this machine alone.
        port: its port; 0 for any that is free.

    Raises:
        UsageError: Nothing can listen there.

    """
    family, place = _find(host or _HERE)
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let two programs have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((place, port))
        listener.listen(_WAITING)
        listener.setblocking(False)
    except (OSError, OverflowError) as error:
        listener.close()
        where = f"port {port} of this machine" if host is None else f"{host}, port {port},"
        raise UsageError(
            f"{where} cannot be used: {error}.",
            action="Name another one with --port, or none for any that is free."
            if host is None
            else "Name an address of this machine with --host, and a free port with --port.",
        ) from error
    number = listener.getsockname()[1]
    said = f"[{place}]" if family == socket.AF_INET6 and host == place else (host or _HERE).lower()
    return listener, said if number == _PORT_OF_HTTP else f"{said}:{number}"


def _find(host: str) -> tuple[socket.AddressFamily, str]:
    """Return the address of a host, and of which kind it is."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"--host {host}: no such address or name is known here.",
            action="Name an address of this machine in its network, such as 192.168.1.20.",
        ) from error
    family, _, _, _, place = found[0]
    if ipaddress.ip_address(str(place[0]).partition("%")[0]).is_unspecified:
        raise UsageError(
            f"--host {host} stands for every network of this machine.",
            action="Name the address by which the others reach it, such as 192.168.1.20: the page "
            "answers to that one alone.",
        )
    return family, str(place[0])
