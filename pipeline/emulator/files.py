"""Pictures taken in by POST /v1/uploads/images, and the second origin: uploads and videos.

The URLs of the second origin expire.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from aiohttp import BodyPartReader, web

from pipeline.emulator import clips
from pipeline.emulator.catalogue import UnknownFaultError
from pipeline.emulator.clips import plain_clip, stamp
from pipeline.emulator.faults import FaultRule
from pipeline.emulator.gate import CALL
from pipeline.emulator.orders import RefusedError
from pipeline.emulator.private import make_folder, read_private, write_private
from pipeline.emulator.provider import Provider
from pipeline.emulator.records import Call, UploadRecord
from pipeline.emulator.replies import (
    Body,
    delay,
    error,
    out_of_range,
    page,
    reset,
    send,
    send_badly,
    spoil,
)
from pipeline.emulator.store import Upload
from pipeline.emulator.tasks import COMPLETED, Task

_MOVED = "/moved"
_OTHER_S = {4: 6, 6: 4, 10: 4}
_RANGED = frozenset({"download_range_ignored", "download_416"})
_DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "download_corrupt_head": clips.corrupt_head,
    "download_truncated": lambda content: content[: len(content) // 2],
    "download_zeroed": clips.zero_media,
}
_UPLOAD_CHUNK_BYTES = 1 << 18
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif"}


class FilesEndpoint:
    """Serves what was uploaded and what was made; asks for no key, notes if one came."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._etags = 0

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """Serve a picture back."""
        upload = self._provider.uploads.get(request.path)
        if upload is None:
            return page(404)
        file = self._provider.upload_file(upload.path)
        content = await asyncio.to_thread(read_private, file)
        return await send(request, Body((content,), f'"{upload.upload_id}"', upload.mime_type))

    async def video(self, request: web.Request) -> web.StreamResponse:
        """Serve a video, or whatever the faults in force make of it."""
        task = self._provider.book.by_id(request.match_info["task_id"])
        refusal = self._refusal(request, task)
        if task is None or refusal is not None:
            return refusal or page(404)
        request[CALL].task_id = task.task_id
        key, prompt = str(task.number), task.order.prompt
        body = await self._body(task)
        if self._provider.strike("download_etag_changed", task) is not None:
            self._etags += 1
            body = replace(body, etag=f'"changed-{self._etags}"')
        skip = frozenset() if "Range" in request.headers else _RANGED
        rule = None
        if not request.path.startswith(_MOVED):
            rule = self._provider.faults.pick("download", key, prompt, skip=skip)
        if rule is None:
            return await send(request, body)
        request[CALL].fault = rule.kind.name
        return await self._faulty(request, body, rule)

    def _refusal(self, request: web.Request, task: Task | None) -> web.StreamResponse | None:
        """Return the answer to a URL that is wrong or too old."""
        provider = self._provider
        task_id, name = request.match_info["task_id"], request.match_info["name"]
        issued_at = provider.url_issued_at(task_id, name)
        if task is None or issued_at is None:
            return page(404)
        # A signature must come back letter for letter, only its blank escaped.
        if request.raw_path.partition("?")[2] != provider.signature(task).replace(" ", "%20"):
            return page(403)
        stage = provider.stage(task)
        if stage.status != COMPLETED or stage.completed_at is None:
            return page(404)
        settings, now = provider.settings, provider.clock()
        kept = now < stage.completed_at + settings.video_lifetime_s
        if not kept or now >= issued_at + settings.url_lifetime_s:
            return page(403)
        return None

    async def _body(self, task: Task) -> Body:
        """Return a task's video, or a wrong one if it was asked for."""
        wrong_frame = self._provider.has("download_wrong_frame", task)
        wrong_length = self._provider.has("download_wrong_length", task)
        if wrong_frame or wrong_length:
            duration_s, frame = task.order.clip_kind
            frame = frame[::-1] if wrong_frame else frame
            duration_s = _OTHER_S[duration_s] if wrong_length else duration_s
            parts = [await asyncio.to_thread(plain_clip, duration_s, frame), stamp(task.task_id)]
        else:
            parts = await self._provider.studio.video(task)
        return Body(tuple(parts), f'"{task.task_id[-12:]}"', "video/mp4")

    async def _faulty(
        self, request: web.Request, body: Body, rule: FaultRule
    ) -> web.StreamResponse:
        match rule.kind.name:
            case "download_json":
                return error(200, "AccessDenied", "the link has expired")
            case "download_empty":
                return web.Response(body=b"", content_type="video/mp4")
            case "download_416":
                return out_of_range(body)
            case "download_range_ignored":
                whole = web.Response(body=body.whole(), content_type="video/mp4")
                whole.headers["ETag"] = body.etag
                return whole
            case "download_redirect" | "download_redirect_host":
                return self._redirect(request, rule)
            case name if name in _DAMAGES:
                return await send(request, replace(body, parts=(_DAMAGES[name](body.whole()),)))
            case "download_reset" | "download_html":
                return await spoil(request, rule)
            case _ if rule.kind.status:
                return await spoil(request, rule)
            case _:
                return await send_badly(request, body, rule)

    def _redirect(self, request: web.Request, rule: FaultRule) -> web.StreamResponse:
        """Send the client elsewhere: the file stands there without a fault."""
        place = _MOVED + request.path
        if rule.kind.name == "download_redirect":
            # Seen from `/videos/TASK/NAME`, so that the secret before it stays.
            location = f"../..{place}"
        elif rule.value:
            location = f"http://{rule.value}{place}"  # the secret is not for another host
        else:
            # Another name for this machine is another origin, too.
            ours = urlsplit(self._provider.files_url)
            location = ours._replace(netloc=f"localhost:{ours.port}").geturl() + place
        return web.Response(status=302, headers={"Location": location})


@dataclass(frozen=True, slots=True)
class _Form:
    """What came in the multipart body."""

    name: str
    content: bytes
    purpose: str


class UploadEndpoint:
    """Takes pictures in."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one upload."""
        form = await self._form(request)
        # Most clients quote what is odd in a file's name, and so the marks of a marker.
        text = unquote(form.name)
        try:
            rule = self._provider.faults.pick("upload", text, text)
            slow = self._provider.faults.strike("upload_slow", text, text)
        except UnknownFaultError as unknown:
            raise _refusal_of(str(unknown)) from None
        await delay(slow)
        if rule is None:
            return web.json_response(self._accept(request, form))
        request[CALL].fault = rule.kind.name
        if rule.kind.name == "upload_answer_lost":
            self._accept(request, form)
            return reset(request)
        return await spoil(request, rule)

    async def _form(self, request: web.Request) -> _Form:
        if request.content_type != "multipart/form-data":
            raise _refusal_of("Content-Type must be multipart/form-data")
        files: list[tuple[str, bytes]] = []
        purpose = "generation"
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.name not in ("file", "purpose"):
                raise _refusal_of(f"Unexpected part {getattr(part, 'name', None)!r}")
            content = await self._content(part)
            if part.name == "purpose":
                purpose = content.decode("utf-8", "replace")
            else:
                files.append((part.filename or "", content))
        if len(files) != 1:
            raise _refusal_of(f"Exactly one part named file is required, not {len(files)}")
        return _Form(*files[0], purpose)

    async def _content(self, part: BodyPartReader) -> bytes:
        """Read a part; what is too much is read too, since the client is still sending."""
        content = bytearray()
        total_bytes, limit_bytes = 0, self._provider.settings.upload_limit_bytes
        while chunk := await part.read_chunk(_UPLOAD_CHUNK_BYTES):
            total_bytes += len(chunk)
            if total_bytes <= limit_bytes:
                content += chunk
        if total_bytes > limit_bytes:
            raise _refusal_of("Image too large. Maximum size is 10MB")
        return bytes(content)

    def _accept(self, request: web.Request, form: _Form) -> dict[str, object]:
        mime_type = _sniff(form.content)
        if mime_type is None:
            raise _refusal_of("Unsupported image type. Only JPEG, PNG, WebP and GIF are allowed")
        provider = self._provider
        mark = secrets.token_hex(4)
        name = f"{int(provider.clock())}_{mark}.{_ENDINGS[mime_type]}"
        path, size_bytes = f"/uploads/{len(provider.uploads) + 1}/{name}", len(form.content)
        upload = Upload(path, f"upload_{mark}", mime_type, size_bytes, form.name)
        file = provider.upload_file(upload.path)
        make_folder(file.parents[1])
        make_folder(file.parent)
        write_private(file, form.content)
        provider.store.add_upload(upload)
        provider.uploads[upload.path] = upload
        self._record(request[CALL], upload, form)
        data = {
            "id": upload.upload_id,
            "url": provider.files_url + upload.path,
            "mime_type": mime_type,
            "size": size_bytes,
        }
        return {"success": True, "message": "", "data": data}

    def _record(self, call: Call, upload: Upload, form: _Form) -> None:
        content = (upload.mime_type, upload.size_bytes, hashlib.sha256(form.content).hexdigest())
        record = UploadRecord(call.number, call.at, upload.path, form.name, *content, form.purpose)
        self._provider.records.uploads.append(record)


def _sniff(content: bytes) -> str | None:
    """Return the type of a picture by its first bytes, whatever its name says."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return None


def _refusal_of(message: str) -> RefusedError:
    return RefusedError(400, "invalid_request", message, "success")
