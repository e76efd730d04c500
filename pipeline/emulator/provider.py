"""The service behind both origins: what is accepted, where it stands, what it costs.

Tested in tests/emulator/test_tasks.py.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import re
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.emulator.faults import FaultBoard, FaultRule
from pipeline.emulator.orders import Order
from pipeline.emulator.private import close_to_others
from pipeline.emulator.records import Call, Records, Submission
from pipeline.emulator.render import Picture
from pipeline.emulator.settings import EmulatorSettings
from pipeline.emulator.store import Store, TaskBook, Upload
from pipeline.emulator.studio import QuickStudio, RenderStudio, Studio
from pipeline.emulator.tasks import (
    FAILED,
    IN_PROGRESS,
    Stage,
    Task,
    draw_fate,
    new_task_id,
    stage_of,
)

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_VIDEO_NAME = re.compile(r"(?P<unix>\d+)_(?P<part>[0-9a-f]{3})(?P<proof>[0-9a-f]{5})\.mp4")
_UPLOADS = "/uploads/"
_RENDER_FAILED = ("generation_failed", "the rehearsal could not render this video")


class Provider:
    """One account at the emulated service.

    Attributes:
        files_url: the origin of uploads and videos, known once it listens.
    """

    def __init__(self, settings: EmulatorSettings, clock: Callable[[], float]) -> None:
        """Take up what ``state_dir`` holds; ``clock`` gives Unix seconds."""
        self.settings = settings
        self.clock = clock
        self.files_url = ""
        self.faults = FaultBoard(settings.faults, settings.seed)
        self.records = Records(settings.keep_calls)
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._folder = self._open_folder()
        # First of all, since it is what may fail: the state may be in use.
        self.store = Store(self._folder / "state.db" if settings.state_dir else None)
        self._secret = self.store.keep_first("secret", secrets.token_hex(16)).encode()
        self.book = TaskBook(settings.balance_usd, self.stage)
        self.uploads: dict[str, Upload] = {}
        self.studio = self._open_studio()

    def begin(self) -> None:
        """Go on with the tasks of an earlier life; needs the running event loop."""
        for upload in self.store.uploads():
            self.uploads[upload.path] = upload
            with contextlib.suppress(OSError):  # its file may be gone, or a link: it is not served
                close_to_others(self.upload_file(upload.path))
        for task in self.store.tasks():
            self.book.add(task)
            self.studio.start(task)
            self._record(task, 0)

    def close(self) -> None:
        """Stop all work and let go of the files."""
        self.studio.close()
        self.store.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    def accept(self, order: Order, call: Call) -> Task:
        """Accept a submission; it is committed when this returns."""
        settings = self.settings
        number = len(self.book) + 1
        task = Task(
            number=number,
            task_id=new_task_id(),
            order=order,
            created_at=self.clock(),
            cost_usd=order.duration_s * settings.price_per_second_usd,
            fate=draw_fate(
                settings.seed, number, settings.median_s, settings.p95_s, settings.fail_share
            ),
        )
        self.store.add_task(task)
        self.book.add(task)
        self.studio.start(task)
        self.book.note_peak(task.created_at)
        call.task_id = task.task_id
        self._record(task, call.number)
        return task

    def stage(self, task: Task) -> Stage:
        """Return where a task stands now, the faults of its life included."""
        stage = stage_of(task, self.clock(), self.studio.ready_at(task))
        if self.has("query_never_finishing", task):
            return Stage(IN_PROGRESS, min(stage.progress, 99)) if stage.finished else stage
        if self.clock() >= task.due_at and self.failure(task) is not None:
            return Stage(FAILED, 100, task.due_at)
        return stage

    def failure(self, task: Task) -> tuple[str, str] | None:
        """Return why a task fails, drawn or asked for, or None."""
        code = self.trait("query_failed_error", task)
        if code is not None:
            return code or "content_policy_violation", "内容审核未通过"
        if self.has("query_failed_reason", task):
            return "generation_failed", "the model returned no video"
        return _RENDER_FAILED if self.studio.has_failed(task) else task.fate.failure

    def trait(self, name: str, task: Task) -> str | None:
        """Return the value of a lasting fault that this task has, or None."""
        rule = self.faults.holds(name, str(task.number), task.order.prompt)
        return None if rule is None else rule.value

    def has(self, name: str, task: Task) -> bool:
        """Tell whether a task has a lasting fault."""
        return self.trait(name, task) is not None

    def strike(self, name: str, task: Task) -> FaultRule | None:
        """Return the rule by which a fault strikes a call about this task, and count it."""
        return self.faults.strike(name, str(task.number), task.order.prompt)

    def show_task(self, task: Task, status: str) -> dict[str, Any]:
        """Return what every answer about a task says."""
        return {
            "id": task.task_id,
            "object": "generation.task",
            "model": task.order.model,
            "status": status,
            "created_at": self.shown_time(task.created_at),
        }

    def shown_time(self, seconds: float) -> float:
        """Return a time as answers give it."""
        return round(seconds, 3) if self.settings.fractional_times else int(seconds)

    def outstanding(self) -> int:
        """Count unfinished tasks."""
        return self.book.outstanding(self.clock())

    def video_url(self, task: Task) -> str:
        """Return a fresh URL of a task's video, which works for a while."""
        milliseconds = int(self.clock() * 1000)
        unix, part = divmod(milliseconds, 1000)
        name = f"{unix}_{part:03x}{self._proof(task.task_id, milliseconds)}.mp4"
        signed = self.signature(task)
        return f"{self.files_url}/videos/{task.task_id}/{name}{signed and '?'}{signed}"

    def signature(self, task: Task) -> str:
        """Return the signature that a task's URL carries, a blank in it; empty unless so asked."""
        length = self.trait("query_url_signed", task)
        if length is None:
            return ""
        proof = self._proof(task.task_id, 0)
        return f"filename=my video%2F1+.mp4&token={'Aa0%2B' * (int(length or 10_000) // 6)}&{proof}"

    def url_issued_at(self, task_id: str, name: str) -> float | None:
        """Return when this URL was given out, or None if it never was."""
        match = _VIDEO_NAME.fullmatch(name)
        if match is None:
            return None
        milliseconds = int(match["unix"]) * 1000 + int(match["part"], 16)
        proven = hmac.compare_digest(match["proof"], self._proof(task_id, milliseconds))
        return milliseconds / 1000 if proven else None

    def knows_picture(self, url: str) -> bool:
        """Tell whether the service could fetch a picture; strangers' URLs are believed in."""
        ours = urlsplit(url).hostname in _LOOPBACK and _UPLOADS in url
        return _upload_path(url) in self.uploads or not ours

    def _picture(self, url: str) -> Picture:
        """Return what a renderer needs to show a picture."""
        path, host = _upload_path(url), urlsplit(url).hostname or url
        if path in self.uploads:
            return Picture(self.upload_file(path), host)
        copies, name = self.settings.pictures, hashlib.sha256(url.encode("utf-8", "surrogatepass"))
        copy = None if copies is None else copies / f"{name.hexdigest()[:24]}.jpg"
        return Picture(copy if copy is not None and copy.is_file() else None, host)

    def upload_file(self, path: str) -> Path:
        """Return the file behind an upload's URL path."""
        return self._folder / path.lstrip("/")

    def _proof(self, task_id: str, milliseconds: int) -> str:
        text = f"{task_id}:{milliseconds}".encode()
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()[:5]

    def _record(self, task: Task, number: int) -> None:
        order = task.order
        said = (order.client_business_id, order.prompt, order.document())
        self.records.submissions.append(Submission(number, task.created_at, task.task_id, *said))

    def _open_folder(self) -> Path:
        if self.settings.state_dir is not None:
            self.settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            return self.settings.state_dir
        self._temporary = tempfile.TemporaryDirectory(
            prefix="emulator-", ignore_cleanup_errors=True
        )
        return Path(self._temporary.name)

    def _open_studio(self) -> Studio:
        settings = self.settings
        if settings.quick:
            kept = self._folder / "clips" if settings.state_dir else None
            return QuickStudio(kept, settings.padding_bytes, self.clock)
        return RenderStudio(
            self._folder / "videos", settings.render_workers, self._picture, settings.padding_bytes
        )


def _upload_path(url: str) -> str:
    """Return the path of an upload; port and secret of our addresses change with a restart."""
    before, mark, path = urlsplit(url).path.partition(_UPLOADS)
    return mark + path if before.count("/") <= 1 else ""
