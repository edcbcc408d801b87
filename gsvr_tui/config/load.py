"""The config file read, checked and explained."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gsvr_tui.config import explain, plain_keys
from gsvr_tui.config.problems import ConfigError, Problem
from gsvr_tui.config.reader import MAX_BYTES, read_document
from gsvr_tui.config.schema import Config

__all__ = ["ConfigError", "Problem", "load_config", "parse_config", "read_bytes"]

_NONBLOCK = getattr(os, "O_NONBLOCK", 0)


def load_config(path: Path) -> Config:
    """The config at `path`; the defaults when there is no such file.

    Raises ConfigError with every problem found. No problem holds a key.
    """
    data = read_bytes(path)
    return Config() if data is None else parse_config(data, str(path))


def parse_config(data: bytes, file: str) -> Config:
    """The config written in `data`; `file` is its name in problems, and its suffix says JSON or YAML."""
    document = read_document(data, file)
    if document.value is None:
        return Config()
    if not isinstance(document.value, dict):
        line, column = document.place(())
        raise ConfigError([Problem(file, line, column, "", "A config is a list of settings.", "name: value")])
    refused = plain_keys.find(document)
    if refused:
        raise ConfigError(refused)
    try:
        config = Config.model_validate(document.value)
    except ValidationError as error:
        problems = explain.problems(document, error.errors(include_url=False, include_input=False))
        raise ConfigError(problems) from None  # pydantic's own text may show what was written
    twice = explain.same_names(document, [account.name for account in config.accounts])
    if twice:
        raise ConfigError(twice)
    return config


def read_bytes(path: Path) -> bytes | None:
    """A small regular file's content, None when there is none. Raises ConfigError when it can't be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _NONBLOCK | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _unreadable(path, "it is not a regular file")
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error.strerror or "unknown error") from None


def _unreadable(path: Path, why: Any) -> ConfigError:
    return ConfigError([Problem(str(path), 0, 0, "", f"The file can't be read: {why}.", "")])
