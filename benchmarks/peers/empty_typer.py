"""An empty Typer application with as many commands as the product's.

python benchmarks/peers/empty_typer.py --help
"""

from __future__ import annotations

import typer

COMMANDS = (
    "check",
    "plan",
    "run",
    "retry",
    "fetch",
    "status",
    "resolve",
    "report",
    "init",
    "emulate",
)

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)


def _nothing() -> None:
    """Do nothing."""


for name in COMMANDS:
    app.command(name)(_nothing)

if __name__ == "__main__":
    app()
