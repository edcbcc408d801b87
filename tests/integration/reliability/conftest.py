"""What these tests share with those of the service and the command line: rigs, homes, clips."""

from __future__ import annotations

from tests.integration.cli.conftest import clip_library, home
from tests.integration.service.conftest import clips, make_rig, originals, reaper

__all__ = ["clip_library", "clips", "home", "make_rig", "originals", "reaper"]
