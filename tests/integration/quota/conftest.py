"""The service's rigs for the quota's own tests, and the command line over a rig's home."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from gsvr_tui.cli import main
from tests.integration.service.conftest import clips, make_rig, originals, reaper
from tests.integration.service.rig import Rig

__all__ = ["CommandLine", "Said", "clips", "command_line", "make_rig", "originals", "reaper"]


@dataclass(frozen=True, slots=True)
class Said:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """stdout as JSON Lines."""
        return [json.loads(line) for line in self.out.splitlines()]


CommandLine = Callable[..., Said]


@pytest.fixture
def command_line(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[CommandLine]:
    """`command_line(rig, "usage", "--json")`: a command over a rig's home, in this process."""
    mask = os.umask(0o022)

    def call(rig: Rig, *arguments: object, **variables: str) -> Said:
        for name in [name for name in os.environ if name.startswith(("GSVR_", "GEMINI_", "GOOGLE_"))]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("GSVR_HOME", str(rig.home))
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        capfd.readouterr()
        code = main([str(part) for part in arguments])
        seen = capfd.readouterr()
        return Said(code, seen.out, seen.err)

    yield call
    os.umask(mask)
