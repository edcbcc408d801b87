"""The way from the app to the demo and back, and how it ends."""

from __future__ import annotations

import pytest

from gsvr_tui.app import WANTS_DEMO
from gsvr_tui.commands import demo, screens
from gsvr_tui.commands.exit_codes import Exit
from gsvr_tui.commands.guard import Complaint


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is one."""
    monkeypatch.setattr(screens, "is_terminal", lambda stream: True)


@pytest.mark.usefixtures("terminal")
def test_the_demo_is_run_when_the_wizard_was_asked_for_it_and_the_app_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ends = iter([WANTS_DEMO, 0])
    happened: list[str] = []

    def app() -> int:
        happened.append("app")
        return next(ends)

    def show() -> int:
        happened.append("demo")
        return 0

    monkeypatch.setattr(screens, "_one", app)
    monkeypatch.setattr(demo, "demo_app", show)
    assert screens.open_app() == 0
    assert happened == ["app", "demo", "app"]


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(("status", "code"), [(0, 0), (1, 1), (129, Exit.INTERRUPTED), (143, Exit.INTERRUPTED)])
def test_an_app_ended_by_a_signal_is_an_interruption(status: int, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screens, "_one", lambda: status)
    assert screens.open_app() == code


def test_without_a_terminal_the_app_says_what_to_use() -> None:
    with pytest.raises(Complaint, match="needs a terminal"):
        screens.open_app()
