"""What every step of the service works with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeVar

from gsvr_tui.core.catalogue import Catalogue
from gsvr_tui.core.models import Account, RemoteFile
from gsvr_tui.core.scheduling import Event
from gsvr_tui.media.child import MediaChildren
from gsvr_tui.report.templates import TemplateSet
from gsvr_tui.service.files import RemoteFiles
from gsvr_tui.service.gateways import Gateways
from gsvr_tui.service.jobs import JobDesk
from gsvr_tui.service.settings import Clock
from gsvr_tui.service.usage import UsageBook
from gsvr_tui.service.waiting import Patience

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class Context:
    """The service's rooms, passed to its steps. `scratch` is a folder for files that may go at any time."""

    desk: JobDesk
    gateways: Gateways
    usage: UsageBook
    catalogue: Catalogue
    templates: TemplateSet
    clock: Clock
    executor: Executor
    scratch: Path
    files: RemoteFiles
    on_text: Callable[[str, str], None]  # job, piece of text: for whoever watches the job
    feed: Callable[[Event], None]  # tell the scheduler something at once
    on_upload: Callable[[Account, RemoteFile], None]  # a file has come to the project of an account
    tokens_per_minute: Callable[[str], int | None]  # the largest limit a model has among the projects in use
    media: MediaChildren = field(default_factory=MediaChildren)  # no helper is started before it is needed
    patience: Patience = field(default_factory=Patience)
    recorder: Executor = field(default_factory=lambda: ThreadPoolExecutor(2, thread_name_prefix="gsvr-answer"))
    on_refusal: Callable[[float], None] = field(default=lambda seconds: None)  # how long it took until one was here

    async def in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run something slow and blocking outside the loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.executor, lambda: function(*args, **kwargs))

    async def recorded(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for what was paid for: it does not wait behind hashing and looking into videos."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.recorder, lambda: function(*args, **kwargs))
