"""Where reports are written, and how: the input's tree is kept, nothing of others is overwritten, nothing half-written.

A file counts as ours when it is byte for byte what we wrote and, where its format can, carries the job's id; anything
else stays, and the new report goes beside it as `name (new).md`.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from gsvr_tui.core.text import slug
from gsvr_tui.report.document import Report
from gsvr_tui.report.formats.extras import NothingToRender, Picture
from gsvr_tui.report.formats.table import FORMATS, Scope, expand, file_suffix, without_suffix
from gsvr_tui.report.render import render
from gsvr_tui.report.render_markdown import file_href, quote_path

MAX_STEM_BYTES = 120
ID_CHARS = 6
MAX_NEW = 99
_MAX_OWN_BYTES = 256 * 1024 * 1024


class OutputProblem(Exception):
    """A report can't be written. `code`: READ_ONLY, DENIED, FULL, GONE, OUTSIDE, TOO_MANY, FAILED."""

    def __init__(self, code: str, message: str, advice: str = "") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.advice = advice


@dataclass(frozen=True, slots=True)
class OutputPlan:
    """Where a job's files go: `<root>/<folder>/<stem><suffix>`. `key` names the stem's place for `taken`.

    `beside`: formats that lie there already; a second kind of Markdown does not take the first one's name.
    """

    root: Path
    folder: PurePosixPath
    stem: str
    formats: tuple[str, ...]
    beside: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The place without the suffix, the same for names that some file system holds for the same."""
        return place_key(self.folder, self.stem)

    def path(self, fmt: str) -> Path:
        """The file of a format."""
        return self.root.joinpath(*self.folder.parts, self.name(fmt))

    def name(self, fmt: str) -> str:
        """The file's name alone."""
        return self.stem + file_suffix(fmt, (*self.beside, *self.formats))


def place_key(folder: PurePosixPath, stem: str) -> str:
    """A place in the output tree, without regard to case and Unicode form."""
    return unicodedata.normalize("NFC", str(folder / stem)).casefold()


def plan_outputs(
    output_root: Path,
    name: str,
    job_id: str,
    formats: Sequence[str],
    taken: Callable[[str], bool],
    beside: Sequence[str] = (),
) -> OutputPlan:
    """Plan a job's files. `name` is the video's path below its root; `taken(key)`: another job has this place.

    The stem is the video's; two of one folder (`lecture.mp4`, `lecture.mov`) are told apart by the end of the job's id,
    so that a name never depends on which came first next time. Formats over a batch are left out. Raises UnknownFormat.
    """
    wanted = tuple(found.id for found in expand(formats) if found.scope is Scope.JOB)
    expand(beside)
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    folder = PurePosixPath(*(slug(part, MAX_STEM_BYTES) for part in parts[:-1]))
    own = stem = slug(_stem(parts[-1]) if parts else "", MAX_STEM_BYTES)
    for suffix in (job_id[-ID_CHARS:], job_id):
        if not taken(place_key(folder, stem)):
            break
        stem = f"{slug(own, MAX_STEM_BYTES - len(suffix) - 1)}-{suffix}"
    return OutputPlan(output_root, folder, stem, wanted, tuple(beside))


def _stem(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and stem and len(suffix) <= 5 else name


# ---------------------------------------------------------------- writing


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file as it lies on disk now. `changed` is False when it was there already, byte for byte."""

    fmt: str
    path: Path
    sha256: str
    changed: bool
    note: str = ""  # for people: why it has another name


@dataclass(frozen=True, slots=True)
class WrittenFiles:
    """All files of a report. `left_out`: why a format that was asked for has no file."""

    files: tuple[WrittenFile, ...]
    left_out: tuple[str, ...] = ()

    @property
    def hashes(self) -> dict[str, str]:
        """Path → SHA-256: to be remembered and given back as `known_hashes`."""
        return {str(file.path): file.sha256 for file in self.files}

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know."""
        return (*(file.note for file in self.files if file.note), *self.left_out)


def write_outputs(
    report: Report,
    plan: OutputPlan,
    known_hashes: Mapping[str, str],
    *,
    create_root: bool = True,
    pictures: Mapping[str, Picture] | None = None,
) -> WrittenFiles:
    """Write all formats. `known_hashes`: of the files as we wrote them before, by path. Raises OutputProblem.

    `create_root=False` when the output folder was there before: a missing one is then an unplugged drive (GONE), and
    nothing is made in its place.
    """
    try:
        folder = _make_folder(plan, create_root)
        written: list[WrittenFile] = []
        left_out: list[str] = []
        href = video_href(folder, report.source.path)
        for fmt in plan.formats:
            try:
                data = render(report, fmt, video_href=href, pictures=pictures)
            except NothingToRender as nothing:
                left_out.append(f"no {FORMATS[fmt].help} ({fmt}): {nothing}")
                continue
            written.append(_write(fmt, folder / plan.name(fmt), data, report.gsvr_id, known_hashes))
    except OSError as error:
        raise output_problem(error) from None
    return WrittenFiles(tuple(written), tuple(left_out))


def video_href(folder: Path, video: str) -> str:
    """The link from a report's folder to its video: relative where they lie near each other, to be moved together."""
    base, target = os.path.abspath(folder), os.path.abspath(video)  # noqa: PTH100 – links stay as the user sees them
    try:
        common = os.path.commonpath([base, target])
    except ValueError:  # two drives
        return file_href(target)
    if len(Path(common).parts) < 3:
        return file_href(target)
    relative = os.path.relpath(target, base).replace(os.sep, "/")
    return quote_path(relative if relative.startswith("../") else f"./{relative}")


def _make_folder(plan: OutputPlan, create_root: bool) -> Path:
    if create_root:
        plan.root.mkdir(parents=True, exist_ok=True)
    root = plan.root.resolve(strict=True)
    folder = root
    for part in plan.folder.parts:
        folder = folder / part
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
        if not folder.resolve(strict=True).is_relative_to(root):
            raise OutputProblem(
                "OUTSIDE", "a link in the output folder leads out of it", "Remove the link or choose another folder."
            )
        if not folder.is_dir():
            raise OutputProblem(
                "FAILED", "there is a file where a folder is needed", "Move the file or choose another output folder."
            )
    return folder


def _write(fmt: str, path: Path, data: bytes, job_id: str, known: Mapping[str, str]) -> WrittenFile:
    digest = hashlib.sha256(data).hexdigest()
    note = ""
    for target in _candidates(path):
        remembered = known.get(str(target))
        state = _look(target, digest, {remembered} if remembered else set(), job_id if FORMATS[fmt].carries_id else "")
        if state == "same":
            return WrittenFile(fmt, target, digest, False, note)
        if state in ("free", "ours"):
            _replace(target, data)
            return WrittenFile(fmt, target, digest, True, note)
        note = f"{path.name} was changed or made by someone else and is left as it is; see the file marked (new)"
    raise OutputProblem("TOO_MANY", f"there are {MAX_NEW} new versions already", "Move the old ones away.")


def _candidates(path: Path) -> list[Path]:
    stem = without_suffix(path.name)
    rest = path.name[len(stem) :]
    more = [path.with_name(f"{stem} (new{f' {n}' if n > 1 else ''}){rest}") for n in range(1, MAX_NEW + 1)]
    return [path, *more]


def _look(path: Path, digest: str, known: Collection[str], mark: str = "") -> str:
    """What lies there: free, same (byte for byte), ours (as we wrote it, with the mark in it), foreign."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        number = os.open(path, flags)
    except FileNotFoundError:
        return "free"
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.EACCES):
            return "foreign"  # a link, a folder, something closed to us
        raise
    status = os.fstat(number)
    if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_OWN_BYTES:
        os.close(number)
        return "foreign"
    with os.fdopen(number, "rb") as file:
        there = file.read()
    found = hashlib.sha256(there).hexdigest()
    if found == digest:
        return "same"
    return "ours" if found in known and mark.encode("utf-8", "replace") in there else "foreign"


def _replace(path: Path, data: bytes) -> None:
    """The whole file or none of it; a link of that name is replaced, not followed."""
    temporary = _temporary(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()  # left by a crash under the same process number
    try:
        with os.fdopen(os.open(temporary, flags, 0o666), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(path.parent)


def _temporary(path: Path) -> Path:
    return path.with_name(f".{os.getpid()}.{hashlib.sha256(path.name.encode('utf-8')).hexdigest()[:12]}.partial")


def _sync_folder(folder: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):
        return  # Windows has no such thing
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # network drives that can't
            raise
    finally:
        os.close(number)


# ---------------------------------------------------------------- over a batch


@dataclass(slots=True)
class BatchPlace:
    """Where a batch's own files go. `known`: path → hashes of what we wrote there, or were about to when we ended.

    `remember` is called with both before a file takes its place, and must keep them safely. `create=False`: a missing
    folder is an unplugged drive (GONE), and nothing is made in its place.
    """

    root: Path
    name: str
    batch_id: str
    known: dict[str, tuple[str, ...]] = field(default_factory=dict)
    remember: Callable[[Mapping[str, tuple[str, ...]]], None] = lambda known: None
    create: bool = True

    def paths(self, suffix: str) -> Iterable[Path]:
        """The names to try, best first: two batches of one name in one folder are told apart by the id."""
        stem = slug(self.name, MAX_STEM_BYTES)
        yield self.root / f"{stem}{suffix}"
        yield from _candidates(self.root / f"{stem}-{self.batch_id[-ID_CHARS:]}{suffix}")


def write_batch_file(fmt: str, place: BatchPlace, write: Callable[[BinaryIO], None]) -> WrittenFile:
    """Write a file over a batch, as big as it may be; an edited one stays. Raises OutputProblem."""
    try:
        if place.create:
            place.root.mkdir(parents=True, exist_ok=True)
        first = place.root / f"{slug(place.name, MAX_STEM_BYTES)}{FORMATS[fmt].suffix}"
        temporary = _temporary(first)
        try:
            digest = _fill(temporary, write)
            return _settle(fmt, place, temporary, digest)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()
    except OSError as error:
        raise output_problem(error) from None


def _fill(temporary: Path, write: Callable[[BinaryIO], None]) -> str:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    with os.fdopen(os.open(temporary, flags, 0o666), "w+b") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
        file.seek(0)
        return hashlib.file_digest(file, "sha256").hexdigest()


def _settle(fmt: str, place: BatchPlace, temporary: Path, digest: str) -> WrittenFile:
    note = ""
    for target in place.paths(FORMATS[fmt].suffix):
        before = place.known.get(str(target), ())
        state = _look(target, digest, before)
        if state == "same":
            return WrittenFile(fmt, target, digest, False, note)
        if state in ("free", "ours"):
            # both are kept until the next time: a crash between here and there leaves one or the other
            place.known[str(target)] = (*before[-1:], digest)
            place.remember(place.known)
            temporary.replace(target)
            _sync_folder(target.parent)
            return WrittenFile(fmt, target, digest, True, note)
        if before:
            note = f"{target.name} was changed by someone else and is left as it is; the new one has another name"
    raise OutputProblem("TOO_MANY", f"there are {MAX_NEW} new versions already", "Move the old ones away.")


_PROBLEMS = {
    errno.EROFS: ("READ_ONLY", "the output folder is read-only", "Choose another output folder, or make it writable."),
    errno.EACCES: (
        "DENIED",
        "writing to the output folder is not permitted",
        "Give yourself the right to write there.",
    ),
    errno.EPERM: ("DENIED", "writing to the output folder is not permitted", "Give yourself the right to write there."),
    errno.ENOSPC: (
        "FULL",
        "the disk of the output folder is full",
        "Make room; the answers are kept and nothing is paid again.",
    ),
    errno.ENOENT: ("GONE", "the output folder is gone", "Connect its drive again or choose another output folder."),
    errno.ENOTDIR: ("GONE", "the output folder is not a folder", "Choose another output folder."),
    errno.EIO: ("FAILED", "the disk of the output folder reports errors", "Check the disk or the connection to it."),
}
if hasattr(errno, "EDQUOT"):
    _PROBLEMS[errno.EDQUOT] = ("FULL", "your quota on the output disk is used up", _PROBLEMS[errno.ENOSPC][2])


def output_problem(error: OSError) -> OutputProblem:
    """The OutputProblem behind an error of the operating system."""
    known = _PROBLEMS.get(error.errno or 0)
    if known is not None:
        return OutputProblem(*known)
    words = (error.strerror or type(error).__name__).lower()
    return OutputProblem("FAILED", f"the report can't be written ({words})", "Check the output folder.")
