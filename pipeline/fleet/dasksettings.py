"""The settings of Dask that Reelsheet needs, each measured; and connections that others cannot use.

Nothing of Dask is loaded before `load` is called. Tested in tests/fleet/test_dasksettings.py.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.disk.failures import explain_os_error
from pipeline.disk.openfile import read_regular
from pipeline.errors import ConfigError
from pipeline.fleet.choice import refuse_lack_of_libraries

if TYPE_CHECKING:
    from distributed.security import Security

RESOURCE = "reelsheet"
"""What a worker has as many of as it has slots; who has none is nobody's worker of ours."""
NOTICE = "reelsheet"
"""The name under which a run tells its version and its place to whoever joins."""
CONNECT_S = 5

SETTINGS: dict[str, Any] = {
    "distributed.scheduler.worker-ttl": "30s",  # a frozen worker is found; 5 min are too long
    "distributed.comm.timeouts.connect": f"{CONNECT_S}s",  # results that are lost: 2 s, not 30
    "distributed.scheduler.no-workers-timeout": "5m",  # else a fleet without fit workers hangs
    "distributed.scheduler.allowed-failures": 3,
    "distributed.scheduler.work-stealing": False,  # nothing waits in line that could be stolen
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.worker.profile.enabled": False,
    "distributed.worker.http.routes": ["distributed.http.health"],
    "distributed.scheduler.http.routes": ["distributed.http.health"],
    "distributed.admin.low-level-log-length": 100,
    "distributed.nanny.environ": {},
    "distributed.nanny.pre-spawn-environ": {},
}
_LONGEST_PEM_BYTES = 1_000_000
_TLS = ("tls_ca_file", "tls_client_cert", "tls_client_key", "tls_worker_cert", "tls_worker_key")


def load(*, logs: str = "critical") -> None:
    """Make Dask ready to be imported with our settings; raises ConfigError if it is not installed.

    `logs` is the level of what it writes to standard error.
    """
    refuse_lack_of_libraries()
    os.environ.pop("MALLOC_TRIM_THRESHOLD_", None)  # costs 10 to 19 ms a video
    import dask.config  # noqa: PLC0415 - takes a while

    levels = ("distributed", "distributed.client", "tornado", "tornado.application", "asyncio")
    ours = {name: one for name, one in SETTINGS.items() if variable(name) not in os.environ}
    # Set before the import, which makes the loggers.
    dask.config.set({"logging": dict.fromkeys(levels, logs), **ours})


def variable(name: str) -> str:
    """Return the environment variable by which a person sets a setting of Dask otherwise."""
    return "DASK_" + name.replace(".", "__").replace("-", "_").upper()


def passing_security() -> Security:
    """Return a certificate that lasts as long as a run: only its own processes have it."""
    from distributed.security import Security  # noqa: PLC0415 - takes a while

    security: Security = Security.temporary()
    return security


def hand_on(security: Security) -> dict[str, str]:
    """Return what a worker of this machine needs of a passing certificate."""
    return {name: str(getattr(security, name)) for name in _TLS}


def security_from(handed: dict[str, str] | None) -> Security:
    """Return the certificates of a worker: those handed on, or those of Dask's own settings."""
    from distributed.security import Security  # noqa: PLC0415 - takes a while

    if handed is None:
        return Security()
    return Security(require_encryption=True, **handed)


def refuse_lack_of_certificates(address: str, role: str, security: Security) -> None:
    """Raise ConfigError where an address asks for certificates, and none can be had.

    Dask itself would raise a TypeError or an OSError, for as long as it is tried. `role` is worker
    or client.
    """
    if not address.startswith("tls://"):
        return
    names = ("ca-file", f"{role}.cert", f"{role}.key")
    listed = ", ".join(variable(f"distributed.comm.tls.{name}") for name in names)
    see = f'{listed}; see docs/scale.md, "Secrets of workers".'
    settings = ("tls_ca_file", f"tls_{role}_cert", f"tls_{role}_key")
    for file in filter(None, (getattr(security, name) for name in settings)):
        try:
            if "\n" not in file:  # else it is the certificate itself
                read_regular(Path(file), _LONGEST_PEM_BYTES)
        except (OSError, ValueError) as error:
            reason = explain_os_error(error) if isinstance(error, OSError) else str(error)
            raise ConfigError(
                f"{file} cannot be read: {reason}.", action=f"Correct {see}"
            ) from error
    try:
        known = security.get_connection_args(role)["ssl_context"]
    except ssl.SSLError as error:
        reason = (error.reason or "they are damaged").replace("_", " ").lower()
        raise ConfigError(
            f"The certificates in the settings of Dask cannot be used: {reason}.",
            action=f"Correct {see}",
        ) from error
    if known is None:
        raise ConfigError(
            f"{address} asks for certificates, and the settings of Dask name none.",
            action=f"Set {see}",
        )
