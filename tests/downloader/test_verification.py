"""Decoding in child processes that may hang, crash, or lose their parent."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from pipeline.downloader import verification
from pipeline.downloader.verification import Decoders, verify_file
from pipeline.errors import BadVideo, StoreError, Unfinished

READY = "import json, os, sys, time\nprint(json.dumps({'ready': True}), flush=True)\n"
FOOTAGE = "print(json.dumps({'width': 1, 'height': 2, 'duration_s': 3}), flush=True)\n"


def program(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "program.py"
    path.write_text(text)
    return path


@pytest.mark.process
async def test_as_many_decode_as_there_are_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None answers before three files are there, which only three processes together leave."""
    monkeypatch.setattr(verification, "usable_cores", lambda: 3)
    text = (
        f"import glob\nopen({str(tmp_path / 'at-')!r} + str(os.getpid()), 'w').close()\n"
        "for line in sys.stdin:\n"
        f"    while len(glob.glob({str(tmp_path / 'at-*')!r})) < 3: time.sleep(0.01)\n"
        f"    {FOOTAGE}"
    )
    video = tmp_path / "a.mp4"
    video.write_bytes(b"video")
    async with Decoders(program=program(tmp_path, READY + text), limit_s=30) as decoders:
        await asyncio.gather(*(decoders.examine(video, full=False) for _ in range(3)))


@pytest.mark.process
async def test_sound_video(tmp_path: Path, video: bytes) -> None:
    """One process answers for several videos, by first frame and in full."""
    path = tmp_path / "ä b.mp4"
    path.write_bytes(video)
    async with Decoders() as decoders:
        for full in (False, True, False):
            footage = await decoders.examine(path, full=full)
            assert (footage.width, footage.height) == (192, 108)
            assert footage.duration_s == pytest.approx(1, abs=0.01)


@pytest.mark.process
async def test_nothing_of_the_working_folder_is_imported(
    tmp_path: Path, video: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Modules of that folder which are called like ours, or like a library, are never executed."""
    marker = tmp_path / "executed"
    for name in ("av", "json", "queue", "typing", "aiohttp", "pipeline", "sitecustomize"):
        (tmp_path / name).mkdir()
        for path in (tmp_path / f"{name}.py", tmp_path / name / "__init__.py"):
            path.write_text(f"open({str(marker)!r}, 'a').write({name!r})\nraise SystemExit(9)\n")
    (tmp_path / "a.mp4").write_bytes(video)
    monkeypatch.chdir(tmp_path)
    async with Decoders() as decoders:
        assert (await decoders.examine(Path("a.mp4"), full=True)).width == 192
    assert not marker.exists()


@pytest.mark.process
async def test_many_videos_at_once(tmp_path: Path, video: bytes) -> None:
    """More orders than processes wait for their turn."""
    path = tmp_path / "a.mp4"
    path.write_bytes(video)
    async with Decoders() as decoders:
        found = await asyncio.gather(*(decoders.examine(path, full=False) for _ in range(10)))
    assert len(found) == 10


@pytest.mark.process
@pytest.mark.parametrize("data", [b"", b"#EXTM3U\nhttp://127.0.0.1/x\n", bytes(5000)])
async def test_what_is_no_video(tmp_path: Path, data: bytes) -> None:
    """A file that is no MP4 is a fault, and no other reader is tried."""
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    async with Decoders() as decoders:
        with pytest.raises(BadVideo):
            await decoders.examine(path, full=False)


@pytest.mark.process
async def test_hanging_decoder_is_replaced(tmp_path: Path) -> None:
    """A video over which the decoder hangs is bad; the next one gets a fresh process."""
    flag = tmp_path / "hung"
    hangs_once = (
        f"{READY}for _ in sys.stdin:\n"
        f"    if not os.path.exists({str(flag)!r}):\n"
        f"        open({str(flag)!r}, 'w').close(); time.sleep(60)\n"
        f"    {FOOTAGE}"
    )
    async with Decoders(limit_s=0.3, program=program(tmp_path, hangs_once)) as decoders:
        with pytest.raises(BadVideo, match="longer than"):
            await decoders.examine(flag, full=False)
        assert (await decoders.examine(flag, full=False)).width == 1


@pytest.mark.process
async def test_crash_is_given_a_second_chance(tmp_path: Path) -> None:
    """A process that was ended from outside costs the video nothing."""
    flag = tmp_path / "crashed"
    crashes_once = (
        f"{READY}sys.stdin.readline()\n"
        f"if not os.path.exists({str(flag)!r}):\n"
        f"    open({str(flag)!r}, 'w').close(); os._exit(3)\n{FOOTAGE}"
    )
    async with Decoders(program=program(tmp_path, crashes_once)) as decoders:
        assert (await decoders.examine(flag, full=False)).width == 1


@pytest.mark.process
async def test_crash_every_time_is_the_video(tmp_path: Path) -> None:
    """A video over which two processes crash is bad."""
    crashes = f"{READY}sys.stdin.readline()\nos._exit(3)\n"
    async with Decoders(program=program(tmp_path, crashes)) as decoders:
        with pytest.raises(BadVideo, match="crashes"):
            await decoders.examine(tmp_path, full=False)


@pytest.mark.process
@pytest.mark.parametrize(
    "text", ["raise SystemExit(1)", 'print(\'{"ready": false, "error": "no av"}\')']
)
async def test_decoder_that_does_not_start(tmp_path: Path, text: str) -> None:
    """A broken installation is not held against the video."""
    async with Decoders(program=program(tmp_path, text)) as decoders:
        with pytest.raises(Unfinished, match="does not start"):
            await decoders.examine(tmp_path, full=False)


@pytest.mark.process
async def test_cancelled_order(tmp_path: Path, video: bytes) -> None:
    """After a cancelled order the next one gets its own answer, not the old one's."""
    path = tmp_path / "a.mp4"
    path.write_bytes(video)
    async with Decoders(processes=1) as decoders:
        await decoders.examine(path, full=False)
        order = asyncio.create_task(decoders.examine(path, full=True))
        await asyncio.sleep(0)
        order.cancel()
        with pytest.raises(asyncio.CancelledError):
            await order
        assert (await decoders.examine(path, full=False)).width == 192


PARENT = """
import asyncio, sys
from pathlib import Path
from pipeline.downloader.verification import Decoders

async def main():
    async with Decoders(processes=1) as decoders:
        await decoders.examine(Path(sys.argv[1]), full=False)
        print(decoders._all[0]._process.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and ") Z " in stat.read_text()


@pytest.mark.process
@pytest.mark.skipif(os.name != "posix", reason="asks for processes by signal 0")
async def test_child_ends_with_a_killed_parent(tmp_path: Path, video: bytes) -> None:
    """No decoding process outlives a run that was killed."""
    path = tmp_path / "a.mp4"
    path.write_bytes(video)
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(path),
        stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(20):
        while not gone(child):  # noqa: ASYNC110  (another process tells no event)
            await asyncio.sleep(0.02)


@pytest.mark.process
@pytest.mark.parametrize("level", ["boxes", "first_frame", "full"])
async def test_verify_file(tmp_path: Path, video: bytes, sha256: str, level: str) -> None:
    """An existing file is verified at every level, and a cut one fails at every level."""
    path = tmp_path / "a.mp4"
    path.write_bytes(video)
    async with Decoders() as decoders:
        assert (await verify_file(path, level, decoders)).sha256 == sha256
        path.write_bytes(video[: len(video) // 2])
        with pytest.raises(BadVideo):
            await verify_file(path, level, decoders)


async def test_verify_missing_file(tmp_path: Path) -> None:
    """A file that is not there is the store's matter, named with its path."""
    with pytest.raises(StoreError, match=r"gone\.mp4"):
        await verify_file(tmp_path / "gone.mp4", "boxes", Decoders())
