"""Where the videos of earlier takes lie: the file of the take itself, or any copy that was made.

A take that was reused lies in as many output folders as it serves rows in. Each of these files is
as good as the first one, if its content is that of the take. So where the first one is gone, moved
or changed, the others are looked for: in the journals that the book knows, and in those near.

Tested in tests/runner/test_reuse.py and tests/system/test_repeats.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pipeline.account.submission import Submission
from pipeline.planner.planner import has_video, video_file

Copies = Callable[[Collection[str]], Mapping[str, Sequence[Path]]]
"""Finds the files that videos were put into, by the tasks that made them."""


class TakeFiles:
    """The files of takes, as far as they can be had.

    `unusable` holds the references of the submissions whose video cannot.
    """

    def __init__(self, bought: Iterable[Submission], copies: Copies) -> None:
        """Look at the files of what was bought; `copies` is asked only about those that are gone.

        Raises StoreError.
        """
        self._copies = copies
        self._others: dict[str, Iterator[Path]] = {}
        self._files: dict[str, Path] = {}
        lost = [one for one in bought if one.video and not has_video(video_file(one), one)]
        self._look_for_copies(lost)
        self.unusable = frozenset(one.reference for one in lost if not self._take_next(one))

    def file_of(self, bought: Submission) -> Path:
        """Return the file that is tried next for a submission."""
        return self._files.get(bought.reference, video_file(bought))

    def pass_over(self, bought: Submission) -> None:
        """Go on to the next file of a submission, as the one that was tried is not its video.

        Raises StoreError.
        """
        if bought.reference not in self._others:
            self._look_for_copies([bought])
        if not self._take_next(bought):
            self.unusable |= {bought.reference}

    def _look_for_copies(self, lost: Sequence[Submission]) -> None:
        tasks = {one.task_id for one in lost if one.task_id is not None}
        found = self._copies(tasks) if tasks else {}
        for one in lost:
            others = found.get(one.task_id or "", ())
            self._others[one.reference] = iter([path for path in others if has_video(path, one)])

    def _take_next(self, one: Submission) -> bool:
        path = next(self._others[one.reference], None)
        if path is not None:
            self._files[one.reference] = path
        return path is not None
