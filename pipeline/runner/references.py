"""Whether look-ups by our own reference find tasks of the account, seen before anything is sent.

"No such task" is what a provider says that never got a submission, and also one that does not know
references at all. Where a journal may have forgotten what was sent, the difference is a video paid
for twice. So tasks whose ids are known are asked for by their references first.

Tested in tests/system/test_lost_journals.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.account.opening import OpenAccount
from pipeline.account.reading import latest_tasks
from pipeline.errors import ProviderError, Unauthorized
from pipeline.journal.journal import Journal
from pipeline.toapis.client import ToAPIs

_TRIES = 5
"""Tasks asked for, the newest first: a provider does not keep old ones for ever."""


def known_tasks(journals: Iterable[Journal], account: OpenAccount | None) -> list[tuple[str, str]]:
    """Return reference and id of the account's latest tasks, the newest first; raises StoreError.

    Without a book, `account` is None and those of the journals are returned.
    """
    if account is not None:
        return latest_tasks(account.book.path, account.name, _TRIES)
    sent = [
        (one.submitted_at or 0.0, one.attempt.client_business_id, one.task_id)
        for journal in journals
        for one in journal.attempts()
        if one.task_id is not None and not one.reused
    ]
    newest = sorted(sent, reverse=True)[:_TRIES]
    return [(reference, task_id) for _, reference, task_id in newest]


async def finds_by_reference(provider: ToAPIs, known: Sequence[tuple[str, str]]) -> bool:
    """Return whether the provider finds any of these tasks by its reference.

    `known` are references with the ids of their tasks. Raises Unauthorized.
    """
    for reference, task_id in known:
        try:
            view = await provider.query(reference)
        except Unauthorized:
            raise
        except ProviderError:
            continue
        if view.task_id == task_id:
            return True
    return False
