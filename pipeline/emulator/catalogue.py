"""Every fault that can be asked for, as data: its call, its answer, how often it strikes.

Tested in tests/emulator/test_faults.py.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace

FAULT_GROUPS = ("submit", "query", "upload", "download", "balance", "models")
"""The calls that faults belong to: their names begin with one of these."""
ERROR_SHAPES = ("error", "error_int", "success", "message", "flat", "plain", "html")
"""The forms in which a fault can write the body of its error."""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One thing that can go wrong.

    Attributes:
        name: begins with the call it belongs to.
        summary: one line for help and documentation.
        status: the HTTP status of a plain error answer, 0 for every other kind.
        code: the machine-readable code of a plain error answer.
        shape: the form of a plain error's body unless a rule names another.
        lasting: a marker without a count means always, not the first time only.
        per_task: a share picks tasks (all of whose calls are struck), not single calls.
        modifier: changes an answer together with others, instead of being the answer.
        accepted: strikes when the request has been found good, and leaves an accepted task behind.
        value: what the part after ``@`` is, for the help; empty if it takes none.
    """

    name: str
    summary: str
    status: int = 0
    code: str = ""
    shape: str = "error"
    lasting: bool = False
    per_task: bool = False
    modifier: bool = False
    accepted: bool = False
    value: str = ""

    @property
    def group(self) -> str:
        """The call this fault belongs to."""
        return self.name.partition("_")[0]


class UnknownFaultError(ValueError):
    """A fault's name or form is not known; the text lists what is."""


def _plain(name: str, status: int, code: str, shape: str = "error", **more: str) -> FaultKind:
    """Build a fault that is nothing but an error answer."""
    summary = more.get("summary", f"answers {status} {code}, nothing is accepted")
    return FaultKind(name, summary, status, code, shape, value=more.get("value", ""))


def _delaying_fault(name: str, summary: str = "answers late") -> FaultKind:
    """Build a fault that is nothing but a delay."""
    return FaultKind(name, summary, modifier=True, value="SECONDS, default 1")


def _accepting_fault(name: str, summary: str, value: str = "") -> FaultKind:
    """Build a fault of a submission that is accepted, whatever is answered."""
    return FaultKind(name, f"accepts, {summary}", accepted=True, value=value)


def _not_found_fault(
    name: str, summary: str, value: str = "", *, lasting: bool = False
) -> FaultKind:
    """Build a fault by which a task is not found."""
    code = "task_not_found"
    return FaultKind(name, summary, 404, code, lasting=lasting, per_task=True, value=value)


def _lasting_fault(name: str, summary: str, value: str = "") -> FaultKind:
    """Build a fault that belongs to a task for its whole life."""
    return FaultKind(name, summary, lasting=True, per_task=True, modifier=True, value=value)


_SUBMIT = (
    _plain("submit_401", 401, "invalid_api_key"),
    _plain("submit_402", 402, "insufficient_balance", "flat"),
    _plain("submit_quota", 403, "insufficient_user_quota", value="STATUS"),
    _plain("submit_400", 400, "invalid_request", "success"),
    _plain("submit_403", 403, "access_denied", "flat"),
    _plain("submit_404", 404, "not_found", "plain"),
    _plain("submit_413", 413, "request_too_large", "html"),
    _plain("submit_422", 422, "content_policy_violation", "error"),
    _plain("submit_model_not_found", 503, "model_not_found", value="STATUS"),
    _plain("submit_429", 429, "rate_limit_exceeded", "error_int"),
    _plain("submit_429_seconds", 429, "rate_limit_exceeded", value="SECONDS of Retry-After"),
    _plain("submit_429_date", 429, "rate_limit_exceeded", "flat", value="SECONDS ahead"),
    _plain("submit_rate_limit_unavailable", 503, "rate_limit_unavailable"),
    _plain("submit_500", 500, "internal_error", "plain", value="STATUS"),
    FaultKind("submit_reset", "resets the connection before acceptance"),
    FaultKind("submit_redirect", "redirects the POST, nothing accepted", value="307 or 308"),
    replace(
        _accepting_fault("submit_500_after", "then answers 5xx", "STATUS"),
        status=500,
        code="internal_error",
        shape="html",
    ),
    _accepting_fault(
        "submit_answer_lost", "then drops the connection without an answer", "reset or close"
    ),
    _accepting_fault("submit_stall", "then does not answer", "SECONDS, default 3600"),
    _accepting_fault("submit_no_id", "answers 200 without an id"),
    _accepting_fault("submit_html", "answers 200 with HTML"),
    _accepting_fault("submit_half_json", "answers 200 with half a JSON body"),
    _accepting_fault("submit_id_as_task_id", "gives the id as task_id"),
    _accepting_fault("submit_id_in_data", "wraps the answer in data"),
    _accepting_fault("submit_id_in_list", "wraps the answer in data, a list of one entry"),
    _delaying_fault("submit_slow", "accepts at once, answers late"),
)

_QUERY = (
    _plain("query_401", 401, "invalid_api_key", summary="answers 401 invalid_api_key"),
    _plain("query_500", 500, "internal_error", "html", summary="answers 5xx", value="STATUS"),
    _plain("query_429", 429, "rate_limit_exceeded", "flat", summary="answers 429"),
    replace(
        _plain("query_429_seconds", 429, "rate_limit_exceeded", value="SECONDS of Retry-After"),
        summary="answers 429 with Retry-After",
    ),
    FaultKind("query_reset", "resets the connection"),
    FaultKind("query_stall", "does not answer", value="SECONDS, default 3600"),
    FaultKind("query_html", "answers 200 with HTML"),
    FaultKind("query_half_json", "answers 200 with half a JSON body"),
    _delaying_fault("query_slow"),
    FaultKind("query_unknown_status", "gives a status nobody knows", modifier=True),
    FaultKind("query_missing_status", "leaves the status out", modifier=True),
    _lasting_fault("query_progress_percent", "progress is a text such as 40%"),
    _lasting_fault("query_progress_null", "progress is null"),
    _lasting_fault("query_progress_missing", "progress is left out"),
    _lasting_fault("query_progress_stuck", "progress stands at 99 from the start"),
    _lasting_fault("query_progress_jumps", "progress jumps about, backwards too"),
    _not_found_fault(
        "query_not_found_early",
        "404 for the first COUNT queries, or for the first seconds",
        "SECONDS since the submission",
    ),
    _not_found_fault("query_not_found", "404 for good", lasting=True),
    replace(
        _not_found_fault("query_task_not_exist", "400 task_not_exist for good", lasting=True),
        status=400,
        code="task_not_exist",
        shape="message",
    ),
    _lasting_fault("query_never_finishing", "the task never ends"),
    FaultKind(
        "query_no_url",
        "completed without a URL, COUNT times (all of them by *all)",
        per_task=True,
        modifier=True,
    ),
    _lasting_fault("query_url_result", "the URL stands in result.data[].url"),
    _lasting_fault("query_url_plain", "the URL stands in url"),
    _lasting_fault("query_url_data", "the URL stands in data[].url"),
    _lasting_fault("query_nested", "the task stands in data and its video_url in data.data"),
    _lasting_fault(
        "query_url_signed", "video_url is signed, long, with a blank", "CHARS, default 10000"
    ),
    _lasting_fault("query_url_not_http", "video_url is a file: URL"),
    _lasting_fault("query_status_submitted", "queued is spelt submitted"),
    _lasting_fault("query_status_pending", "queued is spelt pending"),
    _lasting_fault("query_status_processing", "in_progress is spelt processing"),
    _lasting_fault("query_status_succeeded", "completed is spelt succeeded"),
    _lasting_fault("query_status_succeed", "completed is spelt succeed"),
    _lasting_fault("query_status_success", "completed is spelt SUCCESS"),
    _lasting_fault("query_status_failure", "failed is spelt FAILURE"),
    _lasting_fault(
        "query_status_word", "completed is spelt in a word of its own", "WORD, default ready"
    ),
    _lasting_fault("query_status_upper", "statuses in upper case"),
    _lasting_fault("query_failed_error", "the task fails, with error", value="CODE"),
    _lasting_fault("query_failed_reason", "the task fails, with fail_reason only"),
    _not_found_fault("query_lookup_unsupported", "404 for every client_business_id", lasting=True),
    _not_found_fault(
        "query_lookup_late",
        "a client_business_id is not found COUNT times, or at first",
        "SECONDS since the submission",
    ),
)

_UPLOAD = (
    _plain("upload_400", 400, "Unsupported image type.", "success"),
    _plain("upload_401", 401, "invalid_api_key"),
    _plain("upload_success_false", 200, "Upload failed, try again later", "success"),
    _plain("upload_500", 500, "internal_error", "plain", value="STATUS"),
    _plain("upload_429", 429, "rate_limit_exceeded", "flat"),
    FaultKind("upload_reset", "resets the connection"),
    FaultKind("upload_answer_lost", "stores the picture, then drops the connection"),
    FaultKind("upload_stall", "does not answer", value="SECONDS, default 3600"),
    _delaying_fault("upload_slow"),
)

_DOWNLOAD = (
    _plain("download_403", 403, "AccessDenied", "html", summary="answers 403, as if expired"),
    _plain("download_404", 404, "NoSuchKey", "html", summary="answers 404"),
    _plain("download_410", 410, "Gone", "html", summary="answers 410"),
    _plain("download_500", 500, "internal_error", "html", summary="answers 5xx", value="STATUS"),
    FaultKind("download_reset", "resets the connection before an answer"),
    FaultKind("download_cut", "ends before Content-Length", value="BYTES sent, default half"),
    FaultKind("download_cut_chunked", "a chunked body that just ends", value="BYTES sent"),
    FaultKind("download_cut_close", "no length, half the body, then closed", value="BYTES sent"),
    FaultKind("download_longer", "sends more than Content-Length says"),
    FaultKind("download_gzip", "Content-Encoding: gzip"),
    FaultKind("download_corrupt_head", "the first 64 bytes are wrong"),
    FaultKind("download_html", "200 with an HTML page"),
    FaultKind("download_json", "200 with a JSON error"),
    FaultKind("download_empty", "200 with no bytes at all"),
    FaultKind("download_stall", "half the body, then silence", value="SECONDS, default 3600"),
    FaultKind("download_slow", "one byte, then a pause, and so on", value="SECONDS, default 1"),
    FaultKind("download_range_ignored", "a ranged request gets 200 and the whole"),
    FaultKind("download_416", "a ranged request gets 416"),
    FaultKind("download_etag_changed", "another ETag for each request", modifier=True),
    FaultKind("download_redirect", "redirects to another path of the same origin"),
    FaultKind("download_redirect_host", "redirects to another origin", value="HOST:PORT"),
    FaultKind("download_truncated", "half of the file, and a Content-Length that agrees"),
    FaultKind("download_zeroed", "media data are all zeros, boxes are right"),
    _lasting_fault("download_wrong_frame", "a clip of another frame size"),
    _lasting_fault("download_wrong_length", "a clip of another duration"),
)

_BALANCE = (
    _plain("balance_401", 401, "invalid_api_key", summary="answers 401 invalid_api_key"),
    _plain("balance_500", 500, "internal_error", "html", summary="answers 5xx", value="STATUS"),
    FaultKind("balance_success_false", "200 with success:false"),
    FaultKind("balance_unlimited", "unlimited_quota with remain_balance -1"),
    FaultKind("balance_account_404", "404 for the balance of the account", modifier=True),
    FaultKind("balance_key_full", "the key may spend more than the account holds", modifier=True),
    FaultKind(
        "balance_other_unit", "the balances are no dollars, only credits hold", modifier=True
    ),
    FaultKind("balance_no_credits", "leaves the credits out", modifier=True),
)

_MODELS = (
    _plain("models_401", 401, "invalid_api_key", summary="answers 401 invalid_api_key"),
    _plain("models_404", 404, "not_found", "plain", summary="answers 404"),
    _plain("models_500", 500, "internal_error", "html", summary="answers 5xx", value="STATUS"),
    FaultKind("models_reset", "resets the connection"),
    FaultKind("models_stall", "does not answer", value="SECONDS, default 3600"),
    FaultKind("models_html", "answers 200 with HTML"),
    FaultKind("models_listed", "lists these models", value="NAME,NAME"),
)

CATALOGUE: dict[str, FaultKind] = {
    kind.name: kind for kind in (*_SUBMIT, *_QUERY, *_UPLOAD, *_DOWNLOAD, *_BALANCE, *_MODELS)
}
"""Every fault, by name."""


def find_fault(name: str) -> FaultKind:
    """Return the fault called ``name``, or raise with the nearest known names."""
    kind = CATALOGUE.get(name)
    if kind is not None:
        return kind
    near = difflib.get_close_matches(name, CATALOGUE, n=3, cutoff=0.5)
    hint = f" Did you mean {', '.join(near)}?" if near else ""
    raise UnknownFaultError(f"no fault is called {name!r}.{hint} Known: {', '.join(CATALOGUE)}")


def list_faults() -> list[tuple[str, str]]:
    """Return each fault's name and its one-line description, grouped by call."""
    return [
        (kind.name, f"{kind.summary} (@{kind.value})" if kind.value else kind.summary)
        for kind in CATALOGUE.values()
    ]
