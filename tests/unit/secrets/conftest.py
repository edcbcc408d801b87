"""Deriving a key from a passphrase is slow by design: here the same passphrase, salt and cost are derived once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gsvr_tui.core.secret import Secret
from gsvr_tui.secrets import vault

_derive: Callable[[Any, Secret], Any] = vault._Kdf.derive
_known: dict[tuple[Any, Secret], Any] = {}


@pytest.fixture(autouse=True)
def derive_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remember every derived key for the session."""

    def derive(self: Any, passphrase: Secret) -> Any:
        if (self, passphrase) not in _known:
            _known[self, passphrase] = _derive(self, passphrase)
        return _known[self, passphrase]

    monkeypatch.setattr(vault._Kdf, "derive", derive)
