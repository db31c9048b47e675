"""The quick half of judging: a heartbeat that is right in every way, in one pass; the plain half says what is wrong.

What this declines costs the plain judgement (``heartbeats.judge_plainly``), so nothing depends on its being complete; a
property holds the two equal. Sessions heard of before do not come here at all (``known.py``).
"""

from __future__ import annotations

from typing import Final

from pipeline.model.evidence import PRODUCTION, STATES, USAGES, Heartbeat
from pipeline.model.instants import DAY_MS, EARLIEST_AT, LATEST_AT
from pipeline.model.text import fold

TEXT_LENGTH_MAX: Final = 200
SPAN_MS_MAX: Final = 35 * DAY_MS
VERSION: Final = 1

_new = tuple.__new__


def accept(member: object) -> Heartbeat | None:  # noqa: C901, PLR0911, PLR0912 -- one pass, no calls: see the header
    """The heartbeat, or ``None`` where anything about it is unusual."""
    if type(member) is not dict:
        return None
    get = member.get
    at, opened_at, since = get("at"), get("opened_at"), get("since")
    if type(at) is not int or type(opened_at) is not int or get("v") is not VERSION:
        return None
    if since is None:
        since = at
    elif type(since) is not int:
        return None
    if not EARLIEST_AT <= opened_at <= since <= at < LATEST_AT or at - opened_at > SPAN_MS_MAX:
        return None
    resumed_at, active_at = get("resumed_at"), get("active_at")
    if resumed_at is None and active_at is None:
        resumed_at, active_at = opened_at, at
    elif type(resumed_at) is not int or type(active_at) is not int or not opened_at <= resumed_at <= active_at <= at:
        return None
    required = (get("account"), get("product"), get("machine"), get("user"), get("session"))
    for text in required:
        if type(text) is not str or not 0 < len(text) <= TEXT_LENGTH_MAX or not text.isprintable():
            return None
    optional = (get("country"), get("version"), get("platform"), get("host_session"))
    for text in optional:
        if text is not None and (
            type(text) is not str or not 0 < len(text) <= TEXT_LENGTH_MAX or not text.isprintable()
        ):
            return None
    state, usage = get("state"), get("usage")
    if state is None:
        state = "beat"
    elif type(state) is not str or state not in STATES:
        return None
    if usage is None:
        usage = PRODUCTION
    elif type(usage) is not str or usage not in USAGES:
        return None
    account, product, machine, user, session = required
    country, version, platform, host_session = optional
    return _new(
        Heartbeat,
        (
            account, product, country or "", usage, fold(machine), fold(user), session, state, opened_at, since, at,
            resumed_at, active_at, version or "", platform or "", host_session or "",
        ),
    )  # fmt: skip
