"""The settings about money: caps per run and per day, and what a second of video costs."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from pipeline.config.section import Section


class PerDay(Section):
    """Caps per day, from midnight to midnight UTC, over all runs into one output folder."""

    videos: int | None = Field(
        default=None, gt=0, description="Most videos to order in a day. null: no cap."
    )
    video_seconds: int | None = Field(
        default=None, gt=0, description="Most seconds of video to order in a day. null: no cap."
    )
    money: float | None = Field(
        default=None,
        gt=0,
        description="Most money to spend in a day; needs price_per_second. null: no cap.",
    )


class Budget(Section):
    """Caps per run, and per day; submitting stops before one would be passed."""

    videos: int | None = Field(
        default=None,
        gt=0,
        description="Most videos to order in one run. null: no cap.",
    )
    video_seconds: int | None = Field(
        default=None, gt=0, description="Most seconds of video to order in one run. null: no cap."
    )
    money: float | None = Field(
        default=None,
        gt=0,
        description="Most money to spend in one run; needs price_per_second. null: no cap.",
    )
    per_day: PerDay = Field(default_factory=PerDay)
    price_per_second: float | None = Field(
        default=None,
        gt=0,
        description="What a second of video costs you. The provider publishes no price of this "
        "model. null: no sums are shown.",
    )
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = Field(
        default="USD",
        description="The currency of money and price_per_second, three capital letters.",
    )

    @model_validator(mode="after")
    def _money_needs_a_price(self) -> Self:
        """Without a price the money spent is unknown, and the cap would hold nothing back."""
        if self.price_per_second is None:
            for name, cap in (("money", self.money), ("per_day.money", self.per_day.money)):
                if cap is not None:
                    raise ValueError(
                        f"{name} is a cap that needs price_per_second: set it, or remove {name}"
                    )
        return self
