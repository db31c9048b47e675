"""Files read without a store: the sessions and refusals in them, for a summary or a drafted contract.

Nothing is sent or kept, and no engine starts. What a line means is decided by the same readers, validator and fold as
in a run with a contract; only the sessions are held in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.codec.flexnet import BrokenLine, FlexnetReader, LoggedDenial, LoggedHeartbeat
from pipeline.codec.json_text import Json
from pipeline.codec.topics.heartbeats import decode, judge
from pipeline.embedded.inputs import Format, Input, all_lines, gather_inputs, hints_at
from pipeline.model.errors import InputError
from pipeline.model.evidence import Heartbeat, SessionClose
from pipeline.model.text import fold
from pipeline.rules.evidence.merge import UsageFold
from pipeline.rules.evidence.sessions import Session, sessions
from pipeline.rules.summary.feature_summary import LicenseRequest
from pipeline.store.letters import SHOWN_MAX, Letter, Letters

ACCOUNT_UNNAMED: Final = "unnamed"
"""The account of a licence server's log that is read without a contract; it is never shown."""


@dataclass(frozen=True, slots=True)
class FileEvidence:
    """What files say. ``[first_at, last_at]`` is the time they speak for; ``requests`` are ``None`` without a server.

    ``sessions`` include those given back in the instant they were opened, which touch no slot. ``hints`` say why a file
    may have held no heartbeat.
    """

    sessions: tuple[Session, ...]
    requests: tuple[LicenseRequest, ...] | None
    first_at: int
    last_at: int
    unusable: Letters
    notes: tuple[str, ...]
    hints: tuple[str, ...]


def read_evidence(
    names: Sequence[str],
    input_format: Format,
    *,
    account: str,
    timezone: str,
    scratch: Path,
) -> FileEvidence:
    """Read files to their end; of heartbeats those of one account, of all where ``account`` is empty.

    Raises ``InputError`` where a file cannot be read, or where they hold no session at all.
    """
    inputs = gather_inputs(names, scratch)
    reading = _CollectedEvidence("" if input_format == "flexnet" else account)
    if input_format == "flexnet":
        reader = FlexnetReader(account or ACCOUNT_UNNAMED, timezone)
        reading.add_log(reader.items((each.name, each.contents()) for each in inputs))
        summary = reader.summary()
        reading.notes += map(str, summary.notes)
        if summary.unmatched_ins:
            reading.notes.append(
                f"{len(summary.unmatched_ins):,} IN lines close nothing that these files opened; "
                "an older log may hold it"
            )
        return reading.evidence(inputs, (summary.first_at, summary.last_at))
    for source, line, content in all_lines(inputs):
        if content.strip():
            reading.add_line(source, line, content)
    return reading.evidence(inputs, None)


class _CollectedEvidence:
    """What is gathered while files are read."""

    def __init__(self, account: str) -> None:
        self._account = account
        self.notes: list[str] = []
        self._usage = UsageFold()
        self._requests: list[LicenseRequest] | None = None
        self._codes: Counter[str] = Counter()
        self._unusable: list[Letter] = []

    def add_log(self, items: Iterable[LoggedHeartbeat | LoggedDenial | BrokenLine]) -> None:
        """Take in what a server's debug log comes to."""
        self._requests = []
        for item in items:
            if isinstance(item, LoggedHeartbeat):
                self._add(item.source, item.line, item.heartbeat)
            elif isinstance(item, LoggedDenial):
                self._requests.append(LicenseRequest(item.kind, item.feature, fold(item.user), item.at))
            else:
                self._refuse(Letter(item.source, item.line, item.code, item.reason))

    def add_line(self, source: str, line: int, content: bytes) -> None:
        """Take in a line that holds a heartbeat or a frame of them."""
        decoded = decode(content)
        for heartbeat in decoded.heartbeats:
            if self._account in {"", heartbeat.account}:
                self._usage.add(heartbeat, 0)
        for member in decoded.invalid:
            self._refuse(Letter(source, line, member.reason.code, member.reason.detail))

    def evidence(self, inputs: Sequence[Input], span: tuple[int, int] | None) -> FileEvidence:
        """Everything taken in. Raises ``InputError`` where that is no session and no request."""
        heard = [*sessions(self._usage.session_days())]
        heard += _instants(heard, self._usage.closes())
        hints = hints_at(inputs) if self._unusable and self._requests is None else ()
        if not heard and not self._requests:
            place = ", ".join(each.name for each in inputs)
            of_account = f" of {self._account}" if self._account else ""
            raise InputError(place, f"holds no session{of_account}", _remedy(self._unusable, hints))
        accounts = {each.key.account for each in heard}
        if len(accounts) > 1:
            self.notes.append(f"{len(accounts):,} accounts are summed up together; --account NAME takes one")
        if span is None:
            span = min(each.opened_at for each in heard), max(each.last_at for each in heard)
        return FileEvidence(
            sessions=tuple(heard),
            requests=None if self._requests is None else tuple(self._requests),
            first_at=span[0],
            last_at=span[1],
            unusable=Letters(dict(sorted(self._codes.items())), tuple(self._unusable)),
            notes=tuple(self.notes),
            hints=hints,
        )

    def _add(self, source: str, line: int, member: dict[str, int | str]) -> None:
        heartbeat = judge(dict[str, Json](member))
        if isinstance(heartbeat, Heartbeat):
            self._usage.add(heartbeat, 0)
        else:
            self._refuse(Letter(source, line, heartbeat.code, heartbeat.detail))

    def _refuse(self, letter: Letter) -> None:
        self._codes[letter.code] += 1
        if len(self._unusable) < SHOWN_MAX:
            self._unusable.append(letter)


def _remedy(unusable: list[Letter], hints: Sequence[str]) -> str:
    if hints:
        return "; ".join(hints)
    if unusable:
        first = unusable[0]
        return f"Its first line that cannot be used is {first.line} ({first.detail}); see --format"
    return "Give files in which licences are used; see --format and --account"


def _instants(heard: Iterable[Session], closes: Iterable[SessionClose]) -> Iterator[Session]:
    """Sessions that are known by their close alone: they ended in the instant they were opened."""
    used = {session.key for session in heard}
    for key, closed_at in closes:
        if key not in used:
            yield Session(key, closed_at, closed_at, {}, {})
