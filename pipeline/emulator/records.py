"""What happened at the provider's side, for holding a client's beliefs against.

Tested in tests/emulator/test_faults.py.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

_THROTTLED = 429


@dataclass(slots=True)
class Call:
    """One HTTP call; filled in while it is answered, ``status`` 0 until (or unless) it is."""

    number: int
    at: float
    origin: str
    kind: str
    method: str
    path: str
    authorization: bool
    cookie: bool
    user_agent: str
    range: str = ""
    status: int = 0
    task_id: str = ""
    client_business_id: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """An accepted submission; ``body`` has the defaults of fields that were left out."""

    number: int
    at: float
    task_id: str
    client_business_id: str
    prompt: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """A submission that was not accepted."""

    number: int
    at: float
    status: int
    code: str
    client_business_id: str
    prompt: str


@dataclass(frozen=True, slots=True)
class UploadRecord:
    """An accepted upload."""

    number: int
    at: float
    url_path: str
    name: str
    mime_type: str
    size_bytes: int
    sha256: str
    purpose: str


class Records:
    """Everything recorded, in order; ``_calls`` forgets its oldest entries at its limit.

    Attributes:
        calls: every call to either origin, in order of arrival.
        submissions: accepted ones; those from before a restart stand first.
        refused: submissions that were answered and not accepted.
        uploads: accepted uploads.
        queries: number of queries per task id; unknown ids count too.
        statuses: number of answers by kind of call and status.
        user_agents: number of calls per User-Agent.
    """

    def __init__(self, keep_calls: int) -> None:
        """Begin empty."""
        self._number = 0
        self._calls: deque[Call] = deque(maxlen=keep_calls)
        self.submissions: list[Submission] = []
        self.refused: list[Refused] = []
        self.uploads: list[UploadRecord] = []
        self.queries: Counter[str] = Counter()
        self._statuses: Counter[tuple[str, int]] = Counter()
        self._kinds: Counter[str] = Counter()
        self._user_agents: Counter[str] = Counter()
        self._files_authorizations = 0
        self._files_cookies = 0
        self._api_unauthorized = 0

    def next_number(self) -> int:
        """Return the number of the call that begins now."""
        self._number += 1
        return self._number

    def note_call(self, call: Call) -> None:
        """Take in a call before it is answered."""
        self._calls.append(call)
        self._kinds[call.kind] += 1
        self._user_agents[call.user_agent] += 1
        if call.origin == "files":
            self._files_authorizations += call.authorization
            self._files_cookies += call.cookie
        elif not call.authorization:
            self._api_unauthorized += 1

    def note_answer(self, call: Call, status: int) -> None:
        """Note the answer of a call; 0 for none."""
        call.status = status
        self._statuses[call.kind, status] += 1

    @property
    def downloads(self) -> list[Call]:
        """The calls that asked for a video."""
        return [call for call in self._calls if call.kind == "download"]

    def summary(self) -> dict[str, Any]:
        """Return the counts."""
        references = Counter(s.client_business_id for s in self.submissions)
        references.pop("", None)
        return {
            "calls": self._number,
            "kinds": dict(self._kinds),
            "accepted": len(self.submissions),
            "refused": len(self.refused),
            "uploads": len(self.uploads),
            "queries": self.queries.total(),
            "tasks_queried": len(self.queries),
            "repeated_references": sum(count > 1 for count in references.values()),
            "too_many_requests": sum(
                n for (_, code), n in self._statuses.items() if code == _THROTTLED
            ),
            "statuses": {f"{kind} {code}": n for (kind, code), n in self._statuses.items()},
            "files_authorizations": self._files_authorizations,
            "files_cookies": self._files_cookies,
            "api_unauthorized": self._api_unauthorized,
            "user_agents": dict(self._user_agents),
        }

    def document(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {
            "calls": list(map(asdict, self._calls)),
            "submissions": list(map(asdict, self.submissions)),
            "refused": list(map(asdict, self.refused)),
            "uploads": list(map(asdict, self.uploads)),
            "queries": dict(self.queries),
        }
