"""Files read without a store: the sessions and refusals in them, for a summary or a drafted contract.

Nothing is sent or kept, and no engine starts. What a line means is decided by the same readers, validator and fold as
in a run with a contract; only the sessions are held in memory (``heard_sessions``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.codec.flexnet import FlexnetReader, LoggedDenial, LoggedHeartbeat
from pipeline.codec.json_text import Json
from pipeline.codec.topics.heartbeats import decode, judge
from pipeline.embedded.heard_sessions import FoldedSessions, HeardSessions, LoggedSessions
from pipeline.embedded.inputs import Format, Input, all_lines, gather_inputs, hints_at
from pipeline.model.errors import InputError
from pipeline.model.evidence import Heartbeat
from pipeline.model.instants import EARLIEST_AT, LATEST_AT
from pipeline.model.text import fold
from pipeline.policy.metering_policies import MeteringPolicy
from pipeline.rules.evidence.true_denials import ANSWERED_WITHIN_MS
from pipeline.rules.summary.feature_summary import FeatureSummary, LicenseRequest, summarize_features
from pipeline.store.letters import SHOWN_MAX, Letter, Letters

ACCOUNT_UNNAMED: Final = "unnamed"
"""The account of a licence server's log that is read without a contract; it is never shown."""


@dataclass(frozen=True, slots=True)
class FileEvidence:
    """What files say of the time ``[first_at, last_at]``. ``requests`` are ``None`` where no server logged them.

    ``hints`` say why a file may have held no heartbeat.
    """

    sessions: HeardSessions
    requests: tuple[LicenseRequest, ...] | None
    first_at: int
    last_at: int
    unusable: Letters
    notes: tuple[str, ...]
    hints: tuple[str, ...] = ()

    def summaries(
        self,
        policy: MeteringPolicy,
        *,
        from_at: int = EARLIEST_AT,
        until_at: int = LATEST_AT,
        product_of: Mapping[str, str] | None = None,
    ) -> list[FeatureSummary]:
        """The features used or truly denied in ``[from_at, until_at)``, as ``summarize_features`` sums them up.

        They are summed up one by one, so that memory holds the use of one of them at a time.
        """
        names = product_of or {}
        asked: defaultdict[str, list[LicenseRequest]] = defaultdict(list)
        for request in self.requests or ():
            asked[request.feature].append(request)
        products: defaultdict[str, list[str]] = defaultdict(list)
        for feature in self.sessions.features() | asked.keys():
            products[names.get(feature, feature)].append(feature)
        return [
            summary
            for _, features in sorted(products.items())
            for summary in summarize_features(
                self.sessions.of(features, from_at, until_at + ANSWERED_WITHIN_MS),
                None if self.requests is None else [each for feature in features for each in asked.get(feature, ())],
                policy,
                from_at=from_at,
                until_at=until_at,
                product_of=product_of,
            )
        ]


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
    reading = _CollectedEvidence()
    if input_format == "flexnet":
        return _read_logs(reading, inputs, account or ACCOUNT_UNNAMED, timezone)
    heard = FoldedSessions()
    for source, line, content in all_lines(inputs):
        if content.strip():
            reading.add_line(source, line, content, account, heard)
    hints = hints_at(inputs) if reading.has_unusable else ()
    span = heard.span()
    if span is None:
        raise reading.nothing(inputs, account, hints)
    accounts = heard.accounts()
    if len(accounts) > 1:
        reading.notes.append(f"{len(accounts):,} accounts are summed up together; --account NAME takes one")
    return FileEvidence(heard, None, *span, reading.letters(), tuple(reading.notes), hints)


def _read_logs(reading: _CollectedEvidence, inputs: Sequence[Input], account: str, timezone: str) -> FileEvidence:
    reader = FlexnetReader(account, timezone)
    heard = LoggedSessions(account)
    requests: list[LicenseRequest] = []
    for item in reader.items((each.name, each.contents()) for each in inputs):
        if isinstance(item, LoggedHeartbeat):
            reading.add_logged(item, heard)
        elif isinstance(item, LoggedDenial):
            requests.append(LicenseRequest(item.kind, item.feature, fold(item.user), item.at))
        else:
            reading.refuse(Letter(item.source, item.line, item.code, item.reason))
    if not requests and heard.span() is None:
        raise reading.nothing(inputs, "", ())
    summary = reader.summary()
    reading.notes += map(str, summary.notes)
    if summary.unmatched_ins:
        reading.notes.append(
            f"{len(summary.unmatched_ins):,} IN lines close nothing that these files opened; an older log may hold it"
        )
    return FileEvidence(
        heard, tuple(requests), summary.first_at, summary.last_at, reading.letters(), tuple(reading.notes)
    )


class _CollectedEvidence:
    """What is gathered while files are read, apart from sessions."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._codes: Counter[str] = Counter()
        self._unusable: list[Letter] = []

    def add_logged(self, logged: LoggedHeartbeat, heard: LoggedSessions) -> None:
        """Take in a session of a server's debug log."""
        heartbeat = judge(dict[str, Json](logged.heartbeat))
        if isinstance(heartbeat, Heartbeat):
            heard.add(heartbeat)
        else:
            self.refuse(Letter(logged.source, logged.line, heartbeat.code, heartbeat.detail))

    def add_line(self, source: str, line: int, content: bytes, account: str, heard: FoldedSessions) -> None:
        """Take in a line that holds a heartbeat or a frame of them; of any account where ``account`` is empty."""
        decoded = decode(content)
        for heartbeat in decoded.heartbeats:
            if account in {"", heartbeat.account}:
                heard.add(heartbeat)
        for member in decoded.invalid:
            self.refuse(Letter(source, line, member.reason.code, member.reason.detail))

    @property
    def has_unusable(self) -> bool:
        """Whether there was a line that cannot be used."""
        return bool(self._unusable)

    def nothing(self, inputs: Iterable[Input], account: str, hints: Sequence[str]) -> InputError:
        """The refusal of files without a session and without a request."""
        place = ", ".join(each.name for each in inputs)
        of_account = f" of {account}" if account else ""
        return InputError(place, f"holds no session{of_account}", _remedy(self._unusable, hints))

    def letters(self) -> Letters:
        """The lines that cannot be used: how many of each code, and the first of them."""
        return Letters(dict(sorted(self._codes.items())), tuple(self._unusable))

    def refuse(self, letter: Letter) -> None:
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
