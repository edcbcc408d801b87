"""Videos for the contestants: real, tiny, and all different, so that no answer can be reused."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

from gsvr_tui.media.samples import ClipSpec, make_clip


def make_clips(folder: Path, durations: tuple[float, ...], count: int) -> list[Path]:
    """`count` clips with the durations in turn. A box that players skip makes each file one of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    originals = {}
    for duration in sorted(set(durations)):
        spec = ClipSpec(duration_s=duration, width=64, height=48, fps=1 if duration > 10 else 2, tone_hz=0)
        originals[duration] = make_clip(folder / f".original-{duration:g}.mp4", spec).read_bytes()
    made = []
    for index in range(count):
        mark = hashlib.sha256(f"clip {index}".encode()).digest()
        path = folder / f"clip-{index:04}.mp4"
        path.write_bytes(
            originals[durations[index % len(durations)]] + struct.pack(">I4s", 8 + len(mark), b"free") + mark
        )
        made.append(path)
    for original in folder.glob(".original-*"):
        original.unlink()
    return made
