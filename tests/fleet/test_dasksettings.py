"""Dask is set as measured, and no command loads it that does not use it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.fleet.dasksettings import (
    SETTINGS,
    passing_security,
    refuse_lack_of_certificates,
    security_from,
)

LOADED = """
import sys
import pipeline.cli.app, pipeline.runner.lanes, pipeline.runner.session, pipeline.cli.worker
import pipeline.fleet.choice, pipeline.runner.manning
print([one for one in ("dask", "distributed", "tornado", "cryptography") if one in sys.modules])
"""


def test_the_settings_are_known_to_dask() -> None:
    """A name that Dask does not know would change nothing."""
    import dask.config  # noqa: PLC0415
    import distributed  # noqa: F401, PLC0415 - it makes the defaults

    for name in SETTINGS:
        dask.config.get(name)


@pytest.mark.parametrize("role", ["worker", "client"])
def test_an_address_that_asks_for_certificates_is_refused_where_there_are_none(role: str) -> None:
    """Else a worker would end with a traceback, and be started again, for ever."""
    with pytest.raises(ConfigError) as caught:
        refuse_lack_of_certificates("tls://host:8786", role, security_from(None))
    assert "asks for certificates" in caught.value.message
    assert f"DASK_DISTRIBUTED__COMM__TLS__{role.upper()}__KEY" in str(caught.value.action)
    refuse_lack_of_certificates("tcp://127.0.0.1:8786", role, security_from(None))
    refuse_lack_of_certificates("tls://host:8786", role, passing_security())


def test_certificates_that_cannot_be_used_are_told_at_once(tmp_path: Path) -> None:
    """And not looked for as a scheduler that may come is."""
    files = {name: str(tmp_path / name) for name in ("ca_file", "worker_cert", "worker_key")}
    given = {f"tls_{name}": file for name, file in files.items()}
    with pytest.raises(ConfigError, match="ca_file cannot be read: No such file"):
        refuse_lack_of_certificates("tls://host:8786", "worker", security_from(given))
    for file in files.values():
        Path(file).write_text("no certificate\n")
    with pytest.raises(ConfigError, match="no certificate or crl found") as caught:
        refuse_lack_of_certificates("tls://host:8786", "worker", security_from(given))
    assert "DASK_DISTRIBUTED__COMM__TLS__CA_FILE" in str(caught.value.action)


@pytest.mark.process
def test_whoever_has_no_workers_loads_nothing_of_dask() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.strip() == "[]"
