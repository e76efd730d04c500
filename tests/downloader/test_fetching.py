"""Every way in which a transfer goes wrong, and what a try says and leaves behind."""

from __future__ import annotations

import asyncio
import hashlib
import os
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.downloader.connection import PartMark
from pipeline.downloader.fetching import Downloader
from pipeline.downloader.transfer import LONG_BYTES, PartFile
from pipeline.downloader.verification import (
    READ_AT_ONCE_BYTES,
    Decoders,
    describe_open_file,
    verify_file,
)
from pipeline.errors import BadVideo, LinkDead, StoreError, TransferBroken, VideoTooLarge
from pipeline.model import Video
from pipeline.models.sheet import read_sheet
from pipeline.models.shelf import put_up

if TYPE_CHECKING:
    from tests.downloader.conftest import Host

ETAG = '"take-1"'
ASKED: dict[str, Any] = {"duration": 1, "aspect_ratio": "16:9", "resolution": "720P"}


async def fetch(downloader: Downloader, url: str, name: str = "a.mp4") -> Video:
    return await downloader.fetch(url, name=name, **ASKED)


def files(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "videos").iterdir())


@pytest.mark.parametrize(
    "behaviour",
    ["good", "chunked", "unannounced", "packed", "redirect", "redirect_relative", "range_ignored"],
)
async def test_brings_home(
    downloader: Downloader, host: Host, tmp_path: Path, sha256: str, behaviour: str
) -> None:
    """However a whole video is sent, it ends at its name, byte for byte, and nothing beside it."""
    video = await fetch(downloader, host.url(behaviour))
    assert files(tmp_path) == ["a.mp4"]
    assert video.sha256 == sha256
    assert video.sha256 == hashlib.sha256((tmp_path / "videos/a.mp4").read_bytes()).hexdigest()
    assert (video.name, video.width, video.height) == ("a.mp4", 192, 108)
    assert video.size_bytes == len(host.body)
    assert video.duration_s == pytest.approx(1, abs=0.01)


async def test_signed_link_arrives_letter_for_letter(downloader: Downloader, host: Host) -> None:
    """The escapes of a signed link are sent as they came."""
    await fetch(downloader, host.url("good"))
    assert host.asks[0].target == "/good?signature=a%2Fb+c"


@pytest.mark.parametrize("behaviour", ["cut", "cut_chunked", "cut_unannounced"])
async def test_cut_is_resumed(
    downloader: Downloader, host: Host, tmp_path: Path, sha256: str, behaviour: str
) -> None:
    """A cut transfer is told as such, and a fresh link goes on at the byte where it ended."""
    with pytest.raises(TransferBroken):
        await fetch(downloader, host.url(behaviour))
    assert files(tmp_path) == [".a.mp4.part", ".a.mp4.part.json"]
    assert (await fetch(downloader, host.url("good"))).sha256 == sha256
    assert host.asks[1].headers["range"] == f"bytes={len(host.body) // 2}-"
    assert host.asks[1].headers["if-range"] == ETAG
    assert files(tmp_path) == ["a.mp4"]


@pytest.mark.parametrize("behaviour", ["range_ignored", "wrong_range", "packed"])
async def test_unfit_answer_to_a_range_starts_over(
    downloader: Downloader, host: Host, sha256: str, behaviour: str
) -> None:
    """A host that ignores or misreads the range never gives a patched-up file."""
    with pytest.raises(TransferBroken):
        await fetch(downloader, host.url("cut"))
    assert (await fetch(downloader, host.url(behaviour))).sha256 == sha256


async def test_changed_etag_starts_over(downloader: Downloader, host: Host, sha256: str) -> None:
    """A part of another version of the file is thrown away."""
    host.etag = '"older"'
    with pytest.raises(TransferBroken):
        await fetch(downloader, host.url("cut"))
    host.etag = ETAG
    assert (await fetch(downloader, host.url("good"))).sha256 == sha256


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
async def test_without_strong_validator_starts_over(
    downloader: Downloader, host: Host, tmp_path: Path, sha256: str, etag: str | None
) -> None:
    """Without a strong ETag or an old enough date no part is ever continued."""
    host.etag = etag
    with pytest.raises(TransferBroken):
        await fetch(downloader, host.url("cut"))
    assert files(tmp_path) == [".a.mp4.part"]
    assert (await fetch(downloader, host.url("good"))).sha256 == sha256
    assert "range" not in host.asks[1].headers


async def test_416_of_a_whole_part_completes(
    downloader: Downloader, host: Host, tmp_path: Path, sha256: str
) -> None:
    """A part that turns out to be the whole file is verified and taken."""
    (tmp_path / "videos/.a.mp4.part").write_bytes(host.body)
    sidecar = '{"name": "a.mp4", "validator": "\\"take-1\\"", "size": null}'
    (tmp_path / "videos/.a.mp4.part.json").write_text(sidecar)
    assert (await fetch(downloader, host.url("good"))).sha256 == sha256
    assert len(host.asks) == 1


async def test_416_of_an_overlong_part_starts_over(
    downloader: Downloader, host: Host, tmp_path: Path, sha256: str
) -> None:
    """A part that is longer than the file is thrown away within the same try."""
    (tmp_path / "videos/.a.mp4.part").write_bytes(host.body + b"x")
    sidecar = '{"name": "a.mp4", "validator": "\\"take-1\\"", "size": null}'
    (tmp_path / "videos/.a.mp4.part.json").write_text(sidecar)
    assert (await fetch(downloader, host.url("good"))).sha256 == sha256


@pytest.mark.parametrize("text", ["", "[]", "{", '{"name": "b.mp4"}', '{"name": "a.mp4"}', "\0"])
async def test_damaged_companion_starts_over(
    downloader: Downloader, host: Host, tmp_path: Path, sha256: str, text: str
) -> None:
    """A part whose companion cannot be trusted is not continued."""
    (tmp_path / "videos/.a.mp4.part").write_bytes(b"x" * 50)
    (tmp_path / "videos/.a.mp4.part.json").write_text(text)
    assert (await fetch(downloader, host.url("good"))).sha256 == sha256
    assert "range" not in host.asks[0].headers


async def test_whole_part_needs_no_network(
    downloader: Downloader, host: Host, tmp_path: Path, sha256: str
) -> None:
    """A process killed between the last byte and the renaming costs no second download."""
    (tmp_path / "videos/.a.mp4.part").write_bytes(host.body)
    sidecar = f'{{"name": "a.mp4", "validator": "\\"x\\"", "size": {len(host.body)}}}'
    (tmp_path / "videos/.a.mp4.part.json").write_text(sidecar)
    assert (await fetch(downloader, host.url("good"))).sha256 == sha256
    assert host.asks == []


async def test_finished_file_is_taken(
    downloader: Downloader, host: Host, tmp_path: Path, sha256: str
) -> None:
    """A sound file of a killed process under this name is verified and taken."""
    (tmp_path / "videos/a.mp4").write_bytes(host.body)
    assert (await fetch(downloader, host.url("good"))).sha256 == sha256
    assert host.asks == []


async def test_damaged_finished_file_is_replaced_by_a_sound_one_only(
    downloader: Downloader, host: Host, tmp_path: Path, sha256: str
) -> None:
    """A damaged file stays until a sound one is there to replace it."""
    (tmp_path / "videos/a.mp4").write_bytes(host.body[:-1])
    with pytest.raises(LinkDead):
        await fetch(downloader, host.url("status_403"))
    assert files(tmp_path) == ["a.mp4"]
    assert (await fetch(downloader, host.url("good"))).sha256 == sha256


@pytest.mark.parametrize(
    "behaviour",
    [
        "html", "html_as_video", "json", "picture", "status_403", "status_404", "status_410",
        "redirect_file", "redirect_user", "redirect_nowhere", "redirect_loop",
    ],
)  # fmt: skip
async def test_dead_link(
    downloader: Downloader, host: Host, tmp_path: Path, behaviour: str
) -> None:
    """A refused link, or a page instead of a video, asks for a fresh link and writes nothing."""
    with pytest.raises(LinkDead) as caught:
        await fetch(downloader, host.url(behaviour))
    assert "signature" not in caught.value.message
    assert "secret" not in caught.value.message
    assert files(tmp_path) == []


async def test_dead_link_keeps_the_part(downloader: Downloader, host: Host, tmp_path: Path) -> None:
    """A page that comes instead of the rest does not cost what has come before."""
    with pytest.raises(TransferBroken):
        await fetch(downloader, host.url("cut"))
    for behaviour in ("html", "status_403", "status_500"):
        with pytest.raises((LinkDead, TransferBroken)):
            await fetch(downloader, host.url(behaviour))
    assert (tmp_path / "videos/.a.mp4.part").stat().st_size == len(host.body) // 2


@pytest.mark.parametrize(
    ("behaviour", "wait_s"),
    [("status_500", None), ("status_503", 7), ("status_429", 3), ("empty", None)],
)
async def test_passing_trouble(
    downloader: Downloader, host: Host, behaviour: str, wait_s: float | None
) -> None:
    """Trouble of the host asks for another try, after the wait that it names."""
    with pytest.raises(TransferBroken) as caught:
        await fetch(downloader, host.url(behaviour))
    assert caught.value.retry_after_s == wait_s


async def test_nothing_listens(downloader: Downloader, unused_tcp_port: int) -> None:
    """A host that is down asks for another try."""
    with pytest.raises(TransferBroken):
        await fetch(downloader, f"http://127.0.0.1:{unused_tcp_port}/x")


@pytest.mark.parametrize("behaviour", ["stalled", "silent", "drip"])
async def test_transfer_that_never_ends(host: Host, tmp_path: Path, behaviour: str) -> None:
    """Silence, and a drip that is never silent, both end within the stall limit or so."""
    async with Downloader(
        tmp_path / "videos", verify="boxes", allow_private=True, stall_s=0.2, connect_s=0.2
    ) as downloader:
        with pytest.raises(TransferBroken):
            await fetch(downloader, host.url(behaviour))


async def test_half_a_file_announced_as_whole(
    downloader: Downloader, host: Host, tmp_path: Path
) -> None:
    """A faststart file cut in half, with a fitting length, is no video; nothing of it is kept."""
    with pytest.raises(BadVideo, match="missing"):
        await fetch(downloader, host.url("half_as_whole"))
    assert files(tmp_path) == []


@pytest.mark.parametrize("head", [bytes(range(200, 232)), bytes(32)])
async def test_damaged_head(
    downloader: Downloader, host: Host, tmp_path: Path, head: bytes
) -> None:
    """A body announced as a video whose head is damaged is a bad video, not a page."""
    host.body = head + host.body[32:]
    with pytest.raises(BadVideo):
        await fetch(downloader, host.url("good"))
    assert files(tmp_path) == []


async def test_packed_body_that_ends_early(downloader: Downloader, host: Host) -> None:
    """A packed body that is cut is noticed, and never resumed."""
    with pytest.raises(TransferBroken):
        await fetch(downloader, host.url("packed_cut"))
    await fetch(downloader, host.url("good"))
    assert "range" not in host.asks[1].headers


async def test_more_than_announced(downloader: Downloader, host: Host, sha256: str) -> None:
    """Bytes past the announced length never get into the file."""
    try:
        assert (await fetch(downloader, host.url("overlong"))).sha256 == sha256
    except TransferBroken:
        assert (await fetch(downloader, host.url("good"))).sha256 == sha256


@pytest.mark.parametrize("behaviour", ["good", "chunked", "unannounced", "packed"])
async def test_over_the_size_limit(host: Host, tmp_path: Path, behaviour: str) -> None:
    """A body above the limit is refused, announced or not, and leaves nothing."""
    async with Downloader(
        tmp_path / "videos", verify="boxes", allow_private=True, max_bytes=5000
    ) as downloader:
        with pytest.raises(VideoTooLarge, match="MB that it may have"):
            await fetch(downloader, host.url(behaviour))
    assert files(tmp_path) == []


async def test_a_validator_that_is_the_key_is_not_kept(host: Host, tmp_path: Path) -> None:
    """The part cannot be resumed then, and is fetched anew."""
    key = "sk-very-secret"
    host.etag = f'"{key}"'
    folder = tmp_path / "videos"
    async with Downloader(folder, verify="boxes", allow_private=True, secret=key) as downloader:
        with pytest.raises(TransferBroken):
            await fetch(downloader, host.url("cut"))
        assert not [one for one in folder.iterdir() if b"sk-very" in one.read_bytes()]
        await fetch(downloader, host.url("good"))
    assert "if-range" not in host.asks[1].headers


@pytest.mark.parametrize("behaviour", ["huge", "endless"])
async def test_what_ten_seconds_cannot_need(
    downloader: Downloader, host: Host, behaviour: str
) -> None:
    """Two gigabytes are refused before they come, an endless body as soon as it is too long."""
    with pytest.raises(VideoTooLarge) as caught:
        await fetch(downloader, host.url(behaviour))
    assert host.sent_bytes < 35_000_000
    assert "reelsheet fetch MANIFEST --set output.max_video_mb=" in str(caught.value.action)
    assert list(downloader._folder.iterdir()) == []


OWN = """
sheet = 1
models = ["clip-2"]
source = "https://docs.example.com/clip-2"
read = 2026-11-22
[fields.aspect_ratio]
values = ["16:9"]
[fields.resolution]
values = ["720P"]
[frames]
"16:9 720P" = [200, 108]
"""


async def test_a_video_is_held_against_a_sheet_of_ones_own(
    downloader: Downloader, host: Host
) -> None:
    """Though it is another thread that looks at it."""
    put_up({"clip-2": read_sheet(OWN, "clip.toml")})
    try:
        video = await downloader.fetch(host.url("good"), name="a.mp4", **ASKED, model="clip-2")
    finally:
        put_up({})
    said = "The video has 192x108 pixels instead of 200x108 (16:9 at 720P)."
    assert video.warnings == (said,)


@pytest.mark.process
@pytest.mark.parametrize("level", ["first_frame", "full"])
async def test_decoded_video(host: Host, tmp_path: Path, sha256: str, level: str) -> None:
    """A sound video passes the decoding levels, and says in what it differs from the request."""
    async with Downloader(tmp_path / "videos", verify=level, allow_private=True) as downloader:
        video = await downloader.fetch(
            host.url("good"), name="a.mp4", duration=4, aspect_ratio="9:16", resolution="720P"
        )
    assert video.sha256 == sha256
    assert video.warnings == (
        "The video has 192x108 pixels instead of 720x1280 (9:16 at 720P).",
        "The video is 1.00 s long instead of 4 s.",
    )


@pytest.mark.process
async def test_zeroed_pictures_are_found_in_full(host: Host, tmp_path: Path) -> None:
    """Media data overwritten with zeros keeps its boxes, and is found by decoding all of it."""
    middle = len(host.body) // 2
    host.body = host.body[:middle] + bytes(len(host.body) - middle)
    async with Downloader(tmp_path / "videos", verify="full", allow_private=True) as downloader:
        with pytest.raises(BadVideo, match="played"):
            await fetch(downloader, host.url("good"))
    assert files(tmp_path) == []


@pytest.mark.parametrize("more_bytes", [0, 8])
async def test_short_and_long_files_are_told_alike(
    host: Host, tmp_path: Path, more_bytes: int
) -> None:
    """A file that is read at once and one that is read in pieces: the same video, whole or cut."""
    path = tmp_path / "a.mp4"
    room = READ_AT_ONCE_BYTES + more_bytes - len(host.body)
    path.write_bytes(host.body + struct.pack(">I4s", room, b"free").ljust(room))
    video = await verify_file(path, "boxes", Decoders())
    assert video.size_bytes == READ_AT_ONCE_BYTES + more_bytes
    assert video.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (video.width, video.height) == (192, 108)
    os.truncate(path, READ_AT_ONCE_BYTES - 1)
    with pytest.raises(BadVideo, match="missing"):
        await verify_file(path, "boxes", Decoders())


@pytest.mark.skipif(sys.platform == "win32", reason="needs links and pipes")
async def test_only_ordinary_files_are_read(host: Host, tmp_path: Path) -> None:
    """Neither a link, nor a folder, nor a pipe at which nobody writes is taken for a video."""
    (tmp_path / "real.mp4").write_bytes(host.body)
    (tmp_path / "link.mp4").symlink_to(tmp_path / "real.mp4")
    (tmp_path / "folder.mp4").mkdir()
    os.mkfifo(tmp_path / "pipe.mp4")
    for name in ("link.mp4", "folder.mp4", "pipe.mp4"):
        with pytest.raises(StoreError, match=name):
            await verify_file(tmp_path / name, "boxes", Decoders())


async def test_cancelled_try_keeps_its_part(
    downloader: Downloader, host: Host, tmp_path: Path, sha256: str
) -> None:
    """A cancelled try leaves what came, and the next one goes on there."""
    trying = asyncio.create_task(fetch(downloader, host.url("stalled")))
    part = tmp_path / "videos/.a.mp4.part"
    while not part.exists() or part.stat().st_size < 2000:  # noqa: ASYNC110  (only the disk tells)
        await asyncio.sleep(0.01)
    trying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trying
    assert (await fetch(downloader, host.url("good"))).sha256 == sha256
    assert host.asks[1].headers["range"] == "bytes=2000-"


KILLED = """
import asyncio, sys
from pathlib import Path
from pipeline.downloader.fetching import Downloader

async def main():
    async with Downloader(Path(sys.argv[1]), verify="boxes", allow_private=True) as downloader:
        await downloader.fetch(
            sys.argv[2], name="a.mp4", duration=1, aspect_ratio="16:9", resolution="720P"
        )

asyncio.run(main())
"""


@pytest.mark.process
async def test_killed_process_is_resumed(
    downloader: Downloader, host: Host, tmp_path: Path
) -> None:
    """What a killed process left of a long video is continued by the next one to the same bytes."""
    host.body += struct.pack(">I4s", LONG_BYTES, b"free").ljust(LONG_BYTES)
    came = len(host.body) - 1000
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, str(tmp_path / "videos"), host.url("stalled_late"),
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    part = tmp_path / "videos/.a.mp4.part"
    while not part.exists() or part.stat().st_size < came:
        assert process.returncode is None
        await asyncio.sleep(0.02)
    process.kill()
    await process.wait()
    video = await fetch(downloader, host.url("good"))
    assert video.sha256 == hashlib.sha256(host.body).hexdigest()
    assert host.asks[1].headers["range"] == f"bytes={came}-"


@pytest.mark.parametrize("total", [None, LONG_BYTES])
def test_a_long_video_has_its_companion_from_the_start(tmp_path: Path, total: int | None) -> None:
    """However the process ends, a long video, or one of unknown length, can be gone on with."""
    part = PartFile(tmp_path, "a.mp4")
    part.start_over(PartMark(ETAG, total))
    assert part.sidecar.exists()
    part.close()


def test_a_short_video_has_a_companion_only_where_it_is_left(tmp_path: Path) -> None:
    """Coming in one go it costs one file; broken off, or whole and not settled, it is kept."""
    part = PartFile(tmp_path, "a.mp4")
    part.start_over(PartMark(ETAG, 2))
    part.write(b"x")
    assert not part.sidecar.exists()
    part.close()
    assert PartFile(tmp_path, "a.mp4").mark == PartMark(ETAG, 2)
    part.start_over(PartMark(ETAG, 2))
    part.write(b"xy")
    part.close()
    assert not part.sidecar.exists()
    part.keep()
    assert PartFile(tmp_path, "a.mp4").whole
    part.settle()
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
    part.keep()
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs links and pipes")
def test_a_part_that_was_changed_for_something_else(tmp_path: Path) -> None:
    """Neither a link nor a pipe that came into the part's place is opened as a video."""
    part = PartFile(tmp_path, "a.mp4")
    part.path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError):
        part.open()
    part.path.unlink()
    os.mkfifo(part.path)
    descriptor = part.open()
    with pytest.raises(OSError, match="ordinary"):
        describe_open_file(descriptor, "a.mp4", None)
    os.close(descriptor)


def test_a_companion_alone_is_not_believed(tmp_path: Path) -> None:
    """What a kill left beside an older part says nothing of one that is begun after it."""
    part = PartFile(tmp_path, "a.mp4")
    part.sidecar.write_text('{"name": "a.mp4", "validator": "\\"take-1\\"", "size": 2}')
    part.start_over(None)
    part.write(b"x")
    part.close()
    assert PartFile(tmp_path, "a.mp4").mark is None
    assert [path.name for path in tmp_path.iterdir()] == [".a.mp4.part"]


def test_a_part_that_came_meanwhile_is_replaced(tmp_path: Path) -> None:
    """What lies in a part's place only when it is begun is no part of this video."""
    part = PartFile(tmp_path, "a.mp4")
    part.path.write_bytes(b"another's")
    part.start_over(None)
    part.write(b"x")
    part.close()
    assert part.path.read_bytes() == b"x"


def test_a_companion_without_room_says_nothing(tmp_path: Path) -> None:
    """What cannot be noted on the way out does not hide why the transfer ended."""
    part = PartFile(tmp_path, "a.mp4")
    part.start_over(PartMark(ETAG, 2))
    part.write(b"x")
    part.sidecar.mkdir()
    part.close()
    assert part.path.exists()


@pytest.mark.process
async def test_a_whole_video_that_no_decoder_saw_is_taken_without_the_host(
    host: Host, tmp_path: Path, sha256: str
) -> None:
    """Given up between its last byte and its place, a video is not asked for again."""
    async with Downloader(tmp_path / "videos", allow_private=True) as downloader:
        trying = asyncio.create_task(fetch(downloader, host.url("good")))
        part = tmp_path / "videos/.a.mp4.part"
        while not part.exists() or part.stat().st_size < len(host.body):  # noqa: ASYNC110
            await asyncio.sleep(0)
        trying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await trying
        assert (await fetch(downloader, host.url("status_410"))).sha256 == sha256


async def test_an_empty_answer_never_makes_an_old_part_whole(
    downloader: Downloader, host: Host, tmp_path: Path
) -> None:
    """A part without a companion is begun anew; an empty answer is a broken transfer."""
    part = tmp_path / "videos/.a.mp4.part"
    part.write_bytes(host.body[:2000])
    host.body = b""
    with pytest.raises(TransferBroken, match="empty"):
        await fetch(downloader, host.url("good"))


async def test_many_at_once(downloader: Downloader, host: Host, sha256: str) -> None:
    """Twenty videos at once all come home."""
    videos = await asyncio.gather(
        *(fetch(downloader, host.url("good"), f"{n}.mp4") for n in range(20))
    )
    assert {video.sha256 for video in videos} == {sha256}


async def test_private_hosts_are_refused_by_default(host: Host, tmp_path: Path) -> None:
    """Without leave, neither a literal nor a resolved private address is connected to."""
    async with Downloader(tmp_path / "videos", verify="boxes") as downloader:
        for link in (host.url("good"), f"http://localhost:{host.port}/good"):
            with pytest.raises(LinkDead, match="private"):
                await fetch(downloader, link)
    assert host.asks == []


@pytest.mark.parametrize("name", ["../a.mp4", "a/b.mp4", "a\\b.mp4", "", ".", "..", "C:a", "a\0"])
async def test_names_are_plain(downloader: Downloader, host: Host, name: str) -> None:
    """A name that would leave the folder is refused before anything happens."""
    with pytest.raises(ValueError, match="plain file name"):
        await fetch(downloader, host.url("good"), name)
    assert host.asks == []


@pytest.mark.parametrize("link", [".a.mp4.part", "a.mp4"])
async def test_links_are_not_followed(
    downloader: Downloader, host: Host, tmp_path: Path, link: str
) -> None:
    """A link in place of the part or the video never leads a write elsewhere."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"precious")
    (tmp_path / "videos" / link).symlink_to(elsewhere)
    try:
        await fetch(downloader, host.url("good"))
    except StoreError:
        assert link == "a.mp4"
    assert elsewhere.read_bytes() == b"precious"


async def test_linked_folder_is_refused(tmp_path: Path) -> None:
    """A videos folder that is a link is refused with a message that names it."""
    (tmp_path / "videos").symlink_to(tmp_path)
    with pytest.raises(StoreError, match="videos is a link"):
        async with Downloader(tmp_path / "videos"):
            pass


async def test_folder_that_went_away(downloader: Downloader, host: Host, tmp_path: Path) -> None:
    """An output folder that is gone is the fault of the store, not of the link."""
    (tmp_path / "videos").rmdir()
    with pytest.raises(StoreError):
        await fetch(downloader, host.url("good"))
