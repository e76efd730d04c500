"""The lines of logs, held against the schema that docs/ has for them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from pipeline.concealment import show_in_json

SCHEMA = Path(__file__).parents[3] / "docs" / "log.schema.json"


@cache
def _validator() -> Any:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def hold(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Hold that every line is a document that the schema knows; return them.

    Of lines of the same form one is held against it: there may be thousands.
    """
    found, seen = [], set()
    for line in lines:
        assert line == show_in_json(line), "a terminal would obey it"
        assert len(line.splitlines()) == 1, line
        document = json.loads(line)
        found.append(document)
        form = document["event"], document["level"], *((k, type(v)) for k, v in document.items())
        if form not in seen:
            seen.add(form)
            faults = [fault.message for fault in _validator().iter_errors(document)]
            assert not faults, (line, faults)
    return found


def in_folder(out: Path) -> list[dict[str, Any]]:
    """Hold all lines of the logs of an output folder; the last one may have been cut off."""
    lines: list[str] = []
    for path in sorted(out.glob("run.log*"), key=_turn):
        *whole, cut = path.read_bytes().decode("utf-8").split("\n")
        assert not cut or path.name == "run.log", "an earlier file of the log ends in a line"
        lines += whole
    return hold(lines)


def _turn(path: Path) -> int:
    number = path.suffix.removeprefix(".")
    return int(number) if number.isdecimal() else 1 << 60
