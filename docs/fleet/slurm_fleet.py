"""Workers as jobs of Slurm, by dask-jobqueue.

    python slurm_fleet.py tls://login.example:8786 8

Starts the scheduler on this machine, at the address by which the jobs reach it, and so many jobs.
It ends with Ctrl-C, and they with it. The certificates are those of Dask's settings.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from typing import Any
from urllib.parse import urlsplit

import dask
from dask_jobqueue import SLURMCluster
from dask_jobqueue.slurm import SLURMJob
from distributed import Security

SETTINGS = {
    "distributed.scheduler.worker-ttl": "30s",
    "distributed.scheduler.no-workers-timeout": "5m",
    "distributed.comm.timeouts.connect": "5s",
}
CORES, MEMORY, WALLTIME = 4, "3GB", "12:00:00"


class WorkerJob(SLURMJob):
    """A job that is a worker of Reelsheet: Dask's own would get no videos."""

    def __init__(self, *args: Any, **more: Any) -> None:
        """Make the job, and have it start a worker of ours."""
        super().__init__(*args, **more)
        command = f'reelsheet worker {self.scheduler} --slots 8 --scratch "$TMPDIR/reelsheet"'
        self._command_template = f'export TMPDIR="${{TMPDIR:-/tmp}}"; exec {command}'


class WorkerCluster(SLURMCluster):
    """A scheduler here, and jobs of Slurm that work for it."""

    job_cls = WorkerJob


def make_cluster(address: str) -> WorkerCluster:
    """Return the scheduler at an address, without any job yet."""
    dask.config.set(SETTINGS)
    at = urlsplit(address)
    return WorkerCluster(
        cores=CORES,
        job_name="reelsheet",
        processes=1,
        memory=MEMORY,
        walltime=WALLTIME,
        protocol=f"{at.scheme}://",
        security=Security(),
        scheduler_options={"contact_address": address, "port": at.port, "dashboard": False},
    )


if __name__ == "__main__":
    with make_cluster(sys.argv[1]) as cluster:
        cluster.scale(jobs=int(sys.argv[2]))
        print(f"fleet.scheduler: {sys.argv[1]}")  # noqa: T201 - what config.yaml says
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
