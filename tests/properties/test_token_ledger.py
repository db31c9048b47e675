"""The ledger and a second model of it agree under purchases, use, credits, ticks, replays and zombies."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pipeline.model.contracts import Contract, Entitlement, Product, TokenPack
from pipeline.model.instants import LATEST_AT, MINUTE_MS
from pipeline.model.ledger_entries import Credit, Debit, Posting, Refusal
from pipeline.model.orders import BuyTokens, Command, CreditTokens, Logged, Order, Tick
from pipeline.policy.catalogue import metering_catalogue, token_catalogue
from pipeline.rules.evidence.merge import fold
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.balance import balances
from pipeline.rules.tokens.drafts import draft, postings
from pipeline.rules.tokens.flex_lines import debits, token_block
from pipeline.rules.tokens.forecast import forecast
from pipeline.rules.tokens.ledger import Ledger, entry_id, read_ledger
from pipeline.rules.tokens.ledger_audit import audit
from pipeline.rules.tokens.rates import TokenReading
from pipeline.rules.tokens.settling_hold import HOLD_MS
from pipeline.rules.tokens.token_evidence import TokenEvidence
from tests.support.auditors.token_auditor import DAY, YEAR, Auditor
from tests.support.evidence.evidence_shorthand import heartbeat, instant
from tests.support.laws import examples

START_AT: Final = instant("2022-05-02 00:00")
TEAMS: Final = ("alpha", "beta")
RATE: Final = 7
CONTRACT: Final = Contract(
    account="acme",
    country="CZ",
    currency="EUR",
    content_hash="",
    products={"ACD": Product("ACD")},
    entitlements=(Entitlement(("ACD",), "CZ", "flex", "autodesk-flex", 0, START_AT, None, daily_rate=RATE),),
    token_packs=tuple(TokenPack(f"never-{team}", "", team, 1, LATEST_AT, None) for team in TEAMS),
)
"""Teams are known by the contract's packs; these two are bought long after everything."""

users = st.sampled_from(("eva", "petr"))
minutes = st.builds(lambda day, minute: day * DAY + minute, st.integers(0, 4), st.sampled_from((0, 1, 4, 6, 480)))
"""Few instants, a little more and a little less than the free connection apart, so that things meet."""
lengths = st.sampled_from((2, 5, 6, 10, 60, DAY, DAY + 5, DAY + 6, 3 * DAY))


class TokenLedger(RuleBasedStateMachine):
    """Every rule applies to the ledger and to the auditor; a year may pass, so that packs expire."""

    def __init__(self) -> None:
        super().__init__()
        self.auditor = Auditor(RATE)
        self.reading = TokenReading(ContractReading(CONTRACT, metering_catalogue()), token_catalogue())
        self.evidence, self.ledger = TokenEvidence(self.reading), Ledger("acme")
        self.log: list[Posting] = []
        self.valid: list[Posting] = []
        self.orders: list[Logged] = []
        self.year = self.sessions = 0

    @rule(user=users, minute=minutes, length=lengths, twice=st.booleans())
    def use(self, user: str, minute: int, length: int, twice: bool) -> None:
        self.sessions += 1
        start = self.year + minute
        beat = heartbeat(
            START_AT + start * MINUTE_MS,
            START_AT + (start + length) * MINUTE_MS,
            product="ACD",
            user=user,
            session=f"s{self.sessions}",
        )
        for day in fold([beat]) * (2 if twice else 1):
            self.evidence.merge(day)
        self.auditor.use(user, start, start + length)

    @rule(team=st.sampled_from(TEAMS), size=st.sampled_from((3, 7, 10, 50)), minute=st.sampled_from((0, DAY, -YEAR)))
    def buy(self, team: str, size: int, minute: int) -> None:
        pack, bought = f"P{len(self.orders):03}", self.year + minute
        self._order(BuyTokens((TokenPack(pack, "", team, size, START_AT + bought * MINUTE_MS, None),)))
        self.auditor.buy(pack, team, size, bought)

    @rule(which=st.integers(0, 10), tokens=st.integers(1, 8))
    def give_back(self, which: int, tokens: int) -> None:
        if not self.auditor.charged:
            return
        charged = self.auditor.charged[which % len(self.auditor.charged)]
        debit = entry_id("acme", "debit", "ACD", "CZ", charged.user, START_AT + charged.start * MINUTE_MS)
        before = self._outcomes()
        self._order(CreditTokens(charged.team, tokens, "outage", debit))
        assert self._outcomes() == before + 1
        refused = not self.auditor.give_back(charged.user, charged.start, tokens)
        assert refused == (entry_id("acme", "refusal", f"O{len(self.orders)}") in self.ledger.entries)

    @rule(minute=minutes)
    def tick(self, minute: int) -> None:
        until = self.year + minute
        self._order(Tick(START_AT + (until + DAY) * MINUTE_MS))
        self.auditor.tick(until)

    @rule()
    def a_year_passes(self) -> None:
        if self.year == 0:
            self.year = YEAR

    @rule()
    def everything_is_replayed(self) -> None:
        self.evidence.touch()
        assert draft(self.ledger, CONTRACT, self.evidence, self.orders, now=0) == ()

    @rule(minute=minutes, behind=st.integers(1, 3))
    def a_zombie_wakes(self, minute: int, behind: int) -> None:
        """It posts on an outdated ledger; its postings are void."""
        if len(self.valid) < behind:
            return
        stale = read_ledger("acme", self.valid[:-behind])
        self.evidence.touch()
        until_at = START_AT + (self.year + minute) * MINUTE_MS
        entries = draft(stale, CONTRACT, self.evidence, self.orders, now=0, complete_until=until_at + HOLD_MS)
        for posting in postings(stale, entries, 1)[:behind]:
            self.log.append(posting)
            assert not self.ledger.append(posting)
        self.evidence.touch()

    def _outcomes(self) -> int:
        """How many credits were given or refused; what is given back may also expire at once."""
        return sum(isinstance(entry.fact, Credit | Refusal) for entry in self.ledger.entries.values())

    def _order(self, order: Order) -> None:
        at = order.complete_until if isinstance(order, Tick) else START_AT + (self.year + 20 * DAY) * MINUTE_MS
        logged = Logged(Command(f"O{len(self.orders) + 1}", "acme", "jana", at, order), at)
        self.orders.append(logged)
        for posting in postings(self.ledger, draft(self.ledger, CONTRACT, self.evidence, [logged], now=0), 3):
            assert self.ledger.append(posting)
            self.log.append(posting)
            self.valid.append(posting)
            self.evidence.posted(posting)

    @invariant()
    def windows_and_payments_equal_the_auditors(self) -> None:
        assert [self._summary(debit) for _, debit in debits(self.ledger)] == [
            (charged.user, charged.start, charged.end, charged.team, charged.paid, charged.uncovered)
            for charged in self.auditor.charged
        ]

    @invariant()
    def balances_equal_the_auditors(self) -> None:
        for name, team in self.ledger.teams.items():
            assert team.granted == team.balance + team.debited + team.expired
            counted = [self.auditor.count(name, place) for place in ("balance", "debited", "expired")]
            assert [team.balance, team.debited, team.expired] == counted

    @invariant()
    def every_reader_has_the_figures_of_the_ledger(self) -> None:
        """The ledger lets expire what its settled time says; balance, statement and forecast say the same."""
        shown = {balance.team: balance.settled for balance in balances(self.ledger, (), self.ledger.settled_until_at)}
        assert {name: shown[name] for name in self.ledger.teams} == self.ledger.teams
        at = max((entry.at for entry in self.ledger.entries.values()), default=0) + 1
        figures = [balance.settled for balance in balances(self.ledger, (), at)]
        block = token_block(self.ledger, at)
        summed = [sum(getattr(team, name) for team in figures) for name in ("granted", "debited", "expired", "balance")]
        assert summed == [block.granted, block.debited, block.expired, block.balance]
        assert sum(team.balance for team in forecast(self.ledger, at)) == block.balance

    @invariant()
    def windows_do_not_overlap(self) -> None:
        for spans in self.ledger.settled.values():
            assert all(window.until_at <= other.from_at for window, other in pairwise(spans))

    def teardown(self) -> None:
        again = read_ledger("acme", self.log)
        assert again.entries == self.ledger.entries
        differences = audit(self.log, self.reading, self.evidence, self.orders)
        assert {difference.what for difference in differences} <= {"missing"}
        self.evidence.touch()
        late = [w for ws in self.evidence.open_windows(self.ledger).values() for w in ws]
        settled_until_at = self.ledger.settled_until_at
        assert len(differences) == sum(window.start_at <= settled_until_at for window in late)

    @staticmethod
    def _summary(debit: Debit) -> tuple[str, int, int, str, list[str], int]:
        window = debit.window
        start, end = ((at - START_AT) // MINUTE_MS for at in (window.start_at, window.end_at))
        paid = [part.pack for part in debit.parts for _ in range(part.tokens)]
        return window.user, start, end, debit.team, paid, debit.uncovered


TestTokenLedger = TokenLedger.TestCase
TestTokenLedger.settings = settings(max_examples=examples(100), stateful_step_count=30, deadline=None)
