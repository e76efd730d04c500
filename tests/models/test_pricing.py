"""What a request costs: by the sheet of its model or, where that has no price, by the settings."""

from __future__ import annotations

from pipeline.model import Request
from pipeline.models.pricing import NOTHING_KNOWN, Costs, add_up, cost_of, is_priced, join


def request(model: str) -> Request:
    return Request("A cup", ("https://a.example/1.jpg",), 10, "16:9", "720p", model, "h")


def test_the_sheet_comes_first() -> None:
    """A price a second is times the length; other models cost what the settings say."""
    grok, veo = request("grok-video-1.5"), request("veo3.1-fast")
    assert cost_of(grok, None, "USD") == 0.1
    assert cost_of(grok, 0.5, "USD") == 0.1
    assert cost_of(veo, 0.5, "USD") == 5.0
    assert cost_of(veo, None, "USD") is None


def test_a_price_in_another_currency_is_not_known() -> None:
    """Sums are in one currency: that of the settings."""
    assert cost_of(request("grok-video-1.5"), None, "EUR") is None
    assert cost_of(request("grok-video-1.5"), 0.5, "EUR") == 5.0
    assert is_priced("grok-video-1.5", None, "USD")
    assert not is_priced("grok-video-1.5", None, "EUR")
    assert is_priced("gemini_omni_flash", 0.1, "EUR")


def test_a_sum_lacks_what_has_no_price() -> None:
    """Then it is not known, and what is known of it is the least."""
    grok, veo = (cost_of(request(one), None, "USD") for one in ("grok-video-1.5", "veo3.1-fast"))
    assert add_up([grok, grok]) == Costs(0.2, 0.2)
    assert add_up([grok, veo, grok]) == Costs(None, 0.2, 1)
    assert add_up([veo, veo]) == Costs(None, None, 2)
    lots = [add_up([grok]), add_up([grok, veo]), NOTHING_KNOWN]
    assert join(lots) == Costs(None, 0.2, 1)
    assert join(lots[::2]) == Costs(0.1, 0.1)
    said = [one.worded("USD") for one in (*lots, join(lots))]
    assert said == [", 0.10 USD", ", at least 0.10 USD", "", ", at least 0.20 USD"]
