"""The environment of a peer whose dependencies bite ours: made when it is first wanted, kept in the cache folder."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

LITELLM = "litellm==1.109.0"
INSTALL_S = 600


def cache_folder() -> Path:
    """Where environments are kept."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "gsvr-tui-bench"


def _python(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def litellm_python(*, install: bool = True) -> Path | None:
    """The interpreter that has LiteLLM, or None when it is not installed and can't be."""
    folder = cache_folder() / LITELLM.replace("==", "-")
    python = _python(folder)
    if _has(python):
        return python
    if not install:
        return None
    print(f"installing {LITELLM} into {folder} …", file=sys.stderr)
    try:
        venv.create(folder, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", LITELLM], check=True, timeout=INSTALL_S)
    except (OSError, subprocess.SubprocessError) as problem:
        print(f"{LITELLM} can't be installed: {problem}", file=sys.stderr)
        return None
    return python if _has(python) else None


def _has(python: Path) -> bool:
    if not python.exists():
        return False
    found = subprocess.run(
        [str(python), "-c", "import importlib.util as u; print(u.find_spec('litellm') is not None)"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return found.stdout.strip() == "True"
