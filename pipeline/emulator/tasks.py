"""An order that obeys the provider's request table, and the task that comes of it.

A task's whole life is a function of the wall clock: nothing has to be kept up to date.
"""

from __future__ import annotations

import math
import random
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_MARK = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OPTIONAL = ("duration", "aspect_ratio", "resolution", "image_urls", "client_business_id")
_FIELDS = frozenset({"model", "prompt", *_OPTIONAL})
_FRAMES = {
    ("16:9", "720p"): (1280, 720),
    ("9:16", "720p"): (720, 1280),
    ("16:9", "1080p"): (1920, 1080),
}
_NEWER = "gemini-omni-flash"
"""The name of the model on its newer page, which has rules of its own."""


@dataclass(frozen=True, slots=True)
class Order:
    """A submission that obeys every rule, with its defaults filled in."""

    model: str
    prompt: str
    duration_s: int
    aspect_ratio: str
    resolution: str
    image_urls: tuple[str, ...]
    client_business_id: str

    @property
    def clip_kind(self) -> tuple[int, tuple[int, int]]:
        """All that tells one plain clip from another."""
        return self.duration_s, self.frame

    @property
    def frame(self) -> tuple[int, int]:
        """Width and height of the video asked for."""
        return _FRAMES[self.aspect_ratio, self.resolution.lower()]

    def document(self) -> dict[str, Any]:
        """Return it as the JSON object it may have come as."""
        document: dict[str, Any] = {
            "model": self.model,
            "prompt": self.prompt,
            "duration": self.duration_s,
            "aspect_ratio": self.aspect_ratio,
            "resolution": self.resolution,
        }
        if self.image_urls:
            document["image_urls"] = list(self.image_urls)
        if self.client_business_id:
            document["client_business_id"] = self.client_business_id
        return document


class RefusedError(Exception):
    """The provider says no to this request."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        shape: str = "error",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.shape = shape
        self.headers = dict(headers or {})


def check_order(body: object, models: tuple[str, ...], known_url: Callable[[str], bool]) -> Order:
    """Return the order in ``body`` or raise ``RefusedError``.

    Args:
        body: the decoded JSON.
        models: the model names that exist.
        known_url: tells whether a picture's URL can be resolved.
    """
    if not isinstance(body, Mapping):
        raise RefusedError(400, "invalid_request", "the body must be a JSON object")
    unknown = sorted(set(body) - _FIELDS)
    if unknown:
        raise RefusedError(400, "unknown_parameter", f"unknown parameter: {', '.join(unknown)}")
    _check_model(body.get("model"), models)
    newer = body["model"] == _NEWER
    order = Order(
        model=body["model"],
        prompt=_prompt(body.get("prompt")),
        duration_s=_duration(body.get("duration", 6)),
        aspect_ratio=_one_of(body, "aspect_ratio", ("16:9", "9:16")),
        resolution=_one_of(body, "resolution", ("720p" if newer else "720P", "1080p")),
        image_urls=_image_urls(body, known_url, (1, 2, 3) if newer else (1, 3)),
        client_business_id=_reference(body),
    )
    if (order.aspect_ratio, order.resolution.lower()) not in _FRAMES:
        raise _invalid("resolution", "1080p is only available with aspect_ratio 16:9")
    return order


def _invalid(field: str, message: str) -> RefusedError:
    return RefusedError(400, f"invalid_{field}", f"{field}: {message}")


def _check_model(model: object, models: tuple[str, ...]) -> None:
    if not isinstance(model, str) or not model:
        raise _invalid("model", "is required")
    if model not in models:
        message = f"No available channel for model {model}"
        raise RefusedError(503, "model_not_found", message)


def _prompt(prompt: object) -> str:
    if not isinstance(prompt, str) or not prompt.strip():
        raise _invalid("prompt", "is required")
    return prompt


def _duration(duration: object) -> int:
    # bool is an int to Python, not to JSON.
    if isinstance(duration, bool) or not isinstance(duration, int):
        raise _invalid("duration", "must be an integer")
    if duration not in (4, 6, 10):
        raise _invalid("duration", "must be one of 4, 6, 10")
    return duration


def _one_of(body: Mapping[str, Any], field: str, allowed: tuple[str, str]) -> str:
    value = body.get(field, allowed[0])
    if value not in allowed or not isinstance(value, str):
        raise _invalid(field, f"must be one of {', '.join(allowed)}")
    return value


def _image_urls(
    body: Mapping[str, Any], known_url: Callable[[str], bool], counts: tuple[int, ...]
) -> tuple[str, ...]:
    if "image_urls" not in body:
        return ()
    urls = body["image_urls"]
    if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):
        raise _invalid("image_urls", "must be an array of strings")
    if len(urls) not in counts:
        allowed = " or ".join(map(str, counts))
        raise _invalid("image_urls", f"must hold {allowed} URLs, not {len(urls)}")
    for url in urls:
        if not _is_http(url):
            raise _invalid("image_urls", "must be public http or https URLs")
        if not known_url(url):
            raise RefusedError(400, "image_fetch_failed", f"could not fetch image {url}")
    return tuple(urls)


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _reference(body: Mapping[str, Any]) -> str:
    if "client_business_id" not in body:
        return ""
    value = body["client_business_id"]
    if not isinstance(value, str) or _MARK.fullmatch(value) is None:
        raise _invalid("client_business_id", "up to 64 characters of A-Z a-z 0-9 _ -")
    return value


# The statuses of a task, as the answers of the API call them.
QUEUED = "queued"
IN_PROGRESS = "in_progress"
COMPLETED = "completed"
FAILED = "failed"

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_QUEUED_SHARE = 0.08
_P95 = 1.6448536269514722  # the normal distribution's 95th percentile, in standard deviations
_FAILURES = (
    ("content_policy_violation", "The generated video was blocked by the safety filter"),
    ("generation_failed", "Video generation failed, please try again later"),
    ("upstream_timeout", "上游生成超时"),
)


@dataclass(frozen=True, slots=True)
class Fate:
    """What is drawn for a task before it begins.

    Attributes:
        run_s: how long it takes, from creation to its end.
        failure: code and message if it ends as failed.
        curve: the exponent that bends the progress bar.
    """

    run_s: float
    failure: tuple[str, str] | None
    curve: float


@dataclass(frozen=True, slots=True)
class Task:
    """One accepted generation.

    Attributes:
        number: counts accepted submissions, from 1.
        task_id: the opaque name given out.
        order: what was asked for.
        created_at: Unix seconds.
        cost_usd: what it takes from the balance.
        fate: what was drawn for it.
    """

    number: int
    task_id: str
    order: Order
    created_at: float
    cost_usd: float
    fate: Fate

    @property
    def due_at(self) -> float:
        """When it ends, if its video is there by then."""
        return self.created_at + self.fate.run_s


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a task stands at one moment."""

    status: str
    progress: int
    completed_at: float | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to the task."""
        return self.status in (COMPLETED, FAILED)


def new_task_id() -> str:
    """Return an id like the provider's; random, so that no two emulators ever share one."""
    return "video_01" + "".join(secrets.choice(_ALPHABET) for _ in range(24))


def draw_fate(seed: int, number: int, median_s: float, p95_s: float, fail_share: float) -> Fate:
    """Draw the fate of the task with this number; the same seed always draws the same."""
    draw = random.Random(f"{seed}:{number}")  # noqa: S311 - no secret
    sigma = math.log(p95_s / median_s) / _P95
    run_s = median_s * math.exp(sigma * draw.gauss(0, 1))
    curve = math.exp(draw.gauss(0, 0.15))
    failure = None
    if draw.random() < fail_share:
        failure = draw.choice(_FAILURES)
        run_s *= draw.uniform(0.2, 1.0)
    return Fate(run_s, failure, curve)


def stage_of(task: Task, now: float, ready_at: float | None) -> Stage:
    """Return where ``task`` stands.

    Args:
        task: the task.
        now: Unix seconds.
        ready_at: when its video was there; None while it is not.
    """
    run_s = task.fate.run_s
    share = (now - task.created_at) / run_s if run_s > 0 else 1.0
    if share < _QUEUED_SHARE:
        return Stage(QUEUED, 0)
    if share < 1:
        moved = (share - _QUEUED_SHARE) / (1 - _QUEUED_SHARE)
        return Stage(IN_PROGRESS, min(99, int(100 * moved**task.fate.curve)))
    if task.fate.failure is not None:
        return Stage(FAILED, 100, task.due_at)
    if ready_at is None:
        return Stage(IN_PROGRESS, 99)
    return Stage(COMPLETED, 100, max(task.due_at, ready_at))
