"""Several manifests on one page: each take's decision goes to its own journal."""

from __future__ import annotations

import json
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from pipeline.config.settings import Config
from pipeline.errors import UsageError
from pipeline.journal.decisions import read_decisions
from pipeline.manifest.invocation import Invocation
from pipeline.review.recording import import_file
from pipeline.review.static import Reviewed
from pipeline.review.takes import rows_with_takes
from pipeline.review.together import Groups, write_joint_page
from tests.review.browser import page_of, served
from tests.review.shop import Shop, make_shop


@pytest.fixture
def shops(tmp_path: Path) -> list[Shop]:
    made = []
    for name, keys in (("north", "MUG BAG"), ("south", "MUG TEA")):
        (tmp_path / name).mkdir()
        shop = make_shop(tmp_path / name, keys, folder=f"../outputs/{name}")
        shop.make("MUG", content=name.encode())
        made.append(shop)
    return made


def reviewed(shop: Shop) -> Reviewed:
    return Reviewed.of(shop.check(), shop.folder, Config(), Invocation(shop.manifest))


def read_data(script: bytes) -> dict[str, object]:
    text = script.decode("ascii").removeprefix("const REVIEW_DATA = JSON.parse(")
    data: dict[str, object] = json.loads(json.loads(text[:-3]))
    return data


def test_equal_columns_are_one_group() -> None:
    """By its values whatever their order in each manifest; the manifests are a group themselves."""
    shop = {"name": "shop", "values": ["a", "b"]}
    groups = Groups([("x.csv", [shop]), ("y.csv", [{"name": "size", "values": ["1"]}]),
                     ("z.csv", [{"name": "shop", "values": ["b", "c"]}])])  # fmt: skip
    assert [one["name"] for one in groups.all] == ["manifest", "shop", "size"]
    assert groups.all[1]["values"] == ["a", "b", "c"]
    assert groups.place(0, {"groups": [1]}) == {"m": 0, "groups": [0, 1, -1]}
    assert groups.place(1, {"groups": [0]}) == {"m": 1, "groups": [1, -1, 0]}
    assert groups.place(2, {"groups": [1]}) == {"m": 2, "groups": [2, 2, -1]}
    single = Groups([("x.csv", [shop])])
    card = {"groups": [1]}
    assert single.place(0, card) is card
    assert single.all == [shop]


def test_new_decisions_and_videos_are_told_with_their_manifest(shops: list[Shop]) -> None:
    """A version tells of every journal; cards have their places in the list of all."""
    page = page_of(*shops)
    before, left = page.look(), page.left
    shops[1].make("TEA")
    assert page.look() != before
    assert page.left == left + 1
    news = page.news_since(before)
    assert [(at, card["m"], card["key"]) for at, card in news.cards] == [(3, 1, "TEA")]
    assert not page.news_since(news.version)
    assert len(page.news_since("0").cards) == 4


async def test_each_journal_gets_its_own_decisions(shops: list[Shop]) -> None:
    """Rows of the same key are told apart; each file comes from its own folder."""
    async with served(*shops) as address, aiohttp.ClientSession() as client:
        async with client.get(f"{address}review/data.js") as reply:
            data = read_data(await reply.read())
        cards = data["cards"]
        assert isinstance(cards, list)
        assert [card["m"] for card in cards] == [0, 0, 1, 1]
        for at, name in enumerate(("north", "south")):
            async with client.get(f"{address}m{at}/videos/MUG.mp4") as reply:
                assert (await reply.read()).startswith(name.encode())
        async with client.get(f"{address}videos/MUG.mp4") as reply:
            assert reply.status == 404
        decisions = [
            {"m": at, "entry": "MUG", "number": 1, "sha256": cards[2 * at]["takes"][0]["sha256"],
             "verdict": verdict}
            for at, verdict in enumerate(("approve", "reject"))
        ]  # fmt: skip
        headers = {"Origin": str(URL(address).origin())}
        url = f"{address}api/decisions"
        async with client.post(url, json={"decisions": decisions}, headers=headers) as reply:
            saved = (await reply.json())["saved"]
        assert [(one["m"], one["entry"]) for one in saved] == [(0, "MUG"), (1, "MUG")]
        wrong = [{**decisions[0], "m": 2}]
        async with client.post(url, json={"decisions": wrong}, headers=headers) as reply:
            assert reply.status == 400
    for shop, verdict in zip(shops, ("approve", "reject"), strict=True):
        assert [one.verdict for one in read_decisions(shop.folder.journal)] == [verdict]


def test_a_static_page_of_several_lies_around_their_folders(
    shops: list[Shop], tmp_path: Path
) -> None:
    """With paths into each; refused where they lie apart, or where the place is taken."""
    page = write_joint_page([reviewed(shop) for shop in shops])
    assert page == tmp_path / "outputs" / "review.html"
    data = read_data((tmp_path / "outputs" / "review" / "data.js").read_bytes())
    manifests = data["manifests"]
    assert isinstance(manifests, list)
    assert [one["root"] for one in manifests] == ["north", "south"]
    (tmp_path / "third").mkdir()
    apart = make_shop(tmp_path / "third")
    apart.make("MUG")
    with pytest.raises(UsageError, match="several folders"):
        write_joint_page([reviewed(shops[0]), reviewed(apart)])
    taken = make_shop(tmp_path / "third", folder="../outputs/review")
    taken.make("MUG")
    with pytest.raises(UsageError, match="needs the name"):
        write_joint_page([reviewed(shop) for shop in shops])


def test_a_file_of_several_gives_each_its_own(shops: list[Shop], tmp_path: Path) -> None:
    """Of one that names a journal with each decision only those of this journal are taken."""
    decisions = []
    for shop in shops:
        row = rows_with_takes(shop.check(), shop.folder)[0]
        decisions.append(
            {"journal": reviewed(shop).facts.journal, "entry": row.entry, "number": 1,
             "sha256": row.takes[0].video.sha256, "verdict": "approve", "reviewer": "Eve"}
        )  # fmt: skip
    file = tmp_path / "hers.json"
    file.write_text(
        json.dumps(
            {"kind": "reelsheet decisions", "schema": 1, "journal": "", "decisions": decisions}
        )
    )
    for shop in shops:
        found, unfit = import_file(file, rows_with_takes(shop.check(), shop.folder), shop.folder)
        assert (len(found.added), found.skipped, unfit) == (1, (), ())
    file.write_text(json.dumps({"kind": "reelsheet decisions", "schema": 1, "journal": "another",
                                "decisions": decisions[:0]}))  # fmt: skip
    with pytest.raises(UsageError, match="another manifest"):
        import_file(file, [], shops[0].folder)
