"""Incrementally computed open windows equal those computed from all evidence at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pipeline.model.contracts import Contract, Entitlement, Product, Replacement, TokenPack
from pipeline.model.evidence import SessionDay
from pipeline.model.instants import DAY_MS, MINUTE_MS
from pipeline.model.ledger_entries import Window
from pipeline.model.orders import BuyTokens, Command, CreditTokens, Logged, Order
from pipeline.model.statements import VoidEntry
from pipeline.policy.catalogue import metering_catalogue, token_catalogue
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import sessions
from pipeline.rules.orders.voids import without_voided
from pipeline.rules.people.coverage import Coverage
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.drafts import draft, postings
from pipeline.rules.tokens.flex_lines import debits
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.rates import TokenReading
from pipeline.rules.tokens.token_evidence import TokenEvidence
from pipeline.rules.tokens.windows import ChargeKey, open_windows
from tests.support.evidence.evidence_shorthand import heartbeat, instant
from tests.support.laws import examples

START_AT: Final = instant("2022-05-02 00:00")


def contract(rate: int, flex_days: int | None) -> Contract:
    """Two codes of which one replaces the other after a day and a half, charged for some days or for ever."""
    until_at = None if flex_days is None else START_AT + flex_days * DAY_MS
    turn_at = START_AT + DAY_MS * 3 // 2
    return Contract(
        account="acme",
        country="CZ",
        currency="EUR",
        content_hash="",
        products={"ACD": Product("ACD", replaces=(Replacement("OLD", turn_at, None),)), "OLD": Product("OLD")},
        entitlements=(
            Entitlement(("ACD",), "CZ", "flex", "autodesk-flex", 0, START_AT, until_at, daily_rate=rate),
            Entitlement(("OLD",), "CZ", "flex", "autodesk-flex", 0, START_AT, turn_at, daily_rate=3),
        ),
        token_packs=(TokenPack("P", "", "default", 100, START_AT, None),),
    )


def reading_of(wanted: Contract, seat_days: int) -> TokenReading:
    """The reading of a contract, with a single-user seat of Eva from some day on."""
    seat = Coverage("ACD", "CZ", "single_user", "eva", START_AT + seat_days * DAY_MS, START_AT + 9 * DAY_MS)
    return TokenReading(ContractReading(wanted, metering_catalogue()), token_catalogue(), (seat,))


def plainly(
    days: Sequence[SessionDay], voids: Sequence[VoidEntry], ledger: Ledger, reading: TokenReading
) -> dict[ChargeKey, list[Window]]:
    """The open windows of every pool, from all evidence at once."""
    kept = without_voided(sessions(days), voids)
    pools = [ChargeKey(product, "CZ", user) for product in ("ACD", "OLD") for user in ("eva", "petr")]
    opened = {pool: open_windows(pool, kept, ledger.settled.get(pool, ()), reading) for pool in pools}
    return {pool: windows for pool, windows in opened.items() if windows}


def as_found(windows_by_pool: Mapping[ChargeKey, Sequence[Window]]) -> dict[ChargeKey, list[Window]]:
    return {pool: [*windows] for pool, windows in windows_by_pool.items()}


users = st.sampled_from(("eva", "petr"))
minutes = st.builds(
    lambda day, minute: day * 1_440 + minute, st.integers(0, 3), st.sampled_from((0, 3, 6, 8, 55, 480, 1_436))
)
lengths = st.sampled_from((4, 6, 9, 30, 1_440, 1_444, 1_500, 2_000))


class OpenWindows(RuleBasedStateMachine):
    """Evidence arrives in any order, is voided and unvoided; time advances, and another process posts, too."""

    def __init__(self) -> None:
        super().__init__()
        self.contract, self.seat_days = contract(7, None), 9
        self.days: list[SessionDay] = []
        self.voids: tuple[VoidEntry, ...] = ()
        self.ledger, self.orders = Ledger("acme"), list[Logged]()
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Evidence is read again, as after a change of contract or seats."""
        self.reading = reading_of(self.contract, self.seat_days)
        self.evidence = TokenEvidence(self.reading)
        self.evidence.heed(self.voids)
        for day in self.days:
            self.evidence.merge(day)

    @rule(
        user=users, minute=minutes, length=lengths, rest=st.sampled_from((0, 4, 16, 60)),
        unseen=st.sampled_from((0, 7)), code=st.sampled_from(("ACD", "OLD")),
        session=st.sampled_from("abc"), version=st.sampled_from(("", "1")),
    )  # fmt: skip
    def use(
        self, user: str, minute: int, length: int, rest: int, unseen: int, code: str, session: str, version: str
    ) -> None:
        """A use of a product with a pause before its end; the session may exist already."""
        opened_at, at = START_AT + minute * MINUTE_MS, START_AT + (minute + length) * MINUTE_MS
        beat = heartbeat(
            opened_at, at, since=min(at, opened_at + unseen * MINUTE_MS), product=code, user=user, session=session,
            version=version, active_at=max(opened_at, at - rest * MINUTE_MS),
        )  # fmt: skip
        for day in fold([beat]):
            self.days.append(day)
            self.evidence.merge(day)

    @rule(which=st.integers(0, 20))
    def hear_again(self, which: int) -> None:
        if self.days:
            self.evidence.merge(self.days[which % len(self.days)])

    @rule(user=users, session=st.sampled_from(("", "a")), minute=st.none() | minutes)
    def void(self, user: str, session: str, minute: int | None) -> None:
        from_at = None if minute is None else START_AT + minute * MINUTE_MS
        until_at = None if from_at is None else from_at + DAY_MS // 2
        entry = VoidEntry(
            id=f"v{len(self.voids)}", by="jana", at=0, reason="r", session=session, product="", machine="", user=user,
            from_at=from_at, until_at=until_at,
        )  # fmt: skip
        self.voids = (*self.voids, entry)
        self.evidence.heed(self.voids)

    @rule()
    def undo_a_void(self) -> None:
        self.voids = self.voids[1:]
        self.evidence.heed(self.voids)

    @rule(minute=minutes, entries_max=st.sampled_from((1, 2, 1_000)))
    def tick(self, minute: int, entries_max: int) -> None:
        self._post(self.evidence, START_AT + minute * MINUTE_MS, entries_max)

    @rule(minute=minutes, half=st.integers(0, 1), leaves_void=st.booleans())
    def somebody_else_posts(self, minute: int, half: int, leaves_void: bool) -> None:
        """Another process with other evidence and other voids posts."""
        other = TokenEvidence(self.reading)
        for day in self.days[half::2]:
            other.merge(day)
        if leaves_void:
            other.heed(self.voids)
        self._post(other, START_AT + minute * MINUTE_MS, 1_000)

    @rule(buys=st.booleans())
    def order(self, buys: bool) -> None:
        """A purchase, or a credit of the last debit."""
        at = START_AT + 9 * DAY_MS
        charged = [entry.id for entry, _ in debits(self.ledger)]
        order: Order = BuyTokens((TokenPack(f"P{len(self.orders)}", "", "default", 9, START_AT, None),))
        if not buys and charged:
            order = CreditTokens("default", 1, "outage", charged[-1])
        self.orders.append(Logged(Command(f"O{len(self.orders)}", "acme", "jana", at, order), at))
        self._post(self.evidence, None, 1_000)

    @rule(rate=st.sampled_from((7, 9)), flex_days=st.sampled_from((None, 1, 2)), seat_days=st.sampled_from((0, 1, 9)))
    def change_the_contract(self, rate: int, flex_days: int | None, seat_days: int) -> None:
        self.contract, self.seat_days = contract(rate, flex_days), seat_days
        self._begin_anew()

    @rule()
    def look(self) -> None:
        self.evidence.open_windows(self.ledger)

    @rule(day=st.integers(0, 4))
    def forget(self, day: int) -> None:
        """Forgetting removes evidence but no open window."""
        if self.voids:
            return
        before = as_found(self.evidence.open_windows(self.ledger))
        self.evidence.forget(min(START_AT + day * DAY_MS, self.ledger.settled_until_at))
        kept = {session.key for session in self.evidence.sessions()}
        self.days = [day for day in self.days if day.session in kept]
        assert as_found(self.evidence.open_windows(self.ledger)) == before

    @rule()
    def touch(self) -> None:
        self.evidence.touch()

    def _post(self, evidence: TokenEvidence, until_at: int | None, entries_max: int) -> None:
        entries = draft(
            self.ledger, self.contract, evidence, self.orders, now=START_AT, hold_ms=0, complete_until=until_at
        )
        for posting in postings(self.ledger, entries, entries_max):
            assert self.ledger.append(posting)
            self.evidence.posted(posting)

    @invariant()
    def open_windows_equal_those_of_all_evidence(self) -> None:
        asked = deepcopy(self.evidence, {id(self.reading): self.reading})  # questions change the cache
        assert as_found(asked.open_windows(self.ledger)) == plainly(self.days, self.voids, self.ledger, self.reading)


TestOpenWindows = OpenWindows.TestCase
TestOpenWindows.settings = settings(max_examples=examples(150), stateful_step_count=25, deadline=None)


def settle(ledger: Ledger, evidence: TokenEvidence, until_at: int) -> None:
    """Settle everything up to an instant."""
    entries = draft(ledger, contract(7, None), evidence, (), now=START_AT, hold_ms=0, complete_until=until_at)
    for posting in postings(ledger, entries):
        assert ledger.append(posting)
        evidence.posted(posting)


def test_what_follows_on_after_the_last_settled_window_is_charged_however_far_is_settled() -> None:
    """Four minutes of a stretch lie beyond the settled window: they follow on, and are not late."""
    reading, first_at = reading_of(contract(7, None), 9), START_AT + 8 * MINUTE_MS
    next_at = first_at + DAY_MS - 5 * MINUTE_MS
    use = [
        heartbeat(first_at, first_at + 60 * MINUTE_MS, product="ACD", user="petr"),
        heartbeat(
            next_at, next_at + 9 * MINUTE_MS, since=next_at + 7 * MINUTE_MS, product="ACD", user="petr", session="t"
        ),
    ]
    for settled_until_at in (first_at, first_at + DAY_MS, first_at + 9 * DAY_MS):
        ledger, evidence = Ledger("acme"), TokenEvidence(reading)
        for day in fold(use[:1]):
            evidence.merge(day)
        settle(ledger, evidence, settled_until_at)
        for day in fold(use[1:]):
            evidence.merge(day)
        (windows,) = evidence.open_windows(ledger).values()
        assert [window.start_at for window in windows] == [next_at + 7 * MINUTE_MS]
        assert as_found(evidence.open_windows(ledger)) == plainly(fold(use), (), ledger, reading)


def test_a_session_is_judged_again_when_it_gets_more_evidence() -> None:
    """A settled session is put aside; its later evidence is charged all the same."""
    evidence, ledger = TokenEvidence(reading_of(contract(7, None), 9)), Ledger("acme")
    at = START_AT + 8 * 60 * MINUTE_MS
    (first,) = fold([heartbeat(at, at + 60 * MINUTE_MS, product="ACD", user="petr")])
    evidence.merge(first)
    settle(ledger, evidence, at + DAY_MS)
    assert not evidence.open_windows(ledger)
    evidence.merge(first)
    assert not evidence.open_windows(ledger)
    later_at = at + DAY_MS + 60 * MINUTE_MS
    for day in fold([heartbeat(later_at, later_at + 60 * MINUTE_MS, product="ACD", user="petr")]):
        evidence.merge(replace(day, opened_at=at))
    (windows,) = evidence.open_windows(ledger).values()
    assert [window.start_at for window in windows] == [later_at]
