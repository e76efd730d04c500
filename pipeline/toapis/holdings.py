"""Read what the API tells of a key: what it may spend, and which models it may use. Pure.

Both functions return None where an answer does not tell it. The shapes are those of
docs/contract.md, "Balance" and "Models".

Tested in tests/toapis/test_free_calls.py.
"""

from __future__ import annotations

import re

from pipeline.model import Balance, BalanceOf
from pipeline.toapis.bodies import (
    Body,
    Received,
    denies,
    good_body,
    number_of,
    object_in,
    text_of,
    word_of,
)
from pipeline.toapis.weblinks import is_plain

_REMAINING = ("remain_balance", "remain_credits")
_CREDITS_PER_USD = 200.0


def balance(received: Received, of: BalanceOf) -> Balance | None:
    """Return what is held: unlimited where `unlimited_quota` says so, not where -1.

    The figures are taken from the credits where there are any: those mean the same everywhere,
    while the unit of the other figures is a matter of configuration.
    """
    body = good_body(received)
    if body is None or denies(body):
        return None
    inner = object_in(body, "data")
    shown = inner if inner and not any(name in body for name in _REMAINING) else body
    unlimited = _is_unlimited(body) or _is_unlimited(inner)
    remaining, currency = _money(shown, "remain")
    if remaining is None and not unlimited:
        return None
    return Balance(
        remaining=None if unlimited else remaining,
        used=_money(shown, "used")[0],
        currency=currency,
        remaining_credits=None if unlimited else number_of(shown.get("remain_credits")),
        used_credits=number_of(shown.get("used_credits")),
        of=of,
    )


def _money(body: Body, which: str) -> tuple[float | None, str]:
    """Return an amount and its currency, from the credits or else from the figure beside them."""
    credits_ = number_of(body.get(f"{which}_credits"))
    if credits_ is not None:
        return credits_ / _credits_per_usd(body), "USD"
    named = text_of(body.get("currency")) or ""
    currency = named if re.fullmatch("[A-Z]{3}", named) else "USD"
    return number_of(body.get(f"{which}_balance")), currency


def _credits_per_usd(body: Body) -> float:
    told = number_of(body.get("credits_per_usd"))
    return told if told is not None and told > 0 else _CREDITS_PER_USD


def model_names(received: Received) -> tuple[str, ...] | None:
    """Return the names of the models that the key may use."""
    body = good_body(received)
    listed = None if body is None or denies(body) else body.get("data")
    if not isinstance(listed, list):
        return None
    found = (word_of(one.get("id")) if isinstance(one, dict) else word_of(one) for one in listed)
    return tuple(dict.fromkeys(name for name in found if name and is_plain(name)))


def _is_unlimited(body: Body) -> bool:
    return body.get("unlimited_quota") in (True, "true")
