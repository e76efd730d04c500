"""`python -m pipeline` is the `reelsheet` command.

The installed command begins here, too. The first process of a container ignores every signal that
it does not handle: SIGTERM is handled before anything else is loaded, which takes a while.
"""

import os
import signal

from pipeline.errors import ExitCode


def _end_at_once(*_: object) -> None:
    """End the process: nothing has begun."""
    os._exit(ExitCode.TERMINATED)


if hasattr(signal, "SIGTERM"):
    signal.signal(signal.SIGTERM, _end_at_once)

from pipeline.cli.app import main  # noqa: E402 - behind the handler

if __name__ == "__main__":
    main()
