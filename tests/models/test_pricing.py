"""What a request costs: by the sheet of its model or, where that has no price, by the settings."""

from __future__ import annotations

from pipeline.model import Request
from pipeline.models.pricing import cost_of, is_priced


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
