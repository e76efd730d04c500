"""Makes ``python -m pipeline.emulator`` work."""

from __future__ import annotations

import sys

from pipeline.emulator.command import main

if __name__ == "__main__":
    sys.exit(main())
