"""The settings of Reelsheet: one frozen `Config`, each key with its bounds and its comment.

The descriptions are written for the person who edits `config.yaml`; that file is rendered from
them (see `catalogue`). `Defaults` repeats what the checker's `rules` allow, because the checker is
above the configuration; a test compares the two.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.config.values import (
    BaseUrl,
    Encoding,
    KeyVariable,
    ManifestField,
    NameTemplate,
    Prepare,
    PromptTemplate,
    Resolution,
    Sheet,
    Text,
    is_loopback,
)

_PROVIDER_FLOOR_S = 5.0  # docs: queries of one task at least 5 s apart
_DAY_S = 86_400.0


class Section(BaseModel):
    """Base of all sections: strict types, unknown keys refused, frozen."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Api(Section):
    """The provider: where it is, who we are there, how long an unclear answer is looked into."""

    base_url: BaseUrl = Field(
        default="https://toapis.com",
        description="Where the API lives, with or without /v1. https, except on this machine.",
    )
    key_env: KeyVariable = Field(
        default="TOAPIS_API_KEY",
        description="The environment variable that holds the key; the key never stands here.",
    )
    model: Text = Field(
        default="gemini_omni_flash",
        description="The model, as the provider spells it.",
    )
    client_reference: bool = Field(
        default=True,
        description="Send a reference of our own (client_business_id) with each submission and "
        "look lost submissions up by it.",
    )
    submit_timeout_s: float = Field(
        default=180.0,
        gt=0,
        le=3600,
        description="Seconds to wait for the answer to a submission. The provider may fetch the "
        "pictures first: a short time leaves rows in doubt.",
    )
    lookup_s: float = Field(
        default=120.0,
        ge=0,
        le=3600,
        description="Seconds for which a lost submission is looked for.",
    )
    in_doubt: Literal["hold", "resend"] = Field(
        default="hold",
        description="What becomes of a submission that was looked for in vain. hold: its row stays "
        "in doubt until you settle it (reelsheet resolve). resend: it goes again as a new attempt, "
        "if the look-up was seen to find another task in the same run; should the provider have "
        "taken it after all, it is paid for twice.",
    )
    missing_grace_s: float = Field(
        default=600.0,
        ge=0,
        le=_DAY_S,
        description="Seconds for which a task unknown to the provider is asked for again before "
        "its row counts as missing.",
    )
    upload_age_h: float = Field(
        default=20.0,
        ge=0,
        le=720,
        description="Hours for which the URL of an uploaded picture is used again.",
    )

    @model_validator(mode="after")
    def _resend_needs_the_reference(self) -> Self:
        """What cannot be looked up is never known to be absent."""
        if self.in_doubt == "resend" and not self.client_reference:
            raise ValueError("in_doubt: resend needs client_reference: true; change one of them")
        return self


class Limits(Section):
    """How much happens at once."""

    outstanding: int = Field(
        default=50,
        ge=1,
        le=10_000,
        description="The concurrency cap: tasks unfinished at the provider at any one time.",
    )
    submits_in_flight: int = Field(
        default=8,
        ge=1,
        le=500,
        description="Submissions on their way at once. A crash leaves at most this many rows in "
        "doubt.",
    )
    submits_per_minute: int = Field(
        default=300,
        ge=1,
        le=100_000,
        description="Submissions a minute (provider, default group: 300).",
    )
    polls_per_minute: int = Field(
        default=3000,
        ge=1,
        le=1_000_000,
        description="Queries a minute (provider, default group: 3000).",
    )
    uploads: int = Field(default=4, ge=1, le=64, description="Pictures uploaded at once.")
    downloads: int = Field(default=8, ge=1, le=64, description="Videos downloaded at once.")
    attempts: int = Field(
        default=3, ge=1, le=20, description="Submissions per row and request, over all runs."
    )


class Polling(Section):
    """When running tasks are asked about."""

    first_s: float = Field(
        default=10.0,
        ge=0,
        le=3600,
        description="Seconds from a submission to its first query, until durations are known.",
    )
    interval_s: float = Field(
        default=10.0,
        ge=0.001,
        le=3600,
        description="Seconds between further queries of a task, until then.",
    )
    floor_s: float | None = Field(
        default=None,
        ge=0,
        le=3600,
        description="Least seconds between two queries of one task. null: 5 as the provider "
        "advises, none on this machine.",
    )
    deadline_s: float = Field(
        default=1800.0,
        gt=0,
        le=7 * _DAY_S,
        description="Seconds after which a task is no longer waited for in this run; counted from "
        "its submission or the start of the run, the later. It stays paid and is taken up by the "
        "next run.",
    )


class ManifestSettings(Section):
    """How the manifest is read."""

    sheet: Sheet | None = Field(
        default=None,
        description="The sheet of a workbook, by its name or its number. null: the first one that "
        "is not hidden.",
    )
    hidden_rows: Literal["include", "skip"] | None = Field(
        default=None,
        description="What becomes of rows of a workbook that are hidden or filtered out. null: a "
        "sheet that has some is refused.",
    )
    fill_merged: bool = Field(
        default=False,
        description="Whether every cell of a merged range has the value of its first one. false: "
        "the others are problems where they are used.",
    )
    key: Text | None = Field(
        default=None,
        description="The header of the column that names each row for good. null: key, id or sku, "
        "whichever is there; without any, rows are told apart by their contents.",
    )
    columns: dict[str, ManifestField] = Field(
        default_factory=dict,
        description="Headers of yours and the fields they stand for, for example "
        "{Video text: prompt, Photo: image_1}. Fields: prompt, image_1, image_2, image_3, images, "
        "duration, aspect_ratio, resolution, key.",
    )
    encoding: Encoding | None = Field(
        default=None,
        description="The encoding of a text manifest, for example cp1252. null: found out.",
    )
    prompt_template: PromptTemplate | None = Field(
        default=None,
        description="The prompt of rows whose prompt cell is empty or missing, made of their other "
        "columns, for example 'Product video of {{ title }}. {{ description | striphtml | "
        "truncate(300) }}'. A header is a word, without case and with _ for blanks, or "
        'row["Any Header"]. A row whose cell is empty is not sent, unless the template says '
        "what then: {{ colour | default('white') }}, {% if colour %}…{% endif %}.",
    )
    image_root: Text | None = Field(
        default=None,
        description="The folder at which relative picture paths start, itself seen from the "
        "working folder. null: the manifest's own folder.",
    )
    images_outside: bool = Field(
        default=False,
        description="Take pictures from outside of that folder too: absolute paths, .. and links "
        "that lead elsewhere. false: such a path is a problem of its row, so that a manifest from "
        "others cannot send any file of this machine.",
    )

    @model_validator(mode="after")
    def _one_header_a_field(self) -> Self:
        """Two headers for one field leave it open which one counts."""
        for field in sorted(set(self.columns.values())):
            headers = [header for header, one in self.columns.items() if one == field]
            if len(headers) > 1:
                listed = " and ".join(f'"{header}"' for header in headers)
                raise ValueError(f"columns: {listed} both stand for {field}; keep one of them")
        return self


class Images(Section):
    """What happens to local pictures before they are sent; your own files are never changed."""

    prepare: Prepare = Field(
        default="auto",
        description="auto: what the provider does not take or might take wrongly is sent as a JPEG "
        "or PNG copy, kept in cache/pictures of the output folder: HEIC, AVIF, TIFF, BMP, CMYK, 16 "
        "bits a colour, photographs stored sideways, more than 10,000,000 bytes, more than 4096 "
        "pixels on the longer side, and the first frame of what moves or has pages. JPEG, PNG, "
        "WebP and GIF that fit already are sent byte for byte. off: every file is sent as it is, "
        "or is a problem of its row. Either way a row is warned of a picture of which a full frame "
        "would show less than half.",
    )


class Defaults(Section):
    """What an empty cell means."""

    duration: Literal[4, 6, 10] = Field(default=6, description="Seconds of video.")
    aspect_ratio: Literal["16:9", "9:16"] = Field(
        default="16:9",
        description="The shape of the picture. Always in quotes: YAML reads 16:9 as the number "
        "969.",
    )
    resolution: Resolution = Field(default="720P", description="1080p exists only with 16:9.")

    @model_validator(mode="after")
    def _fit_each_other(self) -> Self:
        """The page: 1080p only with 16:9."""
        if self.resolution == "1080p" and self.aspect_ratio != "16:9":
            raise ValueError("resolution 1080p exists only with aspect_ratio 16:9; change one")
        return self


class Output(Section):
    """What comes out, and where."""

    dir: Text = Field(
        default="outputs",
        description="The folder that holds one folder per manifest, seen from the working folder.",
    )
    name: Annotated[NameTemplate, Field(max_length=500)] = Field(
        default="{key}",
        description="The file name of a video, without .mp4; {key} or any column in braces, for "
        "example {sku}-{colour}, or a template like manifest.prompt_template, for example "
        "'{{ key }}-{{ title | lower | truncate(30) }}'.",
    )
    verify: Literal["boxes", "first_frame", "full"] = Field(
        default="first_frame",
        description="How closely a video is looked at: boxes finds cut files, first_frame also "
        "decodes one picture, full decodes everything and takes about a second a video.",
    )


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


class Config(Section):
    """All settings of one invocation, resolved once (see `loading.load`)."""

    provider: Literal["rehearsal", "toapis"] = Field(
        default="rehearsal",
        description="rehearsal: a built-in stand-in, nothing is sent or paid. toapis: the real "
        "thing.",
    )
    api: Api = Field(default_factory=Api)
    limits: Limits = Field(default_factory=Limits)
    polling: Polling = Field(default_factory=Polling)
    manifest: ManifestSettings = Field(default_factory=ManifestSettings)
    images: Images = Field(default_factory=Images)
    defaults: Defaults = Field(default_factory=Defaults)
    output: Output = Field(default_factory=Output)
    budget: Budget = Field(default_factory=Budget)

    @property
    def poll_floor_s(self) -> float:
        """Least seconds between two queries of one task, with null resolved."""
        if self.polling.floor_s is not None:
            return self.polling.floor_s
        local = self.provider == "rehearsal" or is_loopback(self.api.base_url)
        return 0.0 if local else _PROVIDER_FLOOR_S
