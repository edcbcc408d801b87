"""What the config says of limits and caps reaches the service."""

from __future__ import annotations

from pathlib import Path

import pytest

from gsvr_tui.config.load import parse_config
from gsvr_tui.config.places import find_places
from gsvr_tui.config.problems import ConfigError
from gsvr_tui.service.assembly import settings_of

CONFIG = b"""
budget: {per_month_usd: 50.0}
accounts:
  - name: anna
    project: lab
    key: {env: A}
    per_month_usd: 9.0
    limits:
      gemini-3.8-flash: {rpm: 10, tpd: 3000000}
  - {name: ben, project: lab, key: {env: B}, per_month_usd: 7.5}
  - {name: carla, key: {env: C}, per_month_usd: 3}
  - {name: deng, key: {env: D}}
"""


def test_caps_of_projects_and_tokens_of_a_day_are_taken_over(tmp_path: Path) -> None:
    config = parse_config(CONFIG, "config.yaml")
    settings = settings_of(config, find_places({"GSVR_HOME": str(tmp_path)}), {})
    assert settings.caps.projects == {"lab": 7.5, "carla": 3.0}
    assert settings.caps.month == 50.0
    assert settings.accounts[0].limits["gemini-3.8-flash"].tpd == 3_000_000


def test_a_cap_below_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="per_month_usd"):
        parse_config(CONFIG.replace(b"9.0", b"-1.0"), "config.yaml")
