"""Counts the videos under some paths, so that waiting can be told in figures. Looks at names only."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

from gsvr_tui.ui.screens.add_videos import VIDEO_SUFFIXES


def count_videos(paths: Sequence[str], stop: threading.Event) -> int:
    """The files that look like videos; what can't be read counts nothing. For a thread; ends early after `stop`."""
    count = 0
    for path in paths:
        if stop.is_set():
            break
        if not Path(path).is_dir():
            count += 1
            continue
        for _, folders, files in os.walk(path):
            folders[:] = [name for name in folders if not name.startswith(".")]
            count += sum(not name.startswith(".") and Path(name).suffix.lower() in VIDEO_SUFFIXES for name in files)
            if stop.is_set():
                break
    return count
