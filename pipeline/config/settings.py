"""The settings of Reelsheet: one frozen `Config`, each key with its bounds and its comment.

The texts below the keys are written for the person who edits `config.yaml`; that file is rendered
from them (see `catalogue`). The sections of what is read and written are in `content`.
Tested in tests/config/test_loading.py.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.config.content import (
    Defaults,
    FleetSettings,
    Images,
    ManifestSettings,
    Output,
    Section,
)
from pipeline.config.nights import Log, Metrics, Night, Notify, Retry
from pipeline.config.values import BaseUrl, KeyVariable, ProxySetting, Text, Zone, is_loopback
from pipeline.lifecycle import MOST_ATTEMPTS

_PROVIDER_FLOOR_S = 5.0  # docs/contract.md, "Queries": one task's queries at least 5 s apart
_DAY_S = 86_400.0
_PATIENCE_S = 1500.0


class Api(Section):
    """The provider: its address, your key and model, and how lost answers are followed up."""

    base_url: BaseUrl = "https://toapis.com"
    """The address of the API, with or without /v1. Must be https, except on this machine."""
    key_env: KeyVariable = "TOAPIS_API_KEY"
    """The name of the environment variable that holds the key. Never write the key itself here.
    The first live run to another host or with another variable asks, or needs --yes."""
    model: Text = "gemini_omni_flash"
    """The model, spelled as the provider spells it. gemini-omni-flash is the name that a newer page
    of the provider has for the same model: then two pictures are allowed as well, and 720P is sent
    as 720p. Nothing that is made or paid for is made again because of the other name.
    """
    client_reference: bool = True
    """Send a reference of our own (client_business_id) with each submission, and use it to look up
    submissions whose answer was lost.
    """
    submit_timeout_s: float = Field(default=180.0, gt=0, le=3600)
    """Seconds to wait for the answer to a submission. The provider may fetch the pictures before it
    answers, so a short time leaves rows in doubt.
    """
    lookup_s: float = Field(default=120.0, ge=0, le=3600)
    """Seconds during which a submission whose answer was lost is looked up."""
    missing_grace_s: float = Field(default=600.0, ge=0, le=_DAY_S)
    """Seconds during which a task that the provider does not know is queried again before its row
    counts as missing.
    """
    upload_age_h: float = Field(default=20.0, ge=0, le=720)
    """Hours during which the URL of an uploaded picture is reused."""


class Limits(Section):
    """How much is done at the same time, and how fast."""

    outstanding: int = Field(default=50, ge=1, le=10_000)
    """The concurrency cap: unfinished tasks at the provider at any time."""
    submits_in_flight: int = Field(default=8, ge=1, le=500)
    """Submissions that wait for their answer at the same time. A crash leaves at most this many
    rows in doubt.
    """
    submits_per_minute: int = Field(default=300, ge=1, le=100_000)
    """Submissions per minute (the provider's limit for the default group: 300)."""
    polls_per_minute: int = Field(default=3000, ge=1, le=1_000_000)
    """Queries per minute (the provider's limit for the default group: 3000)."""
    uploads: int = Field(default=4, ge=1, le=64)
    """Pictures uploaded in parallel."""
    downloads: int = Field(default=8, ge=1, le=64)
    """Videos downloaded in parallel."""
    attempts: int = Field(default=3, ge=1, le=MOST_ATTEMPTS)
    """Most submissions of a row with the same request, over all runs."""


class Polling(Section):
    """How often running tasks are queried."""

    first_s: float = Field(default=10.0, ge=0, le=3600)
    """Seconds from a submission to its first query, as long as it is not known how long tasks take.
    """
    interval_s: float = Field(default=10.0, ge=0.001, le=3600)
    """Seconds between later queries of a task, as long as that is not known."""
    floor_s: float | None = Field(default=None, ge=0, le=3600)
    """Least seconds between two queries of one task. null: 5, as the provider advises; 0 on this
    machine.
    """
    deadline_s: float = Field(default=1800.0, gt=0, le=7 * _DAY_S)
    """Seconds after which a run stops waiting for a task, counted from its submission or from the
    start of the run, whichever is later. The task stays paid for, and the next run continues with
    it.
    """


class _Caps(Section):
    videos: int | None = Field(default=None, gt=0)
    """Most videos to order. null: no cap."""
    video_seconds: int | None = Field(default=None, gt=0)
    """Most seconds of video to order. null: no cap."""
    money: float | None = Field(default=None, gt=0)
    """Most money to spend; needs price_per_second. null: no cap."""


class PerDay(_Caps):
    """Caps per day, over all manifests and processes of the account; see timezone."""


class PerNight(_Caps):
    """Caps per night: over what the account orders in its window, or in 12 hours from its start."""


class Budget(_Caps):
    """Caps per run (per_day, per_night); nothing is submitted that would exceed one of them."""

    money: float | None = Field(default=None, gt=0)
    """Most money to spend; needs price_per_second for models whose sheets have no price. null: no
    cap.
    """
    per_day: PerDay = Field(default_factory=PerDay)
    per_night: PerNight = Field(default_factory=PerNight)
    timezone: Zone = "local"
    """The zone of the days of per_day, for example Europe/Berlin or UTC. local: this machine's."""
    price_per_second: float | None = Field(default=None, gt=0)
    """What a second of video costs you. The provider publishes no price for this model. null: no
    costs are shown.
    """
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    """The currency of money, price_per_second and min_balance, three capital letters."""
    min_balance: float | None = Field(default=None, ge=0)
    """What a run leaves in the account (in USD): what would go below it counts as too little. What
    a run needs is told by price_per_second; without it only an account that holds no more than
    this counts so.
    """
    when_short: Literal["ask", "stop", "go_on"] = "ask"
    """What to do if the account holds too little. ask: ask on a terminal, else stop (exit 4). stop:
    stop. go_on: submit until it is refused. --yes goes on in any case.
    """

    @model_validator(mode="after")
    def _money_needs_a_price(self) -> Self:
        """Refuse a cap on money without a price: what is spent is unknown, so it would not hold.

        What a run spends is known by the sheets of its models, or is refused (`runner.checking`).
        """
        for name, cap in (
            ("per_day.money", self.per_day.money),
            ("per_night.money", self.per_night.money),
        ):
            if cap is not None and self.price_per_second is None:
                needs = "is a cap that needs price_per_second"
                raise ValueError(f"{name} {needs}: set it, or remove {name}")
        return self


class Outage(Section):
    """What to do while the provider cannot be reached."""

    patience_s: Annotated[float, Field(ge=0, le=7 * _DAY_S)] | Literal["window"] = _PATIENCE_S
    """Seconds for which a run goes on trying while no submission, or no upload, comes through. The
    API is never waited for longer: if it asks for a longer wait (Retry-After), the run ends (5).
    window: until the window of a night ends, or --until; 1500 where there is no end.
    """


class StopSettings(Section):
    """How a run ends that is told to stop."""

    grace_s: float = Field(default=25.0, ge=0, le=3600)
    """Seconds for which a run that the system ends (SIGTERM, SIGHUP) awaits the answers and
    downloads under way. A submission that has no answer by then is looked up by the next run.
    Ctrl-C on a terminal waits as long as it takes; a second one ends the run.
    """


class Disk(Section):
    """Room for the videos that are ordered."""

    min_free_mb: float | None = Field(default=None, ge=0)
    """Megabytes that stay free on each disk that a run writes to: that of the videos, of the
    journal, of the account's book. Nothing is ordered whose video, as large as the latest ones,
    would leave less, beside all that is paid for and not yet downloaded; then the run ends (5) when
    these are. null: 500 (50 on a disk without videos), or 5 % of the disk if that is less. 0: do
    not look at the disks.
    """


class PilotSettings(Section):
    """The rows that are made first, to be judged before the rest is paid for."""

    rows: int = Field(default=5, ge=1, le=1000)
    """How many rows `run --pilot` makes first, those that are made already counted in. They are
    spread over the sheet, over your own columns that group rows, and over the kinds of request.
    """
    gate: bool = False
    """true: nothing else is submitted before every row of the pilot is approved or rejected, and
    as many as approve says are approved: by no run, retry or night. A manifest without a pilot gets
    one by its next run, also if rows of it were made before: these count as its rows.
    """
    approve: int = Field(default=3, ge=0, le=1000)
    """How many rows of the pilot are to be approved before the gate opens; of a smaller pilot all.
    """


class Account(Section):
    """What is paid from, and the book that keeps anything from being paid twice."""

    name: Text | None = None
    """The account's name, where one address serves several. null: the host of api.base_url."""
    book: Text | None = None
    """The file in which every submission of the account is kept, relative to the folder of this
    configuration file. null: book.db in the folder that the system gives a service, or else in your
    own folder for the state of programs. none: no book; then only the output folder keeps a row
    from being paid twice.
    """


class Review(Section):
    """What is made for those who judge the videos."""

    quality: bool = True
    """Measure each video once it is in place, and show on its card what is odd about it: black,
    blank, stands still, flickers, bars, damaged, no sound, does not begin with the picture and so
    on. It sorts and decides nothing, and no order, query or download waits for it. A run measures
    where videos are decoded anyway (output.verify), `reelsheet review` what is left. false: measure
    nothing, and show nothing that was measured.
    """
    posters: bool = True
    """Draw a poster of each video, and small copies of local product pictures, for the page and
    the sheet of output.thumbnails. false: draw none; the cards of the page show key and prompt.
    """


class Http(Section):
    """How the API and the hosts of the videos are reached."""

    proxy: ProxySetting | None = Field(default="env", repr=False)
    """The proxy for calls, uploads and downloads. env: those of the environment variables
    HTTPS_PROXY and HTTP_PROXY, except for the hosts in NO_PROXY. Or its address, for example
    http://proxy.example:3128, and then all goes through it. null: none. This machine itself is
    never reached through a proxy.
    """
    ca_file: Text | None = None
    """A file with certificates (PEM) that are trusted beside those of the system, relative to the
    working folder: for networks that open encrypted connections. null: only those of the system,
    or of the file that the environment variable SSL_CERT_FILE names.
    """


class Config(Section):
    """All settings of one invocation, resolved once by `loading.load`."""

    provider: Literal["rehearsal", "toapis"] = "rehearsal"
    """rehearsal: a built-in emulator; nothing is sent and nothing is paid. toapis: the real
    provider.
    """
    api: Api = Field(default_factory=Api)
    limits: Limits = Field(default_factory=Limits)
    polling: Polling = Field(default_factory=Polling)
    manifest: ManifestSettings = Field(default_factory=ManifestSettings)
    images: Images = Field(default_factory=Images)
    defaults: Defaults = Field(default_factory=Defaults)
    output: Output = Field(default_factory=Output)
    budget: Budget = Field(default_factory=Budget)
    account: Account = Field(default_factory=Account)
    retry: Retry = Field(default_factory=Retry)
    outage: Outage = Field(default_factory=Outage)
    stop: StopSettings = Field(default_factory=StopSettings)
    disk: Disk = Field(default_factory=Disk)
    repeats: Literal["reuse", "hold", "pay"] = "reuse"
    """What to do with a row whose very request was already bought on this account, for another row
    or another manifest. reuse: copy that video, free. hold: leave the row waiting. pay: buy the
    video again. --pay-again buys it for single rows.
    """

    http: Http = Field(default_factory=Http)
    pilot: PilotSettings = Field(default_factory=PilotSettings)
    night: Night = Field(default_factory=Night)
    notify: Notify = Field(default_factory=Notify)
    metrics: Metrics = Field(default_factory=Metrics)
    log: Log = Field(default_factory=Log)
    review: Review = Field(default_factory=Review)
    fleet: FleetSettings = Field(default_factory=FleetSettings)

    @property
    def has_workers(self) -> bool:
        """Whether others download the videos."""
        return self.fleet.scheduler is not None or self.fleet.local is not None

    @property
    def rehearses(self) -> bool:
        """Whether nothing is paid."""
        return self.provider == "rehearsal"

    def patience_within_s(self, left_s: float | None) -> float:
        """Return how long an outage is waited out, with `left_s` seconds to the end of the work."""
        patience = self.outage.patience_s
        if patience != "window":
            return patience
        return _PATIENCE_S if left_s is None else max(0.0, left_s)

    @property
    def poll_floor_s(self) -> float:
        """The least seconds between two queries of one task, with null resolved."""
        if self.polling.floor_s is not None:
            return self.polling.floor_s
        return 0.0 if self.rehearses or is_loopback(self.api.base_url) else _PROVIDER_FLOOR_S
