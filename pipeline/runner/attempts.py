"""The attempts of a manifest's rows, each made when its turn is near: under which number, and name.

Tested in tests/runner/test_engine_setup.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from pipeline.checker import naming
from pipeline.checker.check import CheckedManifest
from pipeline.config.settings import Config
from pipeline.model import Attempt, Entry
from pipeline.models.pricing import cost_of


class Attempts:
    """Makes the attempts that a plan asks for, each when it is wanted.

    What all of them share, names above all, is made at once: a second for some ten thousand rows.
    `journal_id` goes into the references; `entries` is what the journal says at the start;
    `identity_of` gives the identity of a key's entry, also before there is one.
    """

    def __init__(
        self,
        checked: CheckedManifest,
        config: Config,
        journal_id: str,
        entries: Mapping[str, Entry],
        identity_of: Callable[[str], str],
    ) -> None:
        self._budget = config.budget
        self._journal_id = journal_id
        self._entries = entries
        self._identity_of = identity_of
        self._requests = checked.requests_by_key
        taken = {name.casefold(): one.key for one in entries.values() for name in _names(one)}
        self._bases = naming.video_names(
            zip(checked.keys, checked.manifest.rows, strict=True),
            checked.manifest.headers,
            config.output.name,
            taken,
            kept={
                entry.key: naming.base_name(entry.attempt.video_name, entry.attempt.number)
                for entry in entries.values()
                if entry.identity != entry.key
            },
            identities={
                key: identity
                for key in checked.keys
                if key not in entries and (identity := identity_of(key)) != key
            },
        )

    def model_of(self, key: str) -> str:
        """Return the model of a row that the plan submits."""
        return self._requests[key].model

    def new(self, key: str) -> Attempt:
        """Return the attempt of a row that the plan submits."""
        entry, request = self._entries.get(key), self._requests[key]
        number = entry.next_number if entry else 1
        identity = self._identity_of(key)
        return Attempt(
            key=key,
            number=number,
            client_business_id=naming.reference(self._journal_id, identity, number),
            request=request,
            video_name=naming.attempt_name(self._bases[key], number),
            cost=cost_of(request, self._budget.price_per_second, self._budget.currency),
            identity=identity,
        )

    def after(self, failed: Attempt) -> Attempt:
        """Return the attempt of a row that follows one that failed while the run goes on."""
        number = failed.number + 1
        return replace(
            failed,
            number=number,
            client_business_id=naming.reference(self._journal_id, failed.identity, number),
            video_name=naming.attempt_name(
                naming.base_name(failed.video_name, failed.number), number
            ),
        )


def _names(entry: Entry) -> list[str]:
    names = [entry.attempt.video_name]
    return [*names, entry.take.name] if entry.take else names
