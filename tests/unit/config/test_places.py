"""Where things lie, and that nobody else can look into them."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from gsvr_tui.config import package_data
from gsvr_tui.config.places import PlaceProblem, find_places, private_umask, repair_mode
from gsvr_tui.config.private_file import create_private, write_private

PATHS = ("config_file", "data", "state", "logs", "vault_file", "templates", "themes", "models_file", "reports")


def test_one_variable_puts_everything_under_one_folder(tmp_path: Path) -> None:
    places = find_places({"GSVR_HOME": str(tmp_path / "home")})
    assert places.root == tmp_path / "home"
    assert all(getattr(places, name).is_relative_to(places.root) for name in PATHS)
    assert not places.root.exists(), "finding makes nothing"


def test_the_config_file_can_lie_elsewhere(tmp_path: Path) -> None:
    places = find_places({"GSVR_HOME": str(tmp_path / "home"), "GSVR_CONFIG": str(tmp_path / "my.yaml")})
    assert places.config_file == tmp_path / "my.yaml"
    places.ensure()
    assert places.state.is_relative_to(tmp_path / "home")


def test_without_variables_the_system_s_places_are_used_and_kept_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    places = find_places({"GSVR_HOME": ""})
    assert len({places.root, places.data, places.state, places.logs}) == 4
    assert all(getattr(places, name).is_absolute() for name in PATHS)
    assert not places.logs.is_relative_to(places.state)


def test_folders_are_made_private(tmp_path: Path) -> None:
    places = find_places({"GSVR_HOME": str(tmp_path / "home")})
    assert places.ensure() == ()
    for folder in (places.root, places.data, places.state, places.logs):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert places.ensure() == ()


def test_a_loosened_folder_is_repaired_and_reported(tmp_path: Path) -> None:
    places = find_places({"GSVR_HOME": str(tmp_path / "home")})
    places.ensure()
    places.state.chmod(0o755)
    (notice,) = places.ensure()
    assert str(places.state) in notice
    assert "755" in notice
    assert stat.S_IMODE(places.state.stat().st_mode) == 0o700


def test_a_file_in_the_way_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(PlaceProblem, match="GSVR_HOME") as caught:
        find_places({"GSVR_HOME": str(tmp_path / "home")}).ensure()
    assert caught.value.message
    assert caught.value.advice


def test_new_files_are_private_after_the_umask_is_set(tmp_path: Path) -> None:
    before = private_umask()
    try:
        (tmp_path / "x").write_text("")
        assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_a_private_file_is_left_as_it_is(tmp_path: Path) -> None:
    os.close(create_private(tmp_path / "x"))
    assert repair_mode(tmp_path / "x", 0o600) == ""


def test_a_private_file_is_never_made_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(OSError):  # noqa: PT011 (ELOOP or EEXIST, by system)
        create_private(tmp_path / "link", exclusive=False)
    assert not (tmp_path / "target").exists()


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    write_private(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_private(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


# ---------------------------------------------------------------- packaged data


def test_a_user_s_theme_goes_before_a_packaged_one_and_a_broken_one_takes_none_with_it(tmp_path: Path) -> None:
    places = find_places({"GSVR_HOME": str(tmp_path)})
    packaged = dict(package_data.theme_files(places))
    assert "dark" in packaged
    places.themes.mkdir()
    (places.themes / "dark.yaml").write_text("dark: true\ncolors: {text: '#ffffff'}\n")
    (places.themes / "mine.yml").write_text("dark: false\n")
    (places.themes / "broken.yaml").write_text("a: [1\n")
    (places.themes / "list.yaml").write_text("- a\n")
    (places.themes / ".hidden.yaml").write_text("a: 1\n")
    (places.themes / "notes.txt").write_text("not a theme")
    themes, problems = package_data.read_themes(places)
    assert set(dict(themes)) == set(packaged) | {"mine"}
    assert dict(themes)["dark"] == {"dark": True, "colors": {"text": "#ffffff"}}
    assert sorted(Path(problem.file).name for problem in problems) == ["broken.yaml", "list.yaml"]


def test_what_is_not_packaged_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        package_data.data_text("no-such-file")
    places = replace(find_places({"GSVR_HOME": str(tmp_path)}), themes=tmp_path / "none")
    assert package_data.theme_files(places)
