"""How well quota is used: the real client and its peers on the same jobs, over the same emulator.

    python bench/balance.py [--quick] [--scene NAME]… [--repeat 3] [--peers A,B | --no-peers] [--out FILE]

Needs the project's own environment; LiteLLM is installed into one of its own when it takes part. See docs/balancing.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.balance.command import main

if __name__ == "__main__":
    sys.exit(main())
