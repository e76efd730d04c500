"""What a video costs: by the sheet of its model or, where that has no price, by the settings. Pure.

Tested in tests/models/test_pricing.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import fsum
from typing import NamedTuple

from pipeline.model import Request
from pipeline.models.body import values_of
from pipeline.models.shelf import sheet_of


class Costs(NamedTuple):
    """What videos cost together: `money`; None if that is not known of every one of them.

    `known` is what is known of it, so that they cost at least so much; None if nothing is.
    `unpriced` of them have no price.
    """

    money: float | None = None
    known: float | None = None
    unpriced: int = 0

    def worded(self, currency: str, before: str = ", ") -> str:
        """Return what stands behind seconds of video, as a person reads it; empty if unknown.

        Args:
            currency: that of the settings.
            before: what it begins with.

        """
        if self.known is None:
            return ""
        least = "" if self.money is not None else "at least "
        return f"{before}{least}{self.known:,.2f} {currency}"


NOTHING_KNOWN = Costs()
"""Of no videos, where there is no price, and in rehearsals."""


def add_up(costs: Iterable[float | None]) -> Costs:
    """Return what videos cost together, of which some may have no price."""
    told = list(costs)
    known = [one for one in told if one is not None]
    total = fsum(known) if known else None
    return Costs(total if len(known) == len(told) else None, total, len(told) - len(known))


def join(several: Iterable[Costs]) -> Costs:
    """Return what several lots of videos cost together."""
    lots = list(several)
    known = [one.known for one in lots if one.known is not None]
    total, unpriced = fsum(known) if known else None, sum(one.unpriced for one in lots)
    return Costs(None if unpriced else total, total, unpriced)


def cost_of(request: Request, price_per_second: float | None, currency: str) -> float | None:
    """Return what a request costs; None if nobody knows.

    Args:
        request: what is asked for.
        price_per_second: what the settings say for models whose sheets have no price.
        currency: that of the settings; a price of a sheet in another one is not known here.

    """
    if prices := sheet_of(request.model).prices:
        said = {**values_of(request), "images": len(request.images), "model": request.model}
        found = next((price for price in prices if price.is_for(said)), None)
        if found is not None and found.currency == currency:
            if found.per_second is not None:
                return found.per_second * request.duration
            return found.per_request
    return None if price_per_second is None else price_per_second * request.duration


def is_priced(model: str, price_per_second: float | None, currency: str) -> bool:
    """Tell whether videos of a model have a price.

    Args:
        model: its name.
        price_per_second: what the settings say.
        currency: that of the settings.

    """
    own = any(price.currency == currency for price in sheet_of(model).prices)
    return own or price_per_second is not None
