"""Kill a night's run again and again, and print what the API's own records say of it.

    python benchmarks/kills.py --kills 200 --rows 1000

Runs real processes against the emulator on this machine; nothing leaves it. Ends with 0 only if
nothing was submitted twice, no task id was lost and every row is accounted for.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.system.harness import kills
from tests.system.harness.api import KEY, emulator
from tests.system.harness.product import Product


def main() -> int:
    """Run it as the command line says and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200, help="SIGKILLs (200)")
    parser.add_argument("--rows", type=int, default=1000, help="rows, all together (1000)")
    parser.add_argument("--lanes", type=int, default=4, help="manifests that are run together (4)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (1)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reelsheet-kills-") as folder:
        api_folder, work = Path(folder, "api"), Path(folder, "work")
        with emulator(api_folder, median_s=0.4) as api:
            api.faults(*kills.FAULTS)
            product = Product(
                work, api.base_url, KEY, {"account.book": str(Path(folder, "book.db"))}
            )
            manifests = kills.manifests(work, chosen.rows, chosen.lanes)
            tally = kills.kill_and_rerun(
                product, api, manifests, kills=chosen.kills, seed=chosen.seed
            )
    for name, value in tally.table():
        print(f"{name:34} {value}")
    return 0 if tally.whole else 1


if __name__ == "__main__":
    sys.exit(main())
