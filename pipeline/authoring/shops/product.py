"""A product as every export format tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Product:
    """One product of an export.

    `line` is its first physical line. `description` is plain text. `active` says that customers
    see it. `pictures` are as the export names them, in the product's own order. `kept` are further
    columns that stay in the manifest, by their header there. `export` holds the cells of its first
    line by the headers of the export, for templates.
    """

    key: str
    line: int
    title: str = ""
    type: str = ""
    vendor: str = ""
    description: str = ""
    tags: str = ""
    price: str = ""
    status: str = ""
    active: bool = True
    pictures: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)
    export: Mapping[str, str] = field(default_factory=dict)
