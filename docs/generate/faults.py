"""The faults that the emulator can be asked for."""

from __future__ import annotations

from pipeline.emulator.catalogue import FAULT_GROUPS, list_faults

from .tables import table


def faults() -> str:
    """Return one table for each kind of call."""
    known = list_faults()
    parts = []
    for group in FAULT_GROUPS:
        rows = [(f"`{name}`", about) for name, about in known if name.startswith(f"{group}_")]
        parts.append(f"\n### {group}\n\n{table(('fault', 'what happens'), rows)}")
    return "".join(parts) + "\n"
