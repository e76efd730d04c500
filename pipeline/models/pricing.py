"""What a video costs: by the sheet of its model or, where that has no price, by the settings. Pure.

Tested in tests/models/test_pricing.py.
"""

from __future__ import annotations

from pipeline.model import Request
from pipeline.models.body import values_of
from pipeline.models.records import ANY, Price, Value
from pipeline.models.shelf import sheet_of


def cost_of(request: Request, price_per_second: float | None, currency: str) -> float | None:
    """Return what a request costs; None if nobody knows.

    Args:
        request: what is asked for.
        price_per_second: what the settings say for models whose sheets have no price.
        currency: that of the settings; a price of a sheet in another one is not known here.

    """
    if prices := sheet_of(request.model).prices:
        said = {**values_of(request), "images": len(request.images), "model": request.model}
        found = next((price for price in prices if _meets(price, said)), None)
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


def _meets(price: Price, said: dict[str, Value]) -> bool:
    return all(
        name in said if wanted == ANY else said.get(name) in wanted
        for name, wanted in price.when.items()
    )
