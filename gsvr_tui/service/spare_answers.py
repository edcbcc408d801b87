"""Answers on disk that no record leads to: of a state that was repaired or restored, or of jobs that were removed.

They were paid for, so the same work takes them up at no cost; except those somebody gave up to have the model asked
anew.
"""

from __future__ import annotations

from dataclasses import replace

from gsvr_tui.core.models import RequestState, Segment
from gsvr_tui.gemini.answers import answer_failure, answer_from_raw
from gsvr_tui.store.errors import StoreError
from gsvr_tui.store.repository import Store, Transaction

GIVEN_UP = "given up "


def give_up(transaction: Transaction, request_id: str) -> None:
    """From now on this answer is handed to nobody by itself. Its file stays."""
    if request_id:
        transaction.put_meta(f"{GIVEN_UP}{request_id}", {})


def adopt_spare(store: Store, segment: Segment) -> Segment:
    """The segment with a good answer to the same work that no record leads to, or unchanged. Blocking."""
    request_id = store.answers.find_by_work_key(segment.work_key)
    if request_id is None or store.meta(f"{GIVEN_UP}{request_id}") is not None:
        return segment
    try:
        stored = store.answers.read(request_id)
        answer = answer_from_raw(stored.text)
    except (KeyError, ValueError, StoreError, OSError):
        return segment
    if stored.header.work_key != segment.work_key or answer_failure(answer) is not None:
        return segment
    return replace(
        segment,
        request_id=request_id,
        request_state=RequestState.ANSWERED,
        account=stored.header.account,
        project=stored.header.project,
        model=stored.header.model,
        usage=answer.usage,
        cost_usd=0.0,
        sent_at=stored.header.asked_at,
    )
