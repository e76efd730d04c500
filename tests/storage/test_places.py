"""The addresses of places, and where new videos go."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipeline.config.loading import load
from pipeline.disk.folder import OutputFolder
from pipeline.errors import ConfigError
from pipeline.storage.opening import open_place, place_for
from pipeline.storage.places import address_of, is_bucket, public_address


def test_where_new_videos_go(tmp_path: Path) -> None:
    """Into a folder that is called as the output folder is; without the setting nowhere else."""
    folder = OutputFolder(tmp_path / "shop.rehearsal")
    assert place_for(load(None, environ={}), folder) is None
    for asked, address in (
        (f"{tmp_path}/nas", f"{tmp_path}/nas/shop.rehearsal"),
        ("s3://my-videos", "s3://my-videos/shop.rehearsal"),
        ("gs://my-videos/a b/c/", "gs://my-videos/a b/c/shop.rehearsal"),
    ):
        config = load(None, environ={}, overrides=[f"output.videos={asked}"])
        place = place_for(config, folder)
        assert place is not None
        assert place.address == address


@pytest.mark.parametrize(
    "asked",
    [
        "ftp://x/y",
        "s3://",
        "s3:/bucket",
        "S3://bucket",
        "s3:bucket",
        "s3://my bucket",
        "s3://key:secret@bucket",
        "s3://bucket/../x",
        "s3://bucket?x=1",
        "''",
    ],
)
def test_what_is_no_place(asked: str) -> None:
    """A key in an address is never shown."""
    with pytest.raises(ConfigError) as caught:
        load(None, environ={}, overrides=[f"output.videos={asked}"])
    assert "output.videos" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("asked", ["http://x.example", "x.example", "https://a:b@x", "https://x?y"])
def test_what_is_no_web_address(asked: str) -> None:
    """Links in a workbook are followed by people: encrypted, and nothing but an address."""
    with pytest.raises(ConfigError, match="link_base"):
        load(None, environ={}, overrides=[f"output.link_base={asked}"])


def test_without_the_library_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is an extra: whoever keeps videos in folders does not need it."""
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(ConfigError) as caught:
        open_place("s3://bucket/shop")
    assert str(caught.value) == (
        'Videos in a bucket need one library more: pip install "reelsheet[cloud]".'
    )
    assert "docs/install.md" in str(caught.value.action)


def test_addresses_of_files(tmp_path: Path) -> None:
    """Paths for folders; each part of a web address is escaped."""
    assert is_bucket("az://videos/x")
    assert not is_bucket("/mnt/videos")
    assert address_of("s3://b/shop", "a b.mp4") == "s3://b/shop/a b.mp4"
    assert address_of(str(tmp_path), "a.mp4") == str(tmp_path / "a.mp4")
    public = public_address("https://v.example/s", "s3://b/x/shop #1/Größe 38.mp4")
    assert public == "https://v.example/s/shop%20%231/Gr%C3%B6%C3%9Fe%2038.mp4"
    assert public_address("https://v.example", "/mnt/shop/a.mp4") == "https://v.example/shop/a.mp4"
