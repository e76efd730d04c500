"""What to do about failures: the table that the sheet and the log use, too."""

from __future__ import annotations

from pipeline.writer.advice import ADVICE_OF_CODE, ADVICE_OF_STATE, REDO, Advice

from .tables import table


def failures() -> str:
    """Return each class of failures: where it applies, whether a retry helps, what to do."""
    where: dict[Advice, list[str]] = {}
    for words, advice in ADVICE_OF_CODE:
        where.setdefault(advice, []).append(f"a code with {', '.join(f'`{one}`' for one in words)}")
    for state, advice in ADVICE_OF_STATE.items():
        where.setdefault(advice, []).append(f"`{state}`")
    where[REDO] = ["`done`, where somebody removed the file and its link has expired"]
    rows = [
        (advice.name, "; ".join(places), "yes" if advice.retry_helps else "no", advice.action)
        for advice, places in where.items()
    ]
    return table(("what to do", "where", "a retry can help", "in a sentence"), rows)
