"""Whether look-ups by reference are seen to work, before "no such task" is believed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from pipeline.account.book import Book
from pipeline.runner.engine_setup import finds_by_reference
from pipeline.toapis.client import ToAPIs

KNOWN = [("rs-2", "video_2"), ("rs-1", "video_1")]


def asked(answers: Mapping[str, str | int]) -> bool | None:
    """Ask a provider that knows tasks by these names, answers with a status, or knows nothing."""

    async def answer(request: web.Request) -> web.Response:
        found = answers.get(request.match_info["name"], 404)
        if isinstance(found, int):
            return web.json_response({"message": "task_not_exist"}, status=found)
        return web.json_response({"id": found, "status": "completed"})

    async def ask() -> bool | None:
        app = web.Application()
        app.router.add_get("/v1/videos/generations/{name}", answer)
        async with TestServer(app) as server, ToAPIs(str(server.make_url("")), "key") as api:
            return await finds_by_reference(api, KNOWN)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ({"rs-2": "video_2"}, True),
        ({"rs-1": "video_1"}, True),
        ({"rs-2": 503, "rs-1": "video_1"}, True),
        ({"video_2": "video_2", "rs-1": "video_1"}, True),
        ({"video_2": "video_2", "video_1": "video_1"}, False),
        ({"rs-2": "video_9", "rs-1": "video_9"}, None),
        ({"rs-2": 503, "rs-1": 503}, None),
        ({}, None),
    ],
)
def test_what_known_tasks_say(answers: Mapping[str, str | int], found: bool | None) -> None:
    """One that is found is enough; without any, one that is there says the contrary."""
    assert asked(answers) is found


@contextmanager
def opened(path: Path) -> Iterator[Book]:
    book = Book(path)
    yield book
    book.close()


def test_the_book_keeps_that_look_ups_work(tmp_path: Path) -> None:
    """For each account."""
    path = tmp_path / "book.db"
    with opened(path) as book:
        assert not book.finds_by_reference("a")
        book.note_references("a")
        book.note_references("a")
    with opened(path) as book:
        assert book.finds_by_reference("a")
        assert not book.finds_by_reference("b")
