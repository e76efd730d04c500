"""The nouns of Reelsheet, all frozen: what a manifest, a row, a request, an attempt, a video are.

Nothing here reads or decides anything. Tested in tests/test_lifecycle.py and by all users of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Literal, TypeAlias

IDENTITY_MARK = "\x1f"
"""A control character: `checker.naming.normalise_key` leaves none in a key."""


def made_for(identity: str) -> str:
    """Return the key under which an entry was first known, which its identity begins with."""
    return identity.partition(IDENTITY_MARK)[0]


def aside_key(identity: str) -> str:
    """Return the key of an entry that steps aside for another one: no row can have it."""
    return f"{identity}{IDENTITY_MARK} aside"


def shown_key(key: str) -> str:
    """Return a key as people read it and type it, also that of an entry that stepped aside."""
    return " ".join(key.split()) if IDENTITY_MARK in key else key


class State(StrEnum):
    """Where a row stands. The moves between states are in `lifecycle`."""

    INVALID = "invalid"
    WAITING = "waiting"
    SUBMITTING = "submitting"
    IN_DOUBT = "in_doubt"
    RUNNING = "running"
    READY = "ready"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    MISSING = "missing"
    EXPIRED = "expired"


class Severity(StrEnum):
    """An error keeps a row from being sent; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding about a row or about the whole file: a value, not an exception.

    `row` is the physical line or sheet row (the header is row 1), None for the whole file; `cell`
    is the Excel address ("D7"), None for text files; `message` says what is wrong and what to do,
    `together` the same once for all problems of a cause.
    """

    code: str
    message: str
    severity: Severity = Severity.ERROR
    row: int | None = None
    cell: str | None = None
    column: str | None = None
    key: str | None = None
    together: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the manifest: its physical number and one text per header, in their order."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TextDialect:
    """How a text manifest was written, so that its results are written alike.

    `sep_line` says that it begins with Excel's own line `sep=;`, which names the delimiter.
    """

    delimiter: str
    encoding: str
    bom: bool
    newline: str = "\n"
    sep_line: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as read: every column and every row, nothing interpreted.

    `dialect` is set for text files, `sheet` (its name) for workbooks. `first_column` is the
    0-based sheet column of `headers[0]`. `cell_problems` were found while reading (an error value,
    a formula never calculated): whether they matter depends on whether their column is used.
    `notes` say what the reader found out, such as the sheet (`sheet_found`); `hints` where prompts
    may be, if no header is theirs. `other_sheets` lie beside this one. `sha256` is of the file.
    """

    path: Path
    headers: tuple[str, ...]
    rows: Sequence[Row]
    dialect: TextDialect | None = None
    sheet: str | None = None
    first_column: int = 0
    header_row: int = 1
    cell_problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    other_sheets: tuple[str, ...] = ()
    sheet_found: bool = False
    sha256: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Picture:
    """A local image that was opened, fully decoded, and can be sent: itself, or a copy made fit.

    `path`, `size_bytes`, `mime_type`, `width` and `height` are of the file that is sent. `sha256`
    is the picture's identity in requests and uploads: the hash of the user's file or, where a copy
    is sent, of that hash and the recipe of copies. `copy_sha256` is of the copy's own bytes.
    `unkept` says why no copy could be put down: then nothing may be sent.
    """

    path: Path
    sha256: str
    size_bytes: int
    mime_type: str
    width: int
    height: int
    warnings: tuple[str, ...] = ()
    copy_sha256: str | None = None
    unkept: str | None = None

    @property
    def sent_sha256(self) -> str:
        """The hash of the bytes that are sent."""
        return self.copy_sha256 or self.sha256


@dataclass(frozen=True, slots=True)
class PictureFault:
    """Why a picture cannot be used: a code, and what is wrong and what to do about it."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Request:
    """The validated, provider-ready form of a row.

    `images` holds, in order, a URL for a remote picture and `sha256:<hex>` for a local one. What is
    left out is 0 or empty. `request_hash` covers everything the provider would be told (see
    `rules`): the `body`, if there is one. `said` names the fields that the row says itself.
    """

    prompt: str
    images: tuple[str, ...]
    duration: int
    aspect_ratio: str
    resolution: str
    model: str
    request_hash: str
    extras: tuple[tuple[str, bool | int | str], ...] = ()
    body: str = field(default="", repr=False)
    said: tuple[str, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One submission of a row: what is sent, under which reference, and what it may cost.

    `number` counts from 1; `client_business_id` is our own reference at the provider
    (`[A-Za-z0-9_-]`, at most 64 characters); `video_name` is the file name of its video inside
    `videos/`; `cost` is in the currency of the budget, None without a price. `key` is what the
    row is called now. `identity` is its entry's for good: the key under which the entry was
    first known, made unique (see `journal.identities`). Left out, it is the key.
    """

    key: str
    number: int
    client_business_id: str
    request: Request
    video_name: str
    cost: float | None = None
    identity: str = ""

    def __post_init__(self) -> None:
        """Let a row's first entry be known by its key."""
        if not self.identity:
            object.__setattr__(self, "identity", self.key)


@dataclass(frozen=True, slots=True)
class Video:
    """A finished video, verified: `name` in `videos/`, or at the address `place` if that is set."""

    name: str
    size_bytes: int
    sha256: str
    duration_s: float
    width: int
    height: int
    warnings: tuple[str, ...] = ()
    place: str = ""

    @property
    def file(self) -> str:
        """Its path below the output folder, or its address elsewhere."""
        return f"{self.place or 'videos'}/{self.name}"


@dataclass(frozen=True, slots=True)
class Entry:
    """What the journal knows of a row: its latest attempt, its state, and what came of it.

    Times are Unix seconds. `submitted_at` is None while nothing was provably sent. `take` is the
    video of an earlier attempt, until a newer one is done. `closed`: the attempt is over although
    the row is `waiting`; the next one gets a new number. `earlier` are the request hashes of all
    earlier submissions. `key` is what the row is called by now.
    """

    key: str
    state: State
    attempt: Attempt
    task_id: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    submitted_at: float | None = None
    finished_at: float | None = None
    video: Video | None = None
    take: Video | None = None
    closed: bool = False
    earlier: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """What the entry is called for good, whatever its row is called."""
        return self.attempt.identity

    def with_key(self, key: str) -> Entry:
        """Return the same entry with its row under another key."""
        return replace(self, key=key, attempt=replace(self.attempt, key=key))

    def submissions_of(self, request_hash: str) -> int:
        """Count how often this very request was submitted, over all runs."""
        sent = self.submitted_at is not None and self.attempt.request.request_hash == request_hash
        return self.earlier.count(request_hash) + sent

    @property
    def submissions(self) -> int:
        """How often the row was submitted, over all runs."""
        return len(self.earlier) + (self.submitted_at is not None)

    @property
    def reused(self) -> bool:
        """Whether its video was bought for another row, or for an earlier take of this one."""
        return self.submitted_at is None and self.task_id is not None and self.video is not None

    @property
    def next_number(self) -> int:
        """The number of the next submission: the same one if this one provably never went out."""
        return self.attempt.number + (self.state is not State.WAITING or self.closed)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person says of a take; no `verdict` takes back what was said.

    `number` is the take's attempt, `sha256` its video, `prompt` a new text for one with the hash
    `prompt_of`, `source` page, file, sheet or command; `seq` is 0 until the journal has it.
    """

    entry: str
    number: int
    sha256: str
    verdict: str
    reason: str = ""
    note: str = ""
    prompt: str = ""
    prompt_of: str = ""
    reviewer: str = ""
    source: str = "page"
    at: float = 0.0
    seq: int = 0


class Phase(StrEnum):
    """How far the provider says that a task has come."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TaskView:
    """One answer to a query: the task as the provider shows it now.

    `progress` is 0-100; `created_at`, `completed_at` and `expires_at` are the provider's Unix
    seconds; `video_url` is http(s), escaped for a request. `url_fault` names an address that cannot
    be used and says why, if no other came; `unknown_status` is a status that nobody knows.
    """

    task_id: str | None
    phase: Phase
    progress: float | None = None
    video_url: str | None = None
    created_at: float | None = None
    completed_at: float | None = None
    expires_at: float | None = None
    error_code: str | None = None
    error_message: str | None = None
    unknown_status: str | None = None
    url_fault: str | None = None

    @property
    def says_nothing(self) -> bool:
        """Whether it names neither a task nor a known status, and so proves no submission."""
        return self.task_id is None and self.phase is Phase.UNKNOWN


BalanceOf: TypeAlias = Literal["key", "account"]


@dataclass(frozen=True, slots=True)
class Balance:
    """What is still held, and what was used: None where it is unlimited or not told.

    `remaining` and `used` are in `currency`; credits are the provider's own count. A key can have a
    limit that says nothing of the account: `of` says whose balance it is.
    """

    remaining: float | None
    used: float | None
    currency: str = "USD"
    remaining_credits: float | None = None
    used_credits: float | None = None
    of: BalanceOf = "key"
