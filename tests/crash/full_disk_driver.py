"""Runs in a mount namespace of its own: a small disk, the real program on it, the disk full, then room again.

usage: full_disk_driver.py HOME VIDEOS; HOME holds config.yaml and becomes the small disk. Prints one line of JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

SIZE = 6 << 20
LIMIT_S = 60.0


class Filler:
    """Takes whatever room there is."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "filler"
        self._fd = os.open(self._path, os.O_CREAT | os.O_WRONLY)

    def fill(self) -> None:
        for size in (65_536, 4_096, 512, 1):
            with contextlib.suppress(OSError):
                while True:
                    os.write(self._fd, b"x" * size)

    def free(self) -> None:
        os.close(self._fd)
        self._path.unlink()


def main(home: Path, videos: Path) -> None:
    config = (home / "config.yaml").read_bytes()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", str(home)], check=True)
    (home / "config.yaml").write_bytes(config)
    process = subprocess.Popen(
        [sys.executable, "-m", "gsvr_tui", "run", str(videos), "--yes", "--json", "--workers", "1"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    filler: Filler | None = None
    said = b""
    stalled_after = -1
    freed = False
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        if select.select([descriptor], [], [], 0.02)[0]:
            data = os.read(descriptor, 65_536)
            if not data:
                break
            said += data
        if filler is None and b'"done"' in said:
            filler = Filler(home)
        if filler is not None and not freed:
            filler.fill()
            if b"No space left" in said:
                stalled_after = said.count(b'"state": "done"')
                time.sleep(1.0)  # it really stands still
                filler.free()
                freed = True
    code = process.wait(LIMIT_S)
    text = said.decode("utf-8", "replace")
    left = shutil.disk_usage(home).free
    reports = len(list((home / "reports").glob("*.md")))
    result = {"code": code, "freed": freed, "done_before": stalled_after, "reports": reports, "free": left}
    print(json.dumps({**result, "said": text[-3_000:]}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
