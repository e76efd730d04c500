"""POST /v1/uploads/images, and GET of what was uploaded."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from urllib.parse import unquote

from aiohttp import BodyPartReader, web

from pipeline.emulator import replies
from pipeline.emulator.catalogue import UnknownFaultError
from pipeline.emulator.faults import FaultRule
from pipeline.emulator.gate import CALL
from pipeline.emulator.provider import Provider
from pipeline.emulator.records import UploadRecord
from pipeline.emulator.replies import fault_error
from pipeline.emulator.rules import RefusedError
from pipeline.emulator.store import Upload

_FOREVER_S = 3600.0
_CHUNK_BYTES = 1 << 18
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif"}


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
            raise _refused(str(unknown)) from None
        if slow is not None:
            await asyncio.sleep(slow.number(1.0))
        if rule is None:
            return web.json_response(self._accept(request, form))
        request[CALL].fault = rule.kind.name
        return await self._faulty(request, form, rule)

    async def _faulty(
        self, request: web.Request, form: _Form, rule: FaultRule
    ) -> web.StreamResponse:
        match rule.kind.name:
            case "upload_reset":
                return replies.reset(request)
            case "upload_answer_lost":
                self._accept(request, form)
                return replies.reset(request)
            case "upload_stall":
                return await replies.stall(request, rule.number(_FOREVER_S))
            case _:
                return fault_error(rule)

    async def _form(self, request: web.Request) -> _Form:
        if request.content_type != "multipart/form-data":
            raise _refused("Content-Type must be multipart/form-data")
        files: list[tuple[str, bytes]] = []
        purpose = "generation"
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.name not in ("file", "purpose"):
                raise _refused(f"Unexpected part {getattr(part, 'name', None)!r}")
            content = await self._content(part)
            if part.name == "purpose":
                purpose = content.decode("utf-8", "replace")
            else:
                files.append((part.filename or "", content))
        if len(files) != 1:
            raise _refused(f"Exactly one part named file is required, not {len(files)}")
        return _Form(*files[0], purpose)

    async def _content(self, part: BodyPartReader) -> bytes:
        """Read a part; what is too much is read too, since the client is still sending."""
        content = bytearray()
        limit_bytes = self._provider.settings.upload_limit_bytes
        total_bytes = 0
        while chunk := await part.read_chunk(_CHUNK_BYTES):
            total_bytes += len(chunk)
            if total_bytes <= limit_bytes:
                content += chunk
        if total_bytes > limit_bytes:
            raise _refused("Image too large. Maximum size is 10MB")
        return bytes(content)

    def _accept(self, request: web.Request, form: _Form) -> dict[str, object]:
        mime_type = sniff(form.content)
        if mime_type is None:
            raise _refused("Unsupported image type. Only JPEG, PNG, WebP and GIF are allowed")
        provider = self._provider
        mark = secrets.token_hex(4)
        name = f"{int(provider.clock())}_{mark}.{_ENDINGS[mime_type]}"
        size_bytes = len(form.content)
        upload = Upload(
            f"/uploads/{len(provider.uploads) + 1}/{name}",
            f"upload_{mark}",
            mime_type,
            size_bytes,
            form.name,
        )
        file = provider.upload_file(upload.path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(form.content)
        provider.store.add_upload(upload)
        provider.uploads[upload.path] = upload
        self._record(request, upload, form)
        data = {
            "id": upload.upload_id,
            "url": provider.files_url + upload.path,
            "mime_type": mime_type,
            "size": size_bytes,
        }
        return {"success": True, "message": "", "data": data}

    def _record(self, request: web.Request, upload: Upload, form: _Form) -> None:
        call = request[CALL]
        self._provider.records.uploads.append(
            UploadRecord(
                call.number,
                call.at,
                upload.path,
                form.name,
                upload.mime_type,
                upload.size_bytes,
                hashlib.sha256(form.content).hexdigest(),
                form.purpose,
            )
        )


def sniff(content: bytes) -> str | None:
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


def _refused(message: str) -> RefusedError:
    return RefusedError(400, "invalid_request", message, "success")
