"""The gateway against the emulated service: a video's whole way, and every fault the service is known for."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gsvr_tui.core.failure import FailureKind
from gsvr_tui.emulator import (
    Action,
    EmulatorServer,
    FileRules,
    KeySpec,
    KeyState,
    Limits,
    ProjectSpec,
    ProjectState,
    Rule,
    Scenario,
    Tier,
    VideoFacts,
)
from gsvr_tui.gemini.answers import answer_failure, answer_from_raw
from gsvr_tui.gemini.gateway import Gateway, GeminiFailure
from gsvr_tui.gemini.types import GenerateRequest

MODEL = "gemini-3.8-flash"
ASK = GenerateRequest(MODEL, "What is said?")
K = FailureKind
QUOTAS = {
    "rpm": Limits(rpm=1),
    "rpd": Limits(rpd=1),
    "both": Limits(rpm=1, rpd=1),
}
UPLOAD_FAULTS = [Action.DROP, Action.RESET, Action.ERROR_500, Action.ERROR_503, Action.DROP_MID_BODY]


def key_of(project: str) -> str:
    return f"AQ.CANARY-{project}-0123456789"


def projects() -> Iterator[ProjectSpec]:
    """One for every case, so that one server does for all."""

    def project(name: str, key: KeyState = KeyState.OK, **more: Any) -> ProjectSpec:
        return ProjectSpec(name=name, keys=(KeySpec(key_of(name), key),), **more)

    yield project("good")
    yield project("other")
    yield project("zero", limits=Limits(rpd=0))
    yield from (project(f"do-{action}") for action in Action)
    yield from (project(f"upload-{action}") for action in UPLOAD_FAULTS)
    yield from (project(f"key-{state}", state) for state in KeyState)
    yield from (project(f"state-{state}", state=state) for state in ProjectState)
    yield from (
        project(f"quota-{name}-{tier}", tier=tier, limits=limits) for name, limits in QUOTAS.items() for tier in Tier
    )


def rules() -> Iterator[Rule]:
    """What is done to the requests of those projects."""
    files = (Action.FILE_FAILED, Action.FILE_STUCK)
    yield from (
        Rule(action, project=f"do-{action}", kind="any" if action in files else "generate") for action in Action
    )
    yield from (Rule(action, project=f"upload-{action}", kind="upload_bytes", nth=(1, 3)) for action in UPLOAD_FAULTS)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of an emulator in which every upload is a video of 90 s."""
    scenario = Scenario(tuple(projects()), rules=tuple(rules()), files=FileRules(processing_s=0.1))
    server = EmulatorServer(scenario, probe=lambda path: VideoFacts(90.0), folder=tmp_path_factory.mktemp("emulator"))
    server.start()
    yield server.base_url
    server.stop()


@pytest.fixture
def account(world: str, gateway_to: Any) -> Callable[[str], Gateway]:
    """The gateway of one of the world's projects."""
    return lambda project: gateway_to(world, key=key_of(project), project=project)


async def failure_from(call: Any) -> GeminiFailure:
    with pytest.raises(GeminiFailure) as caught:
        await call
    assert "CANARY" not in "".join(traceback.format_exception(caught.value)) + repr(caught.value.failure)
    return caught.value


def content_of(path: Path) -> bytes:
    return path.read_bytes()


async def test_a_video_goes_its_whole_way(account: Any, video: Path) -> None:
    gateway: Gateway = account("good")
    digest = hashlib.sha256(content_of(video)).hexdigest()
    uploaded = await gateway.upload(video, mime_type="video/mp4", display_name="讲座 🎬", content_hash=digest)
    assert not uploaded.active
    active = await gateway.wait_active(uploaded, poll_s=0.05)
    assert active.active
    assert (active.name, active.content_hash, active.project) == (uploaded.name, digest, "good")
    assert (await gateway.file(active.name)) == active
    assert await gateway.find_file(content_hash=digest) == active
    assert await gateway.find_file(display_name="讲座 🎬") == active
    assert await gateway.find_file(content_hash="0" * 64, display_name="讲座 🎬") is None  # same name, other video
    assert await gateway.find_file() is None

    counted = await gateway.count_tokens(MODEL, active, "What is said?")
    request = GenerateRequest(
        MODEL, "What is said?", file_uri=active.uri, mime_type=active.mime_type, start_s=0, end_s=30
    )
    pieces: list[str] = []
    answer = await gateway.generate(request, on_text=pieces.append)
    assert answer_failure(answer) is None
    assert len(pieces) > 1
    assert "".join(pieces) == answer.text
    assert answer_from_raw(answer.raw) == answer
    assert 0 < answer.usage.video < counted  # a third of it
    assert answer.model_version == MODEL

    await gateway.delete_file(active.name)
    await gateway.delete_file(active.name)  # gone already: fine
    assert await gateway.file(active.name) is None
    failed = await failure_from(gateway.generate(request))
    assert (failed.failure.kind, failed.failure.code) == (K.REUPLOAD, "FILE_GONE")
    failed = await failure_from(gateway.wait_active(active))
    assert failed.failure.kind is K.REUPLOAD


@pytest.mark.parametrize(
    ("action", "kind", "code", "paid"),
    [
        (Action.ERROR_500, K.BACKOFF_MODEL, "INTERNAL", False),
        (Action.ERROR_502_HTML, K.RETRY, "GATEWAY", True),
        (Action.ERROR_503, K.BACKOFF_MODEL, "OVERLOADED", False),
        (Action.ERROR_503_OLD, K.BACKOFF_MODEL, "OVERLOADED", False),
        (Action.ERROR_504, K.ITEM_RETRY, "DEADLINE", False),
        (Action.ERROR_499, K.RETRY, "CANCELLED", True),
        (Action.ERROR_400_ARGUMENT, K.ITEM, "INVALID_REQUEST", False),
        (Action.ERROR_400_LOCATION, K.STOP_ALL, "LOCATION", False),
        (Action.ERROR_400_TOKENS, K.ITEM, "TOO_LONG", False),
        (Action.ERROR_403_CALLER, K.NO_ACCESS, "PERMISSION_DENIED", False),
        (Action.ERROR_403_FILE, K.REUPLOAD, "FILE_GONE", False),
        (Action.ERROR_404_ENTITY, K.NO_ACCESS, "ENTITY_NOT_FOUND", False),
        (Action.ERROR_404_NEW_USERS, K.NO_ACCESS, "MODEL_CLOSED", False),
        (Action.ERROR_429_MINUTE, K.REST_MINUTE, "QUOTA_MINUTE", False),
        (Action.ERROR_429_DAY, K.REST_DAY, "QUOTA_DAY", False),
        (Action.ERROR_429_BARE, K.REST_MINUTE, "QUOTA_BARE", False),
        (Action.ERROR_429_SPEND, K.REST_SPEND, "QUOTA_SPEND", False),
        (Action.ERROR_429_CREDITS, K.DEAD_PROJECT, "CREDITS_DEPLETED", False),
        (Action.ERROR_403_SPLITTING, K.DEAD_PROJECT, "QUOTA_CIRCUMVENTED", False),
        (Action.ERROR_429_HTML, K.STOP_ALL, "ADDRESS_BLOCKED", False),
        (Action.ERROR_IN_LIST, K.BACKOFF_MODEL, "OVERLOADED", False),
        (Action.DROP, K.RETRY, "DROPPED", True),
        (Action.RESET, K.RETRY, "DROPPED", True),
        (Action.DROP_MID_STREAM, K.RETRY, "DROPPED", True),
        (Action.NOT_JSON, K.RETRY, "NOT_JSON", True),
        (Action.HTML, K.STOP_ALL, "ADDRESS_BLOCKED", False),
    ],
)
async def test_every_fault_of_the_service_is_classified(
    account: Any, action: Action, kind: FailureKind, code: str, paid: bool
) -> None:
    failed = await failure_from(account(f"do-{action}").generate(ASK, timeout_s=20))
    assert (failed.failure.kind, failed.failure.code, failed.failure.maybe_paid) == (kind, code, paid)


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (Action.TRUNCATED_STREAM, "ANSWER_CUT"),
        (Action.MAX_TOKENS, "MAX_TOKENS"),
        (Action.MAX_TOKENS_EMPTY, "MAX_TOKENS_EMPTY"),
        (Action.EMPTY_TEXT, "EMPTY_ANSWER"),
        (Action.THOUGHT_ONLY, "THOUGHTS_ONLY"),
        (Action.SAFETY, "SAFETY"),
        (Action.RECITATION, "RECITATION"),
        (Action.BLOCKED_PROMPT, "PROMPT_BLOCKED"),
    ],
)
async def test_no_empty_success_passes(account: Any, action: Action, code: str) -> None:
    answer = await account(f"do-{action}").generate(ASK)
    failure = answer_failure(answer)
    assert failure is not None
    assert failure.code == code


async def test_an_error_inside_a_stream_keeps_what_had_come(account: Any) -> None:
    failed = await failure_from(account(f"do-{Action.SSE_ERROR}").generate(ASK))
    assert failed.failure.kind in (K.BACKOFF_MODEL, K.RETRY)
    assert failed.partial is not None
    assert failed.failure.maybe_paid is (failed.partial.usage_known or bool(failed.partial.text))


@pytest.mark.parametrize(
    ("project", "kind", "code"),
    [
        (f"key-{KeyState.INVALID}", K.DEAD_KEY, "KEY_INVALID"),
        (f"key-{KeyState.NOT_FOUND}", K.DEAD_KEY, "KEY_INVALID"),
        (f"key-{KeyState.EXPIRED}", K.DEAD_KEY, "KEY_EXPIRED"),
        (f"key-{KeyState.LEAKED}", K.DEAD_KEY, "KEY_LEAKED"),
        (f"key-{KeyState.UNAUTHENTICATED}", K.DEAD_KEY, "KEY_UNAUTHENTICATED"),
        (f"key-{KeyState.SERVICE_BLOCKED}", K.DEAD_KEY, "KEY_RESTRICTED"),
        (f"key-{KeyState.REFERRER_BLOCKED}", K.DEAD_KEY, "KEY_RESTRICTED"),
        (f"state-{ProjectState.SUSPENDED}", K.DEAD_PROJECT, "SUSPENDED"),
        (f"state-{ProjectState.DENIED}", K.DEAD_PROJECT, "PROJECT_DENIED"),
        (f"state-{ProjectState.SERVICE_DISABLED}", K.DEAD_PROJECT, "SERVICE_DISABLED"),
        (f"state-{ProjectState.CREDITS_DEPLETED}", K.DEAD_PROJECT, "CREDITS_DEPLETED"),
        (f"state-{ProjectState.NO_FREE_TIER}", K.DEAD_PROJECT, "FREE_TIER_LOCATION"),
        ("zero", K.NO_ACCESS, "QUOTA_ZERO"),
    ],
)
async def test_dead_keys_and_projects_are_told_apart(account: Any, project: str, kind: FailureKind, code: str) -> None:
    failed = await failure_from(account(project).generate(ASK))
    assert (failed.failure.kind, failed.failure.code) == (kind, code)


@pytest.mark.parametrize("tier", list(Tier))
@pytest.mark.parametrize(
    ("quota", "dimension", "kind"),
    [("rpm", "rpm", K.REST_MINUTE), ("rpd", "rpd", K.REST_DAY), ("both", "rpd", K.REST_DAY)],
)
async def test_a_used_up_quota_says_which_and_how_much(
    account: Any, tier: Tier, quota: str, dimension: str, kind: FailureKind
) -> None:
    gateway: Gateway = account(f"quota-{quota}-{tier}")
    await gateway.generate(ASK)
    failed = await failure_from(gateway.generate(ASK))
    assert failed.failure.kind is kind
    found = {violation.dimension: violation.limit for violation in failed.failure.violations}
    assert found[dimension] == 1
    assert {violation.model for violation in failed.failure.violations} == {MODEL}


async def test_a_file_of_another_project_is_uploaded_again(account: Any, video: Path) -> None:
    mine: Gateway = account("good")
    theirs: Gateway = account("other")
    file = await mine.upload(video, mime_type="video/mp4", display_name="d", content_hash="")
    assert await theirs.file(file.name) is None
    request = GenerateRequest(MODEL, "q", file_uri=file.uri, mime_type="video/mp4")
    failed = await failure_from(theirs.generate(request))
    assert (failed.failure.kind, failed.failure.code) == (K.REUPLOAD, "FILE_GONE")


async def test_a_file_that_is_not_ready_is_waited_for(account: Any, video: Path) -> None:
    gateway: Gateway = account(f"do-{Action.FILE_STUCK}")
    file = await gateway.upload(video, mime_type="video/mp4", display_name="d", content_hash="")
    failed = await failure_from(gateway.generate(GenerateRequest(MODEL, "q", file_uri=file.uri, mime_type="video/mp4")))
    assert (failed.failure.kind, failed.failure.code) == (K.WAIT_FILE, "FILE_NOT_ACTIVE")
    failed = await failure_from(gateway.wait_active(file, deadline_s=0.2, poll_s=0.05))
    assert (failed.failure.kind, failed.failure.code) == (K.WAIT_FILE, "FILE_SLOW")


async def test_a_file_the_service_cannot_read_fails_the_video_not_the_key(account: Any, video: Path) -> None:
    gateway: Gateway = account(f"do-{Action.FILE_FAILED}")
    file = await gateway.upload(video, mime_type="video/mp4", display_name="d", content_hash="")
    failed = await failure_from(gateway.wait_active(file, poll_s=0.05, deadline_s=10))
    assert (failed.failure.kind, failed.failure.code) == (K.ITEM, "FILE_FAILED")
    assert await gateway.find_file(display_name="d") is None  # a failed file is not worth finding


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("action", UPLOAD_FAULTS)
async def test_an_upload_survives_faults_on_the_way(account: Any, tmp_path: Path, action: Action) -> None:
    data = bytes(range(256)) * 40_000  # 9.8 MiB: two chunks
    path = written(tmp_path / "large.mp4", data)
    gateway: Gateway = account(f"upload-{action}")
    digest = hashlib.sha256(data).hexdigest()
    file = await gateway.upload(path, mime_type="video/mp4", display_name="d", content_hash=digest)
    found = await gateway.find_file(content_hash=digest)  # by the hash of what arrived
    assert found is not None
    assert (found.name, found.size_bytes) == (file.name, len(data))


@pytest.mark.parametrize("full", [False, True])
async def test_a_good_key_is_found_good(account: Any, full: bool) -> None:
    check = await account("good").check(MODEL, full=full)
    assert check.ok
    assert not check.dead
    assert MODEL in check.models
    assert check.latency_ms >= 0
    assert "CANARY" not in repr(check)


@pytest.mark.parametrize(
    ("project", "dead"),
    [
        (f"key-{KeyState.INVALID}", True),
        (f"key-{KeyState.LEAKED}", True),
        (f"state-{ProjectState.SUSPENDED}", True),
        ("zero", False),
    ],
)
async def test_a_key_that_does_not_work_is_found_so(account: Any, project: str, dead: bool) -> None:
    check = await account(project).check(MODEL, full=True)
    assert not check.ok
    assert check.dead is dead
    assert check.message
    assert check.advice
    assert "CANARY" not in repr(check)


async def test_a_key_that_cannot_be_checked_is_not_called_dead(gateway_to: Any) -> None:
    check = await gateway_to("http://127.0.0.1:9").check(MODEL)
    assert (check.ok, check.dead) == (False, False)


async def test_a_model_that_does_not_exist_is_not_the_keys_fault(account: Any) -> None:
    check = await account("good").check("gemini-9-nonsense")
    assert (check.ok, check.dead) == (False, False)
    assert "gemini-9-nonsense" in check.message


async def test_the_limits_of_the_list_are_read(account: Any) -> None:
    models = {model.id: model for model in await account("good").models()}
    assert models[MODEL].context_tokens == 1_048_576
    assert "countTokens" in models[MODEL].methods
