"""Names that leave open which product a picture shows are pointed out."""

from __future__ import annotations

import pytest

from pipeline.authoring.nearnames import describe_doubts, find_nameless, find_near
from pipeline.authoring.shots import by_name, group_products


def near(*names: str) -> list[list[str]]:
    return find_near(group_products(by_name(list(names))))


@pytest.mark.parametrize(
    "names",
    [
        ("tasse1.jpg", "tasse2.jpg"),
        ("BlueMug.jpg", "blue mug.jpg"),
        ("Schüssel.jpg", "Schuessel.jpg"),
        ("schwarze-tasse.jpg", "schwarze-tase.jpg"),
        ("bikini-top.jpg", "bikini-bottom.jpg"),
        ("A-20.jpg", "A-30.jpg"),
        ("1_stuhl.jpg", "2_stuhl.jpg"),
    ],
)
def test_names_that_are_nearly_one(names: tuple[str, ...]) -> None:
    """Joints, umlauts, slips, numbers and words that may be views."""
    if names[0].startswith(("bikini", "1_")):
        assert near(*names) == []
    else:
        (group,) = near(*names)
        assert sorted(group) == sorted(name[:-4] for name in names)


def test_one_beside_a_product_of_several() -> None:
    """A single picture whose name is that of another product but for accents is pointed out."""
    (group,) = near("krzeslo-jesion-front.jpg", "krzeslo-jesion-side.jpg", "krzesło jesion.jpg")
    assert sorted(group) == ["krzeslo-jesion", "krzesło jesion"]


@pytest.mark.parametrize(
    "names",
    [("TS-100.jpg", "TS-200.jpg"), ("mug-red.jpg", "mug-blue.jpg"), ("a_1.jpg", "a_2.jpg")],
)
def test_names_of_their_own(names: tuple[str, ...]) -> None:
    """Article numbers and colours are different products, and what is one is not pointed out."""
    assert near(*names) == []


def test_the_sentences() -> None:
    """Each says what to do; of many groups the first ones are named."""
    names = [f"{word}{n}.jpg" for word in "abcdefghijklm" for n in (4, 5)]
    names = [f"krug{name}" for name in names] + ["IMG_0001.jpg", "IMG_0002.jpg"]
    names += [f"set-{n}.jpg" for n in range(1, 15)]
    groups = group_products(by_name(names))
    assert find_nameless(groups) == ["IMG_0001", "IMG_0002"]
    lines = describe_doubts(groups)
    assert lines[0].startswith("These may be one product: kruga4, kruga5. If they are")
    assert sum(line.startswith("These may be") for line in lines) == 10
    assert any("3 more groups" in line for line in lines)
    assert any("2 names of a camera" in line for line in lines)
    assert any(line.startswith("set: 14 pictures") for line in lines)
