"""What is lost, redone or paid twice when the program is killed, refused and cut off; and what the state store costs.

    python bench/durability.py [kills] [faults] [state] [--kills N] [--jobs N] [--seed N] [--lanes N] [--out FILE]

Sizes come from GSVR_DURABILITY (small, the default, or full); options win. See docs/reliability.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.durability.command import main

if __name__ == "__main__":
    sys.exit(main())
