"""Two runs at once on one output folder."""

from __future__ import annotations

import json
import signal

from tests.system.harness import invariants, sheets
from tests.system.harness.api import Api, wait_for
from tests.system.harness.product import Product


def test_the_second_run_is_turned_away(product: Product, api: Api) -> None:
    """It exits 75 at once and names the owner; the owner's SIGKILL frees the folder."""
    manifest = sheets.write(product.folder / "shop.csv", sheets.rows(3))
    out = product.folder / "outputs" / "shop"
    api.faults("query_never_finishing")
    mark = api.mark()
    first = product.start("run", manifest)
    wait_for("the tasks", lambda: len(api.calls("query", since=mark)) >= 3)
    for command in (("run",), ("resolve", "P0001", "--not-sent")):
        second = product(command[0], manifest, *command[1:])
        assert second.code == 75, second.err
        assert f"process {first.pid} on " in second.err
    assert product("status", manifest, "--json").json["states"] == {"running": 3}
    first.send_signal(signal.SIGKILL)
    product.end(first)
    api.faults()
    assert json.loads((out / "cache" / "run.owner.json").read_text())["pid"] == first.pid
    assert product("run", manifest).code == 0
    assert len(api.calls("submit", since=mark)) == 3
    invariants.hold(api, product, manifest, out, manifest.read_bytes())
