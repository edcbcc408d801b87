"""Finds the videos below the files and folders a user named, and says of everything left out why.

Regular files only. Folders are searched once each, known by (device, inode), so loops end and overlapping names count
once; links that lead out of the named folder are not followed. Names that are not UTF-8 are kept as they are.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gsvr_tui.media.containers import VIDEO_SUFFIXES
from gsvr_tui.media.opening import problem_of

PARTIAL_SUFFIXES = frozenset({".part", ".partial", ".crdownload", ".download", ".filepart", ".!ut", ".aria2", ".tmp"})
"""What browsers and copying programs hang on a name while the file is not complete."""

_SYSTEM_FOLDERS = frozenset({"$recycle.bin", "system volume information", "@eadir", "lost+found", "__macosx"})


@dataclass(frozen=True, slots=True)
class FoundVideo:
    """A video file: `name` is its path below `root` with `/` between the parts, not sanitised.

    `location` is its absolute path as text; a Path per file would double the time for 100,000 of them.
    """

    location: str
    root: Path
    name: str
    size_bytes: int = 0

    @property
    def path(self) -> Path:
        """Where it is."""
        return Path(self.location)


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something left out. `code`: MISSING, NO_VIDEOS_HERE, NOT_A_FILE, HIDDEN, PARTIAL, EMPTY, DUPLICATE, LINK_LOOP,
    LINK_OUT, LINK_BROKEN, UNREADABLE.
    """

    path: Path
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gave, in the order of the named paths and in natural order below each."""

    videos: tuple[FoundVideo, ...] = ()
    skipped: tuple[Skipped, ...] = ()


def find_videos(paths: Sequence[Path]) -> Found:
    """All videos at and below `paths`. Reads folders only, opens no file."""
    search = _Search()
    for path in paths:
        search.named(Path(os.path.abspath(path)))  # noqa: PTH100 – resolve() would follow the user's links
    return Found(tuple(search.videos), tuple(search.skipped))


_DIGITS = re.compile(r"(\d+)")


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts `Lecture 2` before `Lecture 10`, without regard to case."""
    parts = _DIGITS.split(name.casefold())
    return tuple((0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts if part)


def _entry_key(entry: os.DirEntry[str]) -> tuple[tuple[int, int, str], ...]:
    return natural_key(entry.name)


@dataclass(slots=True)
class _Folder:
    """A folder still to be read."""

    path: str
    prefix: str  # its name below the root, with a slash at the end, or empty


@dataclass(slots=True)
class _Search:
    videos: list[FoundVideo] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    folders: set[tuple[int, int]] = field(default_factory=set)
    files: dict[tuple[int, int], str] = field(default_factory=dict)

    def skip(self, path: str | Path, code: str, message: str) -> None:
        self.skipped.append(Skipped(Path(path), code, message))

    # ------------------------------------------------------------ what the user named

    def named(self, path: Path) -> None:
        try:
            status = path.stat()
        except OSError as error:
            problem = problem_of(error)
            self.skip(path, problem.code, problem.message)
            return
        except ValueError:
            self.skip(path, "MISSING", "no file can have this name")
            return
        if stat.S_ISDIR(status.st_mode):
            self.named_folder(path, status)
        elif not stat.S_ISREG(status.st_mode):
            self.skip(path, "NOT_A_FILE", "it is neither a file nor a folder")
        else:
            self.file(str(path), path.parent, path.name, status)  # any suffix: the user chose it

    def named_folder(self, root: Path, status: os.stat_result) -> None:
        if (status.st_dev, status.st_ino) in self.folders:
            self.skip(root, "DUPLICATE", "this folder was searched already")
            return
        videos, skipped = len(self.videos), len(self.skipped)
        self.walk(root)
        if len(self.videos) == videos and not any(s.code == "UNREADABLE" for s in self.skipped[skipped:]):
            self.skip(root, "NO_VIDEOS_HERE", "there are no new videos in this folder")

    # ------------------------------------------------------------ below a folder

    def walk(self, root: Path) -> None:
        real_root = os.path.realpath(root)
        waiting = [_Folder(str(root), "")]
        while waiting:
            folder = waiting.pop()
            below = self.read(folder, root, real_root)
            waiting.extend(reversed(below))

    def read(self, folder: _Folder, root: Path, real_root: str) -> list[_Folder]:
        """Take the videos of one folder; returns the folders in it, in order."""
        try:
            status = os.stat(folder.path)  # noqa: PTH116 – strings: a Path per entry would double the time
            if (status.st_dev, status.st_ino) in self.folders:
                return []
            self.folders.add((status.st_dev, status.st_ino))
            with os.scandir(folder.path) as entries:
                ordered = sorted(entries, key=_entry_key)
        except OSError as error:
            problem = problem_of(error)
            self.skip(folder.path, "UNREADABLE", f"the folder can't be read: {problem.message}")
            return []
        below: list[_Folder] = []
        for entry in ordered:
            try:
                if self.entry(entry, folder, root, real_root):
                    below.append(_Folder(entry.path, f"{folder.prefix}{entry.name}/"))
            except OSError as error:  # gone between listing and looking, or on a failing disk
                self.skip(entry.path, "UNREADABLE", problem_of(error).message)
        return below

    def entry(self, entry: os.DirEntry[str], folder: _Folder, root: Path, real_root: str) -> bool:
        """Take or skip one entry; True when it is a folder to be searched."""
        name = entry.name
        hidden = name.startswith(".") or name.lower() in _SYSTEM_FOLDERS
        if entry.is_dir(follow_symlinks=False):
            if hidden:
                self.skip(entry.path, "HIDDEN", "hidden and system folders are not searched")
            return not hidden
        stem, suffix = os.path.splitext(name)  # noqa: PTH122
        suffix = suffix.lower()
        if suffix in PARTIAL_SUFFIXES and os.path.splitext(stem)[1].lower() in VIDEO_SUFFIXES:  # noqa: PTH122
            self.skip(entry.path, "PARTIAL", "it is still being downloaded or copied")
            return False
        if entry.is_symlink():
            self.link(entry, suffix, folder, root, real_root)
            return False
        if suffix not in VIDEO_SUFFIXES:
            return False
        if hidden:
            self.skip(entry.path, "HIDDEN", "hidden files are left out")
        elif not entry.is_file(follow_symlinks=False):
            self.skip(entry.path, "NOT_A_FILE", "it is a pipe, a socket or a device")
        else:
            self.file(entry.path, root, folder.prefix + name, entry.stat(follow_symlinks=False))
        return False

    def link(self, entry: os.DirEntry[str], suffix: str, folder: _Folder, root: Path, real_root: str) -> None:
        target = os.path.realpath(entry.path)
        inside = target == real_root or target.startswith(real_root.rstrip(os.sep) + os.sep)
        try:
            is_folder, is_file = entry.is_dir(), entry.is_file()
        except OSError:  # ELOOP: a link to itself
            is_folder = is_file = False
        if not is_folder and suffix not in VIDEO_SUFFIXES:
            return
        if not inside:
            self.skip(entry.path, "LINK_OUT", "it links to a place outside the named folder; name that place too")
        elif is_folder:
            here = os.path.realpath(folder.path)
            if here == target or here.startswith(target.rstrip(os.sep) + os.sep):
                self.skip(entry.path, "LINK_LOOP", "it links back to a folder it lies in")
            else:
                self.skip(entry.path, "DUPLICATE", "it links to a folder that is searched anyway")
        elif not os.path.lexists(target):
            self.skip(entry.path, "LINK_BROKEN", "it links to a file that is not there")
        elif not is_file:
            self.skip(entry.path, "LINK_LOOP", "its links lead to no file")
        else:
            self.skip(entry.path, "DUPLICATE", "it links to a file that is found anyway")

    def file(self, path: str, root: Path, name: str, status: os.stat_result) -> None:
        if status.st_size == 0:
            self.skip(path, "EMPTY", "the file is empty")
            return
        key = (status.st_dev, status.st_ino)
        first = self.files.setdefault(key, path)
        if first is not path:
            self.skip(path, "DUPLICATE", "it is the same file as one found before")
            return
        self.videos.append(FoundVideo(path, root, name, status.st_size))
