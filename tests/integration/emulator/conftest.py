"""A running emulator and real SDK clients for it. The stand-in probe reads the length from the file's own text."""

from __future__ import annotations

import concurrent.futures
import io
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from google import genai
from google.genai import types

from gsvr_tui.emulator import EmulatorServer, ManualClock, Scenario, VideoFacts, simple_scenario

KEY = "emulator-key-0001"
MODEL = "gemini-3.8-flash"


def text_probe(path: Path) -> VideoFacts | None:
    """`VIDEO 184.4 …` is a video of that many seconds, `SILENT 60 …` one without sound, anything else none."""
    head = path.read_bytes()[:64].split()
    if len(head) < 2 or head[0] not in (b"VIDEO", b"SILENT"):
        return None
    return VideoFacts(float(head[1]), head[0] == b"VIDEO")


def video_bytes(seconds: float = 184.4, *, silent: bool = False, padding: int = 0, mark: str = "") -> bytes:
    """What `text_probe` takes for a video."""
    head = f"{'SILENT' if silent else 'VIDEO'} {seconds} {mark}\n".encode()
    return head + b"\0" * padding


class Bench:
    """A running emulator with clients made on demand and closed at the end."""

    def __init__(self, server: EmulatorServer) -> None:
        self.server = server
        self._clients: dict[tuple[str, str], genai.Client] = {}
        self.http = httpx2.Client(base_url=server.base_url, timeout=20, verify=False)

    def client(self, key: str = KEY, version: str = "v1beta") -> genai.Client:
        if (key, version) not in self._clients:
            options = types.HttpOptions(
                base_url=self.server.base_url,
                api_version=version,
                timeout=20_000,
                client_args={"verify": False},  # plain HTTP: reading the trust store takes longer than a test
                async_client_args={"verify": False},
            )
            self._clients[key, version] = genai.Client(api_key=key, enterprise=False, http_options=options)
        return self._clients[key, version]

    def upload(self, data: bytes | None = None, key: str = KEY, name: str = "a.mp4", **config: Any) -> types.File:
        settings = types.UploadFileConfig(mime_type="video/mp4", display_name=name, **config)
        return self.client(key).files.upload(file=io.BytesIO(video_bytes() if data is None else data), config=settings)

    def ask(
        self, *contents: Any, key: str = KEY, model: str = MODEL, version: str = "v1beta", **config: Any
    ) -> types.GenerateContentResponse:
        return self.client(key, version).models.generate_content(
            model=model, contents=list(contents) or ["hello"], config=types.GenerateContentConfig(**config)
        )

    def post(self, method: str, body: Any, *, key: str = KEY, version: str = "v1beta", model: str = MODEL) -> Any:
        path = f"/{version}/models/{model}:{method}"
        return self.http.post(path, content=json.dumps(body), headers={"x-goog-api-key": key})

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
        self.http.close()
        self.server.stop()


Start = Callable[..., Bench]


@pytest.fixture(scope="session")
def reaper() -> Iterator[concurrent.futures.Executor]:
    """Stops emulators in the background: an orderly stop takes longer than most of the tests."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        yield pool
    assert not [thread for thread in threading.enumerate() if thread.name == "gemini-emulator"]


@pytest.fixture
def start(tmp_path: Path, reaper: concurrent.futures.Executor) -> Iterator[Start]:
    """Starts an emulator: `start(scenario, clock=…)`; without a scenario one project with one key."""
    benches: list[Bench] = []

    def begin(scenario: Scenario | None = None, **options: Any) -> Bench:
        options.setdefault("probe", text_probe)
        options.setdefault("folder", tmp_path / f"uploads-{len(benches)}")
        server = EmulatorServer(scenario or simple_scenario(KEY), **options)
        server.start()
        bench = Bench(server)
        benches.append(bench)
        return bench

    yield begin
    for bench in benches:
        reaper.submit(bench.close)


@pytest.fixture
def bench(start: Start) -> Bench:
    """One project, one key, no limits, no faults."""
    return start()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still; 2026-11-18 in its world."""
    return ManualClock(1_795_000_000.0)
