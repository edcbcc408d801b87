"""Which project holds which file: the service's view of the uploads."""

from __future__ import annotations

from collections import defaultdict

from gsvr_tui.core.failure import Failure, FailureKind, Scope
from gsvr_tui.core.models import RemoteFile
from gsvr_tui.service.settings import Clock
from gsvr_tui.store.repository import Store
from gsvr_tui.store.status import Durability

EXPIRY_MARGIN_S = 3600.0
"""A file counts as gone an hour before it expires."""


class RemoteFiles:
    """Files by project and content; those about to expire are not known any more."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._projects: dict[str, set[str]] = defaultdict(set)
        for file in store.remote_files():
            self._projects[file.content_hash].add(file.project)

    def known(self, project: str, content_hash: str) -> RemoteFile | None:
        """The project's copy of a file."""
        file = self._store.remote_file(project, content_hash)
        if file is None or file.expires_at - EXPIRY_MARGIN_S < self._clock.now().wall:
            return None
        return file

    def projects(self, content_hash: str) -> frozenset[str]:
        """Projects that hold an ACTIVE copy."""
        found = set()
        for project in self._projects.get(content_hash, ()):
            file = self.known(project, content_hash)
            if file is not None and file.active:
                found.add(project)
        return frozenset(found)

    async def put(self, file: RemoteFile) -> None:
        """Remember a file, on disk before it is used."""
        transaction = self._store.begin()
        transaction.put_remote_file(file)
        await transaction.commit(Durability.DURABLE)
        self._projects[file.content_hash].add(file.project)

    def forget(self, project: str, content_hash: str) -> None:
        """The project's copy is gone."""
        self._projects[content_hash].discard(project)
        if self._store.remote_file(project, content_hash) is not None:
            transaction = self._store.begin()
            transaction.forget_remote_file(project, content_hash)
            transaction.commit(Durability.SOON)

    def all_projects(self, content_hash: str) -> tuple[str, ...]:
        """Projects that may hold a copy, ACTIVE or not."""
        return tuple(self._projects.get(content_hash, ()))

    @staticmethod
    def gone() -> Failure:
        """The failure of a request whose file is not there any more."""
        return Failure(FailureKind.REUPLOAD, Scope.ITEM, "FILE_EXPIRED", "the uploaded file is about to expire")
