"""Where things lie on this machine, and that they are private there."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

_APP = "gsvr-tui"
_HOME = "GSVR_HOME"
_CONFIG = "GSVR_CONFIG"
PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
_OTHERS = 0o077


class PlaceProblem(Exception):
    """A folder of ours can't be used: what is wrong and what to do."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(f"{message} {advice}")
        self.message = message
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Places:
    """Every path the program uses by itself. All absolute; none is created before `ensure`."""

    root: Path  # the user's own files: config, templates, themes, models
    config_file: Path
    data: Path  # answers and the vault: what must not be lost
    state: Path  # the queue
    logs: Path
    vault_file: Path
    templates: Path  # the user's own, beside those in the package
    themes: Path
    models_file: Path
    reports: Path  # where reports go when neither config nor command says otherwise

    def ensure(self) -> tuple[str, ...]:
        """Make the folders, for this user only. Returns one line per folder whose mode had to be repaired.

        Raises PlaceProblem when a folder can't be made or made private.
        """
        notices = []
        for folder in (self.root, self.data, self.state, self.logs):
            notice = _private_folder(folder)
            if notice:
                notices.append(notice)
        return tuple(notices)


def find_places(env: Mapping[str, str]) -> Places:
    """The places as `env` and the system say. `GSVR_HOME` puts everything under one folder, `GSVR_CONFIG` names the
    config file alone."""
    home = env.get(_HOME, "")
    if home:
        root = Path(home).expanduser().absolute()
        data, state, logs, reports = root / "data", root / "state", root / "logs", root / "reports"
    else:
        dirs = platformdirs.PlatformDirs(_APP, appauthor=False)
        root = dirs.user_config_path
        # config and data are one folder on macOS and Windows
        data = dirs.user_data_path if dirs.user_data_path != root else root / "data"
        state, logs = dirs.user_state_path / "state", dirs.user_log_path
        reports = dirs.user_documents_path / "gsvr-reports"
    config = env.get(_CONFIG, "")
    return Places(
        root=root,
        config_file=Path(config).expanduser().absolute() if config else root / "config.yaml",
        data=data,
        state=state,
        logs=logs,
        vault_file=data / "vault.json",
        templates=root / "templates",
        themes=root / "themes",
        models_file=root / "models.yaml",
        reports=reports,
    )


def private_umask() -> int:
    """From now on new files are for this user only. Returns the mask before. Call once, before any thread starts."""
    return os.umask(_OTHERS)


def repair_mode(path: Path, wanted: int) -> str:
    """Take from `path` what others may do with it. Returns a line that says so, or "" when there was nothing to do.

    Raises OSError when the mode can't be changed. Does nothing on Windows, where modes say nothing.
    """
    if os.name == "nt":
        return ""
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & _OTHERS:
        return ""
    path.chmod(wanted)
    return f"{path} was open to other users of this machine (mode {mode:03o}); it is private now (mode {wanted:03o})."


def _private_folder(folder: Path) -> str:
    advice = f"Make it a folder you own, or set {_HOME} to one."
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        return repair_mode(folder, PRIVATE_FOLDER)
    except FileExistsError:
        raise PlaceProblem(f"{folder} is not a folder.", advice) from None
    except OSError as error:
        raise PlaceProblem(f"{folder} can't be used: {error.strerror or 'unknown error'}.", advice) from None
