"""The second origin: uploads and videos, under URLs that expire."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from aiohttp import web

from pipeline.emulator import clips, replies
from pipeline.emulator.clips import plain_clip, stamp
from pipeline.emulator.faults import FaultRule
from pipeline.emulator.gate import CALL
from pipeline.emulator.provider import Provider
from pipeline.emulator.replies import Body, error, fault_error, out_of_range, page, send, send_badly
from pipeline.emulator.tasks import COMPLETED, Task

_MOVED = "/moved"
_OTHER_S = {4: 6, 6: 4, 10: 4}
_RANGED = frozenset({"download_range_ignored", "download_416"})
_TRANSPORT = frozenset(
    {
        "download_cut",
        "download_cut_chunked",
        "download_cut_close",
        "download_longer",
        "download_gzip",
        "download_stall",
        "download_slow",
    }
)


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
        content = await asyncio.to_thread(self._provider.upload_file(upload.path).read_bytes)
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
        if self._provider.faults.strike("download_etag_changed", key, prompt) is not None:
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
        wrong_frame = self._provider.trait("download_wrong_frame", task) is not None
        wrong_length = self._provider.trait("download_wrong_length", task) is not None
        if wrong_frame or wrong_length:
            width, height = task.order.frame
            frame = (height, width) if wrong_frame else (width, height)
            duration_s = task.order.duration_s
            duration_s = _OTHER_S[duration_s] if wrong_length else duration_s
            parts = [await asyncio.to_thread(plain_clip, duration_s, frame), stamp(task.task_id)]
        else:
            parts = await self._provider.studio.video(task)
        return Body(tuple(parts), f'"{task.task_id[-12:]}"', "video/mp4")

    async def _faulty(
        self, request: web.Request, body: Body, rule: FaultRule
    ) -> web.StreamResponse:
        if rule.kind.name in _TRANSPORT:
            return await send_badly(request, body, rule)
        match rule.kind.name:
            case "download_reset":
                return replies.reset(request)
            case "download_html":
                return page(200)
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
            case "download_corrupt_head" | "download_truncated" | "download_zeroed":
                return await send(request, replace(body, parts=(_damaged(body.whole(), rule),)))
            case _:
                return fault_error(rule)

    def _redirect(self, request: web.Request, rule: FaultRule) -> web.StreamResponse:
        """Send the client elsewhere: the file stands there without a fault."""
        place = _MOVED + request.path
        if rule.kind.name == "download_redirect_host":
            # Another name for this machine is another origin, too.
            port = self._provider.files_url.rpartition(":")[2]
            place = f"http://{rule.value or f'localhost:{port}'}{place}"
        return web.Response(status=302, headers={"Location": place})


def _damaged(content: bytes, rule: FaultRule) -> bytes:
    match rule.kind.name:
        case "download_corrupt_head":
            return clips.corrupt_head(content)
        case "download_truncated":
            return content[: len(content) // 2]
        case _:
            return clips.zero_media(content)
