"""Pictures that cells name in buckets are fetched once, and again when they change."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import obstore
import pytest
from PIL import Image

from pipeline.checker.check import CheckedManifest, check_manifest
from pipeline.config.loading import load
from pipeline.model import PictureFault
from pipeline.storage import pictures
from pipeline.storage.pictures import fetch_pictures
from tests.system.harness import sheets
from tests.system.harness.api import KEY, emulator
from tests.system.harness.bucket import SECRET, Bucket, Faults
from tests.system.harness.invariants import no_secret
from tests.system.harness.product import Product

NAME = "spring 24/Größe #1, 38%.jpg"


def photograph(colour: str) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (640, 520), colour).save(content, "JPEG")
    return content.getvalue()


def fault(found: Path | PictureFault) -> PictureFault:
    assert isinstance(found, PictureFault)
    return found


def checked(folder: Path, *cells: str) -> CheckedManifest:
    lines = (f'{number},A kettle,"{cell}"\n' for number, cell in enumerate(cells))
    path = folder / "shop.csv"
    path.write_text("sku,prompt,image_1\n" + "".join(lines), "utf-8")
    config = load(None, environ={}, overrides=())
    return check_manifest(path, config, cache_dir=folder / "out" / "cache")


def test_a_picture_is_fetched_once_and_again_when_it_changes(
    bucket: Bucket, faults: Faults, tmp_path: Path
) -> None:
    """Its row asks for the bytes, as with a local file; one request says that they are the same."""
    address = f"s3://{bucket.name}/{NAME}"
    obstore.put(bucket.store(), NAME, photograph("red"))
    (tmp_path / "local.jpg").write_bytes(photograph("red"))
    before = checked(tmp_path, address, address, "local.jpg")
    assert before.valid == 3
    assert len({one.images for one in before.requests.values()}) == 1
    assert len(faults.seen) == 1
    (picture,) = (one for one in before.files if one.name != "local.jpg")
    assert picture.name == "Gr_e_1_38_.jpg"
    assert picture.read_bytes() == photograph("red")
    noted = picture.stat()
    assert checked(tmp_path, address, "local.jpg").requests[2] == before.requests[2]
    assert (picture.stat().st_ino, picture.stat().st_mtime_ns) == (
        noted.st_ino,
        noted.st_mtime_ns,
    )
    assert len(faults.seen) == 2
    obstore.put(bucket.store(), NAME, photograph("blue"))
    assert checked(tmp_path, address).requests[2].images != before.requests[2].images
    assert picture.read_bytes() == photograph("blue")
    picture.unlink()  # what a cache has lost is fetched again
    assert not checked(tmp_path, address).problems


def test_what_is_wrong_is_said(bucket: Bucket, faults: Faults, tmp_path: Path) -> None:
    """Each row is told of its own picture; a link in the cache is not followed."""
    faults.methods = ("GET",)
    names = {one: f"s3://{bucket.name}/{one}.jpg" for one in ("a", "large", "lost")}
    names["nowhere"] = "s3://no-such-bucket-here/a.jpg"
    obstore.put(bucket.store(), "a.jpg", b"1234")
    obstore.put(bucket.store(), "large.jpg", b"12345")
    told: list[tuple[int, int]] = []
    found = fetch_pictures(names.values(), tmp_path, 4, lambda *one: told.append(one))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert isinstance(found[names["a"]], Path)
    assert fault(found[names["large"]]).code == "too_large"
    for one in ("lost", "nowhere"):
        assert fault(found[names[one]]).code == "missing"
        assert fault(found[names[one]]).message.startswith(f"{names[one]} is missing")
    faults.fault = "403"
    refused = fault(fetch_pictures([names["a"]], tmp_path, 4)[names["a"]])
    assert "s3:GetObject" in refused.message
    assert SECRET not in repr(refused)
    faults.fault = ""
    kept = found[names["a"]]
    assert isinstance(kept, Path)
    (tmp_path / "elsewhere").mkdir()
    for part in kept.parent.iterdir():
        part.unlink()
    kept.parent.rmdir()
    kept.parent.symlink_to(tmp_path / "elsewhere")
    assert "link" in fault(fetch_pictures([names["a"]], tmp_path, 4)[names["a"]]).message
    assert not list((tmp_path / "elsewhere").iterdir())


def test_without_the_library_one_sentence_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is loaded for such cells alone: all other rows are as they were."""
    monkeypatch.setitem(sys.modules, "obstore", None)
    monkeypatch.delitem(sys.modules, "pipeline.storage.bucket", raising=False)
    (tmp_path / "local.jpg").write_bytes(photograph("red"))
    found = checked(tmp_path, "local.jpg", "https://a.example/b.jpg", "gs://bucket/a.jpg")
    assert [(one.row, one.message) for one in found.problems] == [
        (4, 'Pictures in a bucket need one library more: pip install "reelsheet[cloud]".')
    ]


@pytest.mark.long
@pytest.mark.parametrize("down", ["503", "cut"])
def test_a_bucket_that_is_down_is_not_asked_for_each(
    bucket: Bucket, faults: Faults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, down: str
) -> None:
    """Thousands of rows would wait for it one after the other."""
    monkeypatch.setattr(pictures, "_AT_ONCE", 2)
    faults.fault, faults.methods = down, ("GET",)
    addresses = [f"s3://{bucket.name}/{number}.jpg" for number in range(40)]
    found = fetch_pictures(addresses, tmp_path, 4)
    for address in addresses:
        assert fault(found[address]).message.startswith(f"{address}: The bucket s3://{bucket.name}")
        assert "Run again later" in fault(found[address]).message
    assert len(faults.seen) <= 12


@pytest.mark.long
def test_a_run_with_pictures_in_a_bucket(tmp_path: Path, bucket: Bucket, faults: Faults) -> None:
    """The API gets them as it gets local ones, and the next run asks whether they are the same."""
    obstore.put(bucket.store(), NAME, photograph("red"))
    with emulator(tmp_path / "api") as api:
        (tmp_path / "ein Ordner ü").mkdir()
        product = Product(tmp_path / "ein Ordner ü", api.base_url, KEY, {})
        rows = [one | {"image_1": f"s3://{bucket.name}/{NAME}"} for one in sheets.rows(2)]
        shop = sheets.write(product.folder / "shop.csv", rows)
        assert product("run", shop.name).code == 0
        sent = api.records()["submissions"]
        assert len(sent) == 2
        assert all(SECRET not in repr(one) and "s3://" not in repr(one) for one in sent)
        calls, seen = api.mark(), len(faults.seen)
        assert product("run", shop.name).code == 0
        assert not api.calls(since=calls)
        assert [method for method, _ in faults.seen[seen:]] == ["GET"]
        no_secret(product, SECRET)
