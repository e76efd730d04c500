"""A working folder that holds Python files of a stranger: none of them is imported or executed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.harness import sheets
from tests.system.harness.api import KEY, Api, wait_for
from tests.system.harness.product import Product

NAMES = ("typing", "aiohttp", "json", "av", "numpy", "multiprocessing", "sqlite3", "PIL", "pandas")
"""Modules that our processes import; each is in the working folder under another's hand."""

TRAP = "import pathlib, sys\npathlib.Path({mark!r}).touch()\nsys.exit('a stranger was imported')\n"

INSTALLED = (
    "-P",
    "-c",
    "import sys; sys.argv[0] = 'reelsheet'; from pipeline.cli.app import main; main()",
)
"""What the console script does: its own folder is on the path, the working folder is not."""


@pytest.fixture(params=["modules", "package"])
def stranger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Product]:
    """The product in a folder where every import would be noticed."""
    trap = TRAP.format(mark=str(tmp_path / "imported"))
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text(trap)
    if request.param == "modules":
        (tmp_path / "pipeline.py").write_text(trap)
    else:
        for package in ("pipeline", "pipeline/emulator", "reelsheet"):
            (tmp_path / package).mkdir()
            (tmp_path / package / "__init__.py").write_text(trap)
    product = Product(tmp_path, None, None)
    yield product
    product.close()


@pytest.mark.process
def test_nothing_of_a_strangers_folder_is_imported(stranger: Product) -> None:
    """The command, the emulator, its renderers and the decoders: a whole rehearsal passes."""
    folder = stranger.folder
    lines = sheets.rows(1, duration="4")
    lines[0]["image_1"] = sheets.picture(folder / "mug.jpg").name
    manifest = sheets.write(folder / "shop.xlsx", lines)
    done = stranger("run", manifest, "--set", "output.verify=full", program=INSTALLED)
    assert done.code == 0, done.err
    assert not (folder / "imported").exists()


@pytest.mark.process
def test_the_emulator_by_hand_imports_nothing_of_it_either(stranger: Product) -> None:
    """`emulate` as it is installed, and the processes that render for it, which get no key."""
    folder = stranger.folder
    script = folder / "bin" / "reelsheet"
    script.parent.mkdir()
    script.write_text(
        "from pipeline.cli.app import main\n\nif __name__ == '__main__':\n    main()\n"
    )
    env = {"TOAPIS_API_KEY": KEY, "SHOP_KEY": KEY}
    process = stranger.start("emulate", "--median-s", "0.1", program=[str(script)], env=env)
    assert process.stdout is not None
    api = Api(json.loads(process.stdout.readline())["base_url"], process.pid)
    task_id = api.submit("a red mug", 4)
    try:
        wait_for("the video", lambda: api.task(task_id)["status"] == "completed")
        assert not (folder / "imported").exists()
        if sys.platform == "linux":
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            assert children
            assert not [one for one in children if KEY in Path("/proc", one, "environ").read_text()]
    finally:
        process.terminate()
        stranger.end(process)


@pytest.mark.process
def test_the_traps_would_be_noticed(stranger: Product) -> None:
    """A Python that has the working folder on its path runs into them."""
    caught = stranger(program=("-c", "import pandas"))
    assert caught.code == 1
    assert (stranger.folder / "imported").exists()
