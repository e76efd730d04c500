"""A live run says where the key goes, and asks before it goes there for the first time."""

from __future__ import annotations

from pathlib import Path

from pipeline.config.values import origin_of
from tests.system.harness import sheets
from tests.system.harness.api import Api
from tests.system.harness.product import Product

VARIABLE = {"api.key_env": "SHOP_KEY"}


def shop(product: Product, rows: int) -> tuple[Path, Path]:
    """Write a manifest of so many rows; return it and its output folder."""
    manifest = sheets.write(product.folder / "shop.csv", sheets.rows(rows))
    return manifest, product.folder / "outputs" / "shop"


def test_another_variable_is_asked_about_once(product: Product, api: Api) -> None:
    """Without a terminal it ends with 2 and sends nothing; --yes says so for good."""
    manifest, _ = shop(product, 1)
    env = {"SHOP_KEY": str(product.key)}
    mark = api.mark()
    plan = product("plan", manifest, sets=VARIABLE, env=env)
    assert plan.code == 0
    assert f"a run is live at {origin_of(api.base_url)}, key from SHOP_KEY" in plan.out
    for command in ("run", "retry", "fetch"):
        refused = product(command, manifest, sets=VARIABLE, env=env)
        assert refused.code == 2, refused.err
        assert (
            f"first live run to {origin_of(api.base_url)} with a key from SHOP_KEY" in refused.err
        )
        assert "--yes" in refused.err
    assert api.calls(since=mark) == []
    agreed = product("run", manifest, "--yes", sets=VARIABLE, env=env)
    assert agreed.code == 0, agreed.err
    assert f"live at {origin_of(api.base_url)}, key from SHOP_KEY" in agreed.err
    shop(product, 2)
    assert product("run", manifest, sets=VARIABLE, env=env).code == 0


def test_settling_sends_no_key_to_a_strange_host(product: Product, api: Api) -> None:
    """Look-ups go where the key goes, too."""
    manifest, _ = shop(product, 1)
    api.faults("submit_reset*1")
    assert product("run", manifest, sets={"api.lookup_s": "0.3"}).code == 3
    mark = api.mark()
    env = {"SHOP_KEY": str(product.key)}
    refused = product("resolve", manifest, "--look-up", sets=VARIABLE, env=env)
    assert refused.code == 2, refused.err
    assert "first live run" in refused.err
    assert api.calls(since=mark) == []
