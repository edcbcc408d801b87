"""What the caller decides before the app starts. Plain values: ui reads no config and no theme file itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any


@dataclass(frozen=True, slots=True)
class UiOptions:
    """Options of the app; every field has a sensible default.

    `themes` maps a theme's name to its file as parsed (see `ui/themes.py` for the fields); a faulty one is reported and
    left out. `clock` gives Unix seconds. `opener` opens a file or folder for the user and raises OSError when it can't.
    """

    theme: str = "dark"
    themes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ascii: bool = False  # draw with ASCII signs only
    reduce_motion: bool = False
    mouse: bool = True
    first_run: bool = False  # no account is set up: begin with the wizard
    keyring_available: bool = True
    vault_exists: bool = False
    default_output: str = ""
    demo: bool = False
    clock: Callable[[], float] = time.time
    timezone: tzinfo | None = None  # None: the machine's own
    opener: Callable[[str], None] | None = None  # None: the system's
    start_folder: str = ""  # where the file picker starts, empty: the working folder
