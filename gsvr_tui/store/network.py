"""Is a folder on a network file system? Locks may be local to one machine there."""

from __future__ import annotations

from pathlib import Path

_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "fuse.sshfs", "fuse.rclone", "fuse.s3fs"}
_MOUNTS = Path("/proc/self/mounts")


def network_kind(folder: Path, mounts: Path = _MOUNTS) -> str:
    """The kind of network file system (`nfs4`, …), empty for a local one or where it cannot be told."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        target = folder.resolve()
    except OSError:
        return ""
    best, kind = -1, ""
    for line in lines:
        parts = line.split(" ")
        if len(parts) < 3:
            continue
        point = Path(parts[1].replace("\\040", " "))
        depth = len(point.parts)
        if depth >= best and target.is_relative_to(point):
            best, kind = depth, parts[2]
    return kind if kind in _NETWORK else ""
