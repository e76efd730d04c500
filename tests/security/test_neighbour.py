"""Another user of the machine, while a rehearsal is at work: no door is open to him."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pipeline.config.loading import load
from pipeline.model import Request
from pipeline.runner.rehearsal import open_provider
from tests.security import neighbour
from tests.system.harness import sheets
from tests.system.harness.api import wait_for
from tests.system.harness.product import Product

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(neighbour.why_not() is not None, reason=str(neighbour.why_not())),
]

ADDRESS = re.compile(rb"127\.0\.0\.1:\d+/[0-9a-f]{32}")
KEY = "sk-of-the-owner-0123456789"


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder under which everybody may look."""
    before = os.umask(0o022)
    with neighbour.open_folder() as folder:
        yield folder
    os.umask(before)


def requests_for(*paths: str) -> list[str]:
    """Return what a stranger would ask, who knows all paths and no secret."""
    return [
        f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer x\r\n"
        "Content-Length: 0\r\nConnection: close\r\n\r\n"
        for path in paths
        for method in ("GET", "POST")
        for host in ("127.0.0.1", "localhost", "rebound.example")
    ]


async def test_the_emulator_of_a_rehearsal_answers_nobody_else(shared: Path) -> None:
    """Pictures, videos, records and submissions; the secret shows nowhere."""
    picture = sheets.picture(shared / "secret.png")
    picture.chmod(0o600)
    async with open_provider(load(None, environ={}), shared / "cache" / "emulator") as api:
        link = await api.upload(picture, "image/png")
        request = Request(
            "seo-launch-of-july", (), 4, "16:9", "720P", "gemini_omni_flash", "0" * 64
        )
        task_id = await api.submit(request, [link], "A-1")
        address = api._caller._address
        paths = (
            "/", "/v1/balance", "/v1/models", f"/v1/videos/generations/{task_id}",
            "/v1/videos/generations/A-1", "/v1/uploads/images", "/emulator/records",
            "/emulator/faults", urlsplit(link).path,
        )  # fmt: skip
        ports = [urlsplit(one).port or 0 for one in (address, link)]
        seen = neighbour.look(shared, ports=ports, requests=requests_for(*paths))
    assert len(seen.answers) == 2 * len(requests_for(*paths))
    for answer in seen.answers:
        head, _, body = answer.partition("\r\n\r\n")
        assert (head.split()[1], body) == ("404", "")
    secret = urlsplit(address).path[1:]
    assert len(secret) == 32
    assert not [line for line in seen.lines if secret in line]
    assert not [one for one in seen.environments if secret in one]
    assert list(seen.files) == []


@pytest.mark.long
def test_what_is_for_its_owner_alone_stays_so_in_a_rehearsal(shared: Path) -> None:
    """Manifest and picture of mode 0600 in a folder that all may enter: nothing of them is read."""
    picture = sheets.picture(shared / "mug.png")
    manifest = sheets.write(
        shared / "shop.csv",
        [
            sheets.row("A", prompt="seo-launch-of-july", duration="4", image_1=picture.name),
            sheets.row("B", prompt="seo-launch [fault:query_never_finishing]", duration="4"),
        ],
    )
    for path in (picture, manifest):
        path.chmod(0o600)
    product = Product(shared, None, KEY)
    running = product.start("run", manifest)
    out = shared / "outputs" / "shop.rehearsal"
    try:
        wait_for("the first video", lambda: list((out / "videos").glob("A.mp4")))
        meanwhile = neighbour.look(shared)
        environments = [(child / "environ").read_bytes() for child in _descendants(running.pid)]
    finally:
        running.terminate()
        product.end(running)
    afterwards = neighbour.look(shared)
    assert meanwhile.lines
    assert [*meanwhile.files, *afterwards.files] == []
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    copies = [*out.glob("*.csv"), out / "summary.json", *(out / "cache").rglob("*.png")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in copies} == {0o600}
    assert len(environments) >= 2, "the emulator, its renderers and a decoder"
    assert not [one for one in environments if KEY.encode() in one]
    for path in out.rglob("*"):
        assert not (path.is_file() and ADDRESS.search(path.read_bytes())), path
    assert not ADDRESS.search("".join(product.said).encode())


@pytest.mark.long
def test_a_private_picture_is_in_no_video_that_others_see(shared: Path) -> None:
    """The manifest is open to all, and its picture to its owner alone."""
    picture = sheets.picture(shared / "mug.png")
    row = sheets.row("A", prompt="seo-launch-of-july", duration="4", image_1=picture.name)
    manifest = sheets.write(shared / "shop.csv", [row])
    manifest.chmod(0o644)
    picture.chmod(0o600)
    product = Product(shared, None, KEY)
    done = product("run", manifest)
    assert done.code == 0, done.err
    seen = neighbour.look(shared)
    out = shared / "outputs" / "shop.rehearsal"
    assert str(manifest) in seen.files
    assert str(out / "results.csv") in seen.files
    assert not [name for name in seen.files if name.endswith((".mp4", ".png", ".jpg", ".db"))]
    assert stat.S_IMODE((out / "videos" / "A.mp4").stat().st_mode) == 0o600


def _descendants(pid: int) -> list[Path]:
    """Return the processes that a process has started, and those that they have."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [Path("/proc", child), *_descendants(int(child))]
    return found
