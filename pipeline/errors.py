"""Every failure a person can meet, each with its exit code and what to do about it.

    ReelsheetError
    |-- UsageError                2   bad usage, configuration or manifest; nothing was sent
    |   |-- ConfigError
    |   +-- ManifestError
    |-- RunLocked                75   another run holds the lock
    |-- InternalError            70   a fault of the program
    |-- Unfinished                5   run again as it is
    |   +-- StoreError                the disk or the output folder does not take what is written
    |       +-- JournalDamaged            what is paid for is in it: it has to be restored
    |-- ProviderError                 the API's answer to a call is not what was asked for
    |   |-- Unauthorized          4   401
    |   |-- OutOfCredit           4   402, or a quota that is used up
    |   |-- Refused                   a definite no to this one call
    |   |-- Throttled                 429: not accepted, wait and call again
    |   |-- NotSent                   nothing left this machine
    |   |-- Unclear                   sent, and no clear answer: the money may be spent
    |   |-- NoSuchTask                the provider does not know this task (yet)
    |   +-- Unreachable               a repeatable call failed on the way: call again
    |-- Withheld                      the account's book kept a submission back: nothing was sent
    +-- DownloadError
        |-- LinkDead                  the URL is refused: ask for a fresh one
        |-- TransferBroken            broke on the way: resume
        +-- BadVideo                  came whole, and is not a playable video
            +-- VideoTooLarge             more bytes than its seconds justify

Messages hold no key and no signed URL. The API's messages come in several languages, so no decision
depends on their words.

Tested in tests/test_docs.py, which holds the documented exit codes to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

WITHOUT_PIP = 'Where uv or pipx installed Reelsheet: docs/install.md, "More of it", says how.'
"""What to do where an extra is missing, and its `pip install` would not reach this environment."""


class ExitCode(IntEnum):
    """The exit codes of the process."""

    DONE = 0
    NEEDS_USER = 1
    USAGE = 2
    IN_DOUBT = 3
    STOPPED = 4
    UNFINISHED = 5
    INTERNAL = 70
    LOCKED = 75
    INTERRUPTED = 130
    TERMINATED = 143


class ReelsheetError(Exception):
    """The root: `message` says what happened, `action` what to do."""

    exit_code: ExitCode = ExitCode.NEEDS_USER

    def __init__(self, message: str, *, action: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.action = action

    @property
    def lines(self) -> tuple[str, ...]:
        """The message as the lines that it is shown in."""
        return (self.message,)


class UsageError(ReelsheetError):
    """Bad usage; nothing was sent."""

    exit_code = ExitCode.USAGE


class ConfigError(UsageError):
    """The configuration cannot be used; the message lists every fault with its path.

    `faults` are those of the settings, each a sentence; the message has each on a line of its own.
    """

    def __init__(
        self, message: str, *, action: str | None = None, faults: Sequence[str] = ()
    ) -> None:
        super().__init__(message + "".join(f"\n  {fault}" for fault in faults), action=action)
        self._lines = (message, *faults)

    @property
    def lines(self) -> tuple[str, ...]:
        """What is wrong, then each fault."""
        return self._lines


class ManifestError(UsageError):
    """The manifest cannot be read as a table; the message names the file and the line."""


class RunLocked(ReelsheetError):
    """Another run works in the same output folder."""

    exit_code = ExitCode.LOCKED


class InternalError(ReelsheetError):
    """A fault of the program itself; what was paid for is in the journal."""

    exit_code = ExitCode.INTERNAL


class Unfinished(ReelsheetError):
    """Something outside of the rows stopped the run; running again continues where it stopped."""

    exit_code = ExitCode.UNFINISHED


class StoreError(Unfinished):
    """The output folder does not take what has to be written (disk full, read-only, gone)."""


class WrongKind(StoreError):
    """A pipe, a device or the like lies in the place of a file of ours, or no folder in a folder's.

    To start the same command again does not help, as it does where the disk is full.
    """

    exit_code = ExitCode.USAGE


class JournalDamaged(StoreError):
    """The journal cannot be read as it was written; what is paid for is known by it."""


class ProviderError(ReelsheetError):
    """The API's answer to a call is not what was asked for.

    `status` is the HTTP status if one came, `code` the API's own code as text if it gave one,
    `retry_after_s` the wait that the API asked for. `misdirected` says that the name of the host is
    not known, its certificate not trusted, or a proxy wants a password: a setting may be wrong.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        retry_after_s: float | None = None,
        action: str | None = None,
        misdirected: bool = False,
    ) -> None:
        super().__init__(message, action=action)
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s
        self.misdirected = misdirected


class Unauthorized(ProviderError):
    """401 on any call: the run stops and keeps all state."""

    exit_code = ExitCode.STOPPED


class OutOfCredit(ProviderError):
    """402, or a code or message that holds `quota`: submitting stops, fetching goes on."""

    exit_code = ExitCode.STOPPED


class Refused(ProviderError):
    """A definite no to this call: 400, 403, 404, 413, 422, `model_not_found`, a bad picture."""


class Throttled(ProviderError):
    """429 (or 503 `rate_limit_unavailable` on submit): not accepted, not counted."""


class NotSent(ProviderError):
    """Connection refused, DNS or TLS failure: nothing was sent, a plain retry is safe."""


class Unclear(ProviderError):
    """A paid call was sent and no clear answer came. Never repeated without a look-up."""


class NoSuchTask(ProviderError):
    """404, or 400 `task_not_exist`: unknown, or not known yet."""


class Unreachable(ProviderError):
    """A free, repeatable call (query, upload, balance) failed on the way."""


class Withheld(ReelsheetError):
    """The account's book did not take the intent of a submission, so that it was not sent.

    `repeat` says that the account has bought the very request for another row; else the submission
    would have passed a cap of the account.
    """

    exit_code = ExitCode.STOPPED

    def __init__(self, message: str, *, repeat: bool = False, action: str | None = None) -> None:
        super().__init__(message, action=action)
        self.repeat = repeat


class DownloadError(ReelsheetError):
    """A video could not be downloaded this time. It never makes a task failed.

    `retry_after_s` is the wait that the download host asked for, if it did.
    """

    def __init__(
        self, message: str, *, action: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message, action=action)
        self.retry_after_s = retry_after_s


class LinkDead(DownloadError):
    """403, 404, 410 or a page instead of a video: query the task again for a fresh URL."""


class TransferBroken(DownloadError):
    """The transfer broke or stalled; what came is kept and resumed."""


class HostDown(TransferBroken):
    """The download host, or the way to it, gives nothing at all: an outage to be waited out.

    `what` is waited for; `serves_all` says that no video comes home without it. `down_s` is for how
    long it had given nothing when that was told.
    """

    what = "the download host"
    serves_all = False
    down_s = 0.0


class BadVideo(DownloadError):
    """The body came whole and is not a playable video."""


class VideoTooLarge(BadVideo):
    """The video has more bytes than are taken: only a person can decide that it may."""


def code_of(error: BaseException | None) -> int:
    """Return the exit code of a command that ends with this; None for one that ends by itself."""
    if error is None:
        return int(ExitCode.DONE)
    if isinstance(error, KeyboardInterrupt):
        return int(ExitCode.INTERRUPTED)
    code = error.code if isinstance(error, SystemExit) else getattr(error, "exit_code", None)
    return int(code) if isinstance(code, int) else int(ExitCode.INTERNAL)


def why_ended(error: BaseException) -> str:
    """Return what ended a command; what a bug says may hold anything, and is left out."""
    for one in (error, error.__cause__):
        if isinstance(one, ReelsheetError):
            return one.message
    known = isinstance(error, SystemExit | KeyboardInterrupt)
    return "interrupted" if known else f"internal error: {type(error).__name__}"
