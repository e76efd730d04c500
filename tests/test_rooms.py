"""The house stays small: few entries, few modules, no circle of imports, a test for each module."""

from __future__ import annotations

import ast
import re
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import pipeline

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(pipeline.__file__).parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")

MOST_ENTRIES, MOST_MODULES, MOST_LAYERS = 36, 465, 15
MANY = 3
"""So many parameters are explained one by one in a docstring."""
SMALL, LARGE = 80, 350
"""Lines up to which a module needs no test file of its own name, and those that none exceeds."""


def name_of(path: Path) -> str:
    """The dotted name of a module."""
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


def imports_of(path: Path) -> set[str]:
    """The modules of ours that one imports, wherever in it: in functions, and for types alone."""
    known = {name_of(one) for one in MODULES}
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return (found & known) - {name_of(path)}


def test_the_table_of_contents_is_short() -> None:
    """Whoever lists the package sees the way of a row, not every paragraph of it."""
    entries = [path for path in PACKAGE.iterdir() if not path.name.startswith(("__pycache__", "."))]
    assert len(entries) <= MOST_ENTRIES
    assert len(MODULES) <= MOST_MODULES


def test_the_layers_are_few() -> None:
    """A contract that nobody can keep in mind is not kept to."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    for contract in contracts:
        assert len(contract.get("layers", ())) <= MOST_LAYERS


def test_no_imports_go_in_a_circle() -> None:
    """Not even those that only a type checker follows."""
    graph = {name_of(path): imports_of(path) for path in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


def test_every_module_says_where_it_is_tested() -> None:
    """More than 80 lines have a test file of their name, or name the file that tests them."""
    missing = []
    for path in MODULES:
        text = path.read_text("utf-8")
        if len(text.splitlines()) <= SMALL:
            continue
        room = path.relative_to(PACKAGE).parent
        own = ROOT / "tests" / room / f"test_{path.stem}.py"
        said = re.findall(r"tests/[\w/]+(?:\.py)?", ast.get_docstring(ast.parse(text)) or "")
        if own.is_file():
            continue
        if not said or not all((ROOT / place).is_file() for place in said):
            missing.append(path.relative_to(PACKAGE).as_posix())
    assert not missing, "no test file, and no line `Tested in tests/…`: " + ", ".join(missing)


def test_no_module_is_a_hall() -> None:
    """Whoever opens a module can keep all of it in mind."""
    large = {name_of(path) for path in MODULES if len(path.read_text("utf-8").splitlines()) > LARGE}
    assert not large


def room_of(module: str) -> str:
    """The room of a module, or a module that is a room by itself."""
    return ".".join(module.split(".")[:2])


def used_elsewhere() -> set[tuple[str, str]]:
    """The names that a module of another room imports, each with the module that it is from."""
    return {
        (node.module, alias.name)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module is not None
        if room_of(node.module) != room_of(name_of(path))
        for alias in node.names
    }


def test_what_other_rooms_call_says_what_it_takes() -> None:
    """A function of three parameters or more has its `Args:`."""
    used, missing = used_elsewhere(), []
    for path in MODULES:
        for node in ast.parse(path.read_text("utf-8")).body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            takes = node.args
            count = len([*takes.posonlyargs, *takes.args, *takes.kwonlyargs])
            text = ast.get_docstring(node) or ""
            if count >= MANY and (name_of(path), node.name) in used and "Args:" not in text:
                missing.append(f"{name_of(path)}.{node.name}")
    assert not missing, "no `Args:` in the docstring of " + ", ".join(missing)
