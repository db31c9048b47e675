"""The fast path of judging a heartbeat: it accepts in one pass what is valid, and never says what is wrong.

What it declines is judged again, field by field, by ``heartbeats.judge_plainly``. So it may decline too much, which
costs time only; a property holds the two equal. Clients whose bytes were seen before do not come here (``known.py``).
"""

from __future__ import annotations

from typing import Final

from pipeline.model.evidence import PRODUCTION, STATES, USAGES, Heartbeat
from pipeline.model.instants import EARLIEST_AT, LATEST_AT
from pipeline.model.text import TEXT_LENGTH_MAX, fold
from pipeline.rules.evidence.span_limit import invalid_times

VERSION: Final = 1

_new = tuple.__new__


def accept(member: object) -> Heartbeat | None:  # noqa: C901, PLR0911, PLR0912 -- one pass: see the header
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
    resumed_at, active_at = get("resumed_at"), get("active_at")
    if resumed_at is None and active_at is None:
        resumed_at, active_at = opened_at, at
    elif type(resumed_at) is not int or type(active_at) is not int:
        return None
    if opened_at < EARLIEST_AT or at >= LATEST_AT or invalid_times(opened_at, since, at, resumed_at, active_at):
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
