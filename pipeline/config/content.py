"""The settings of what is read and of what is written: manifest, pictures, empty cells, videos.

Also of the workers that fetch the videos.

`Defaults` repeats what the checker's `rules` allow, because the checker is above the configuration;
a test compares the two.
Tested in tests/config/test_loading.py.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from pipeline.config.values import (
    AllowedCodes,
    Encoding,
    ManifestField,
    NameTemplate,
    Prepare,
    PromptTemplateText,
    Resolution,
    SchedulerAddress,
    SeriesName,
    Sheet,
    Text,
    VideosPlace,
    WebAddress,
)
from pipeline.models.shelf import own_fields


def _field_of_own_sheet(value: object, others: ValidatorFunctionWrapHandler) -> object:
    """Take a field of a team's own sheets of models, and else what `others` take."""
    return value if value in own_fields() else others(value)


ManifestColumn = Annotated[ManifestField, WrapValidator(_field_of_own_sheet)]
"""What a column can be read as: of all models, and of those that a team has sheets for."""


class Section(BaseModel):
    """Base of all sections: strict types, unknown keys refused, frozen."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        allow_inf_nan=False,
    )


class ManifestSettings(Section):
    """How the manifest is read."""

    sheet: Sheet | None = None
    """The sheet of a workbook, by name or by number. null: the first sheet that is not hidden."""
    hidden_rows: Literal["include", "skip"] | None = None
    """What to do with rows of a workbook that are hidden or filtered out. null: refuse a sheet that
    has such rows.
    """
    fill_merged: bool = False
    """Whether every cell of a merged range has the value of the first one. false: the other cells
    are problems if their column is used.
    """
    key: Text | None = None
    """The header of the column that names each row for good. null: the first that exists of key, id
    and sku; without any of them, rows are told apart by their contents.
    """
    columns: dict[str, ManifestColumn] = Field(default_factory=dict)
    """Your own headers and the fields they stand for, for example {Video text: prompt, Photo:
    image_1}. Fields: prompt, image_1, image_2, image_3, images, duration, aspect_ratio, resolution,
    key, video_look, video_model, audio, seed, negative_prompt, and those of your own sheets of
    models; ignore leaves a column unread. A manifest that was run keeps its reading of columns that
    are not named here. --column "Photo=image_1" says the same for one command.
    """
    encoding: Encoding | None = None
    """The encoding of a text manifest that is not UTF-8, for example cp1252. null: it is
    found out where that is as good as certain, and said; a manifest that was run before is read as
    it was then.
    """
    prompt_template: PromptTemplateText | None = None
    """A template for the prompt of rows whose prompt cell is empty or missing, made of their other
    columns, for example 'Product video of {{ title }}. {{ description | striphtml | truncate(300)
    }}'. Write a header as one word, in any case and with _ for spaces, or as row["Any Header"]. A
    row is not sent if a cell that the template uses is empty, unless the template says what to
    write instead: {{ colour | default('white') }}, {% if colour %}…{% endif %}.
    """
    looks: Text | None = None
    """The folder of your own looks, .toml files in the form of docs/looks.md, for the column
    video_look and for {{ look }} in prompt_template; relative to this file. null: the folder looks
    beside this file, if there is one.
    """
    image_root: Text | None = None
    """The folder that relative picture paths start from; itself relative to the working folder.
    null: the manifest's own folder.
    """
    images_outside: bool = False
    """Also accept pictures outside that folder: absolute paths, .. and links that lead elsewhere.
    false: such a path is a problem of its row, so that a manifest from someone else cannot send
    just any file of this machine.
    """
    allow: AllowedCodes = ()
    """Codes of problems to let through, for prompts that only look as if nobody meant them, for
    example [prompt_todo]: prompt_placeholder ({{ title }}, <PRODUCT>, %s), prompt_todo (TODO, TBD,
    xxx), error_text (#N/A), example_row (of the template, in a live run), header_row, totals_row;
    formula_empty (its saved result is empty), picture_formula (IMAGE without its address).
    """
    series: SeriesName | None = None
    """The name of a series: manifests that are editions of one table, such as a nightly export
    whose file name has a date. They share one output folder, called after the series: a row is
    known by its key in all of them, and a row that was edited since it was made is left alone as
    ever. null: each manifest has an output folder of its own.
    """

    @model_validator(mode="after")
    def _one_header_a_field(self) -> Self:
        """Refuse two headers for one field: which of them counts would be a guess."""
        for field in sorted(set(self.columns.values()) - {"ignore"}):
            headers = [header for header, one in self.columns.items() if one == field]
            if len(headers) > 1:
                listed = " and ".join(f'"{header}"' for header in headers)
                raise ValueError(f"columns: {listed} both stand for {field}; keep one of them")
        return self


class Images(Section):
    """How local pictures are prepared before they are sent; your own files are never changed."""

    prepare: Prepare = "auto"
    """auto: a picture that the provider does not accept, or might misread, is sent as a JPEG or PNG
    copy, kept in cache/pictures of the output folder. That is: HEIC, AVIF, TIFF, BMP, CMYK, 16 bits
    per colour, photographs stored sideways, more than 10,000,000 bytes, or more than 4096 pixels on
    the longer side; of an animation or a file with several pages, the first picture. The pixels
    of JPEG, PNG, WebP and GIF files that fit are sent as they are. off: every file is sent like
    that, or is a problem of its row. Either way a row gets a warning if the video would show less
    than half of a picture.
    """
    strict: bool = False
    """true: JPEG pictures are also read by a decoder that stops where data is missing or garbled in
    the middle. Programs that show pictures pass over that, and a video is made of the grey stripes.
    Such a picture gets its row a warning. This takes longer than the rest of looking at a picture.
    """
    metadata: Literal["remove", "keep"] = "remove"
    """remove: pictures are sent without what cameras and programs note in them: place, date, names,
    serial numbers, comments, previews, data behind the picture. Their pixels, their colours and the
    way up stay as they are. keep: files are sent byte for byte. What was uploaded before is used
    again (api.upload_age_h), however it was sent.
    """


class Defaults(Section):
    """The values that empty cells take; models other than gemini_omni_flash take their sheet's."""

    duration: Literal[4, 6, 10] = 6
    """Seconds of video."""
    aspect_ratio: Literal["16:9", "9:16"] = "16:9"
    """The shape of the video. Always write it in quotes: YAML reads 16:9 as the number 969."""
    resolution: Resolution = "720P"
    """1080p exists only with 16:9."""

    @model_validator(mode="after")
    def _fit_each_other(self) -> Self:
        """Refuse 1080p with 9:16 (docs/contract.md, "Submissions")."""
        if self.resolution == "1080p" and self.aspect_ratio != "16:9":
            raise ValueError("resolution 1080p exists only with aspect_ratio 16:9; change one")
        return self


class Output(Section):
    """Where the videos go, what they are called, and how they are verified."""

    dir: Text = "outputs"
    """The folder that holds one folder per manifest, relative to the working folder."""
    # The default is validated so that it is translated, too.
    name: NameTemplate = Field(default="{key}", validate_default=True)
    """The file name of a video, without .mp4: a template like manifest.prompt_template, for example
    '{{ key }}-{{ title | lower | truncate(30) }}'. {key} or any other column in single braces, for
    example {sku}-{colour}, is short for {{ row["Its Header"] | default("") }}, which writes nothing
    for an empty cell.
    """
    verify: Literal["boxes", "first_frame", "full"] = "first_frame"
    """How thoroughly a downloaded video is verified. boxes: finds truncated files. first_frame:
    also decodes the first frame of the video. full: decodes all of it, about a second per video.
    """
    max_video_mb: int | None = Field(default=None, ge=1, le=100_000)
    """The largest video that is taken, in megabytes. null: five times what its seconds need, but 25
    at least: 40 for 10 seconds of 720P, 90 for 10 seconds of 1080p. What is larger stays at the
    provider, and its row says how to take it.
    """
    videos: VideosPlace | None = None
    """Where finished videos go: a folder, or a bucket as s3://bucket/folder, gs://bucket/folder or
    az://container/folder, in a folder of their own that is called as the output folder is. null:
    videos/ of the output folder. A video stays where it was put when this changes. Buckets need
    pip install "reelsheet[cloud]", and the usual variables of the service (AWS_…, GOOGLE_…,
    AZURE_…), which hold the keys; see docs/scale.md.
    """
    link_base: WebAddress | None = None
    """The web address below which others reach what output.videos holds, for example
    https://videos.example.com/spring: results link there. null: results name the files themselves.
    """
    thumbnails: bool = False
    """Whether results that are a workbook get a sheet with a still of each video, its key, state
    and link: about 5 kB a video, of the first 5,000.
    """
    shared: bool = False
    """true: the folder of the videos lies on a disk that the machines of all workers have under the
    same path (fleet.scheduler). It is tried before anything is sent.
    """

    @property
    def max_video_bytes(self) -> int | None:
        """The largest video that is taken, in bytes; None for what its seconds justify."""
        return None if self.max_video_mb is None else self.max_video_mb * 1_000_000


class FleetSettings(Section):
    """Workers that download, verify and measure videos in place of the run; see docs/scale.md.

    They need pip install "reelsheet[fleet]".
    """

    scheduler: SchedulerAddress | None = None
    """The scheduler of a Dask cluster whose workers `reelsheet worker` starts, as tls://host:8786;
    tcp:// on this machine only. Videos then go to a bucket (output.videos), or to a folder that all
    machines share (output.shared). null: none.
    """
    local: int | None = Field(default=None, ge=1, le=64)
    """Start so many workers on this machine, for as long as the run goes on. null: none."""
    slots: int = Field(default=8, ge=1, le=64)
    """Videos that a worker has at a time. All slots together take the place of limits.downloads. Of
    workers elsewhere `reelsheet worker ADDRESS --slots 8` says it.
    """

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.scheduler is not None and self.local is not None:
            raise ValueError("scheduler and local exclude each other: set one of them to null")
        return self
