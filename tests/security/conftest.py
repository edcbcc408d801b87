"""A user's home, an emulator and clips, as the tests of the command line have them."""

from __future__ import annotations

from tests.integration.cli.conftest import clip_library, clips, home
from tests.integration.service.conftest import make_rig, originals, reaper

__all__ = ["clip_library", "clips", "home", "make_rig", "originals", "reaper"]
