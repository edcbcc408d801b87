"""Changes to the config leave everything else in it alone."""

from __future__ import annotations

import difflib
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from gsvr_tui.config import edit
from gsvr_tui.config.load import load_config
from gsvr_tui.config.package_data import example_config
from gsvr_tui.config.problems import ConfigError

ENTRY = {"name": "b", "project": "q", "key": {"env": "B"}, "tier": "free", "base_url": ""}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text(example_config(), encoding="utf-8")
    return file


def changed(path: Path) -> list[str]:
    """The lines that were taken out and put in, against the example."""
    after = path.read_text(encoding="utf-8")
    lines = difflib.ndiff(example_config().splitlines(), after.splitlines())
    return [line for line in lines if line[0] in "+-"]


def test_an_account_goes_right_below_the_last_one(path: Path) -> None:
    config = edit.add_account(path, ENTRY)
    assert [account.name for account in config.accounts] == ["main", "b"]
    assert changed(path) == ["+   - name: b", "+     project: q", "+     key: {env: B}", "+     tier: free"]
    lines = path.read_text().splitlines()
    assert lines[lines.index("  - name: b") - 1] == "    key: {env: GEMINI_API_KEY}"


def test_a_removed_account_takes_no_comment_of_others_with_it(path: Path) -> None:
    edit.remove_account(path, "main")
    assert load_config(path).accounts == ()
    assert [line[2:] for line in changed(path)] == [
        "  - name: main",
        "    project: my-course-project",
        "    key: {env: GEMINI_API_KEY}",
    ]


def test_adding_and_removing_an_account_gives_the_same_file(path: Path) -> None:
    edit.add_account(path, ENTRY)
    edit.remove_account(path, "b")
    assert path.read_text() == example_config()


@pytest.mark.parametrize(
    ("place", "value", "lines"),
    [
        ("theme", "light", ["- theme: dark", "+ theme: light"]),
        ("language", "no", ['- language: ""', '+ language: "no"']),
        ("workers", 3, ["- workers: auto", "+ workers: 3"]),
        ("output.formats", ("html", "json"), ["-   formats: [markdown, json]", "+   formats: [html, json]"]),
        ("budget.per_day_usd", 3.5, ["+   per_day_usd: 3.5"]),
        ("ui.reduce_motion", True, ["+   reduce_motion: true"]),
        ("keymap.quit", "ctrl+q", ["- keymap: {}", "+ keymap:", "+   quit: ctrl+q"]),
        ("log.level", None, ["-   level: info"]),
        ("no_such", None, []),
    ],
)
def test_one_value_changes_one_line(path: Path, place: str, value: Any, lines: list[str]) -> None:
    edit.set_value(path, place, value)
    assert sorted(changed(path)) == sorted(lines)


def test_values_of_an_account_are_set_by_its_name(path: Path) -> None:
    edit.set_account_value(path, "main", "enabled", False)
    edit.set_account_value(path, "main", ("limits", "gemini-3.8-flash", "rpm"), 5)
    edit.set_account_value(path, "main", ("limits", "gemini-3.8-flash", "rpd"), 20)
    account = load_config(path).to_accounts()[0]
    assert not account.enabled
    assert (account.limits["gemini-3.8-flash"].rpm, account.limits["gemini-3.8-flash"].rpd) == (5, 20)
    assert all(line.startswith("+") for line in changed(path))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("accounts: []\n# tail\n", "accounts:\n  - name: a\n    key: {env: A}\n# tail\n"),
        ("accounts:\n# tail\ntheme: x\n", "accounts:\n  - name: a\n    key: {env: A}\n# tail\ntheme: x\n"),
        ("# head\n\n", "# head\naccounts:\n  - name: a\n    key: {env: A}\n\n"),
        ("theme: x", "theme: x\naccounts:\n  - name: a\n    key: {env: A}\n"),
        (
            "accounts: # mine\n- name: z\n  key: {env: Z}\n",
            "accounts: # mine\n- name: z\n  key: {env: Z}\n- name: a\n  key: {env: A}\n",
        ),
        (
            "accounts:\n  - name: z\n    key:\n      env: Z # last\n      # deeper\n\n# tail\n",
            "accounts:\n  - name: z\n    key:\n      env: Z # last\n      # deeper\n"
            "  - name: a\n    key: {env: A}\n\n# tail\n",
        ),
    ],
)
def test_accounts_are_added_whatever_the_list_looks_like(tmp_path: Path, before: str, after: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(before)
    edit.add_account(file, {"name": "a", "key": {"env": "A"}})
    assert file.read_text() == after


def test_a_list_in_brackets_is_added_to_as_well(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("accounts: [{name: z, key: {env: Z}}] # all\n")
    config = edit.add_account(file, {"name": "a", "key": {"env": "A"}})
    assert [account.name for account in config.accounts] == ["z", "a"]
    config = edit.remove_account(file, "z")
    assert [account.name for account in config.accounts] == ["a"]


def test_a_missing_file_is_made_private_with_a_word_of_help(tmp_path: Path) -> None:
    file = tmp_path / "new" / "config.yaml"
    config = edit.set_value(file, "output.directory", "~/reports")
    assert config.output.directory == "~/reports"
    assert file.read_text().startswith("# gsvr-tui's settings.")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert list(file.parent.iterdir()) == [file], "no temporary file is left"


def test_json_is_edited_as_json(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    edit.add_account(file, ENTRY)
    edit.set_value(file, "output.formats", ("html",))
    edit.set_value(file, "theme", "light")
    edit.set_value(file, "theme", None)
    edit.add_account(file, {"name": "c", "key": {"vault": "c"}})
    edit.remove_account(file, "b")
    assert json.loads(file.read_text()) == {
        "version": 1,
        "accounts": [{"name": "c", "key": {"vault": "c"}}],
        "output": {"formats": ["html"]},
    }


def test_windows_line_ends_stay(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_bytes(b"# head\r\ntheme: dark\r\n")
    edit.set_value(file, "workers", 2)
    edit.set_value(file, "theme", "light")
    assert file.read_bytes() == b"# head\r\ntheme: light\r\nworkers: 2\r\n"


def test_a_config_that_is_a_link_stays_one(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.yaml"
    real.write_text("theme: dark\n")
    link = tmp_path / "config.yaml"
    link.symlink_to(real)
    edit.set_value(link, "theme", "light")
    assert link.is_symlink()
    assert real.read_text() == "theme: light\n"


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda path: edit.set_value(path, "workers", 99), "workers: 99 is out of range"),
        (lambda path: edit.add_account(path, {"name": "main", "key": {"env": "A"}}), "has this name too"),
        (lambda path: edit.add_account(path, {"name": "x", "key": {}}), "key is missing"),
        (lambda path: edit.add_account(path, {"name": "x", "key": "AQ." + "CANARY" * 5}), "plain text"),
        (lambda path: edit.set_value(path, "nonsense", 1), "no such setting"),
    ],
)
def test_a_change_that_makes_the_config_wrong_leaves_it_alone(path: Path, act: Any, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        act(path)
    assert expected in str(caught.value)
    assert "CANARY" not in str(caught.value)
    assert path.read_text() == example_config()


def test_a_config_that_is_wrong_already_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("thme: dark\n")
    with pytest.raises(ConfigError):
        edit.set_value(file, "workers", 2)
    assert file.read_text() == "thme: dark\n"


def test_an_unknown_account_is_a_key_error(path: Path) -> None:
    with pytest.raises(KeyError):
        edit.remove_account(path, "nobody")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_can_t_be_written_is_told(path: Path) -> None:
    path.parent.chmod(0o500)
    try:
        with pytest.raises(ConfigError, match="can't be written"):
            edit.set_value(path, "workers", 2)
    finally:
        path.parent.chmod(0o700)
