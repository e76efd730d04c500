"""A whole night in virtual time, the engine alone: what deciding costs per row.

    python benchmarks/nights.py [--rows 100000] [--outstanding 500] [--profile]

Seconds are processor time of this process, the double of the provider included (about a third).
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import sys
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from pipeline.model import State  # noqa: E402 - found by the line above
from tests.engine.night import SETTINGS, night  # noqa: E402


def main() -> None:
    """Run the night and print its figures."""
    parser = argparse.ArgumentParser(description="one night of the engine in virtual time")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--outstanding", type=int, default=500, help="slots at the provider")
    parser.add_argument("--profile", action="store_true", help="show where the time goes")
    asked = parser.parse_args()
    settings = replace(SETTINGS, outstanding=asked.outstanding, submits_per_minute=2000)

    profile = cProfile.Profile()
    began = time.process_time()
    one = night(asked.rows, settings=settings)
    if asked.profile:
        profile.runcall(one.run)
    else:
        one.run()
    spent_s = time.process_time() - began

    provider = one.provider
    assert one.states() == {State.DONE: asked.rows}
    assert set(provider.references.values()) <= {1}
    print(f"rows            {asked.rows:>12,}")
    print(f"seconds         {spent_s:>12.2f}")
    print(f"us/row          {spent_s / asked.rows * 1e6:>12.1f}")
    print(f"decisions/row   {one.decisions / asked.rows:>12.2f}")
    print(f"polls/task      {provider.queries.total() / asked.rows:>12.2f}")
    print(f"the night took  {one.now / 3600:>12.2f} hours of virtual time")
    if asked.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
