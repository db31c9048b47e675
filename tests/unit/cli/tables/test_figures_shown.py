"""Every table of every command with figures of their largest size, in wide and narrow terminals: none is cut."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final, cast

import pytest

from pipeline.application.denial_reading import JudgedDenial
from pipeline.application.explain.account_usage import CountedSession
from pipeline.application.quarter.silent_report import SilentReport
from pipeline.cli.commands import dead_letters, denials, show_settings, silent, usage
from pipeline.cli.tables import console as streams
from pipeline.cli.tables.console import console
from pipeline.cli.tables.dispute_table import print_disputes
from pipeline.cli.tables.order_table import print_orders
from pipeline.cli.tables.statement_tables import print_statement
from pipeline.cli.tables.summary_table import summary_table
from pipeline.cli.tables.token_tables import print_balance, print_ledger
from pipeline.codec.reports.dispute_records import DisputeRecord
from pipeline.codec.reports.letter_records import ListedLetter
from pipeline.codec.reports.outcome_records import OutcomeRecord
from pipeline.codec.reports.token_records import LEDGER_COLUMNS, TokenRecord
from pipeline.codec.topics.denial_messages import Denial
from pipeline.codec.topics.letter_ids import LetterId
from pipeline.model.evidence import SessionKey
from pipeline.model.instants import DAY_MS, Period
from pipeline.model.statements import (
    Adjustment,
    Basis,
    FlexLine,
    PooledLine,
    SeatLine,
    Statement,
    TokenBlock,
    VoidEntry,
)
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.statement.silent_machines import SilentMachine
from pipeline.rules.summary.feature_summary import FeatureSummary

AT: Final = 1_652_796_000_000
WHEN: Final = "2022-05-17 14:00"
SECOND: Final = "2022-05-17T14:00:00Z"
BIG: Final = 9_007_199_254_740_991
MINOR: Final = 123_456_789_012_345
USER: Final = "a.rather.long.name@engineering.studio.example"
POLICY: Final = "bentley-select@2016-04-01"
QUARTER: Final = Period.parse("2022Q2")

POOLED: Final = PooledLine(
    "MICROSTATION-CONNECT", "CZ", POLICY, 1_234_567, 2_345_678, (AT,), 1_111_111, (AT,), 91, 1_111_112, 9_600_077, MINOR
)
STATEMENT: Final = Statement(
    "studio",
    QUARTER,
    "EUR",
    (
        POOLED,
        SeatLine("STAAD", "CZ", "named", POLICY, 7_654_321, (USER, USER), 6_543_210),
        FlexLine("ACD", "CZ", POLICY, 3_456_789, BIG, 4_567_890, ()),
    ),
    Basis(AT, 5_678_901, 6_789_012, "sha256:0123456789", "0.1.0", "embedded"),
    tokens=TokenBlock(7_890_123, 8_901_234, 9_012_345, 1_023_456),
    adjustments=(Adjustment("2022Q1", "late_evidence", "MSTN", "CZ", "pooled", 1_000_001, MINOR),),
    voids=(VoidEntry("v1", "jana", AT, "as agreed", "", "", "ws-1", USER, AT, AT + DAY_MS),),
)
DISPUTE: Final = cast(
    DisputeRecord,
    {
        "id": "d" * 16, "period": "2022Q2", "product": "MSTN", "country": "CZ", "state": "granted", "ticket": "T-4711",
        "amount": "1234567890123.45", "granted": "1234567890122.44", "by": USER, "opened_at": SECOND,
        "comments": [{"at": SECOND, "by": "vendor", "state": "answered", "text": "we looked into it"}],
    },
)  # fmt: skip
OUTCOME: Final = cast(
    OutcomeRecord,
    {
        "id": "f" * 16, "by": USER, "what": "credit amount 1234567890123.45 EUR, reason as agreed on the phone",
        "outcome": "accepted", "code": None, "received_at": SECOND,
    },
)  # fmt: skip
PACK: Final[TokenRecord] = {
    "id": "T-2022", "purchase": "PO-2022-031", "tokens": BIG, "left": BIG - 1, "purchased_at": SECOND,
    "expires_at": "2023-05-17T14:00:00Z", "price": "1234567890123.45",
}  # fmt: skip
FIGURES: Final = ("granted", "debited", "expired", "balance", "uncovered", "open_windows", "reserved", "available")
TEAM: Final[TokenRecord] = {
    "team": "default", **{name: BIG - 10 - at for at, name in enumerate(FIGURES)}, "packs": [PACK],
}  # fmt: skip
ENTRY: Final[TokenRecord] = {
    **dict.fromkeys(LEDGER_COLUMNS), "at": SECOND, "kind": "debit", "id": "e" * 32, "user": USER, "team": "default",
    "change": -BIG, "balance": BIG - 1, "uncovered": BIG - 2, "packs": ["T-2022:12"],
}  # fmt: skip
SESSION: Final = Session(
    SessionKey("studio", "MSTN", "CZ", "production", "ws-1", USER, "s"), AT, AT + 35 * DAY_MS, {19129: 2**144 - 1}, {}
)
SUMMARY: Final = FeatureSummary("F1", 2_345_678, AT, 12_345, 13_104, 1_234_567, BIG, 5_678_901, 4_567_890, 6_789_012)
DENIAL: Final = Denial("studio", "id", "denied", AT, "F1", USER, "ws-1", "too many users (18,4)", "lmgrd.log", 17)
LETTER: Final = ListedLetter(
    LetterId("files:0123", "heartbeats", 11, 123_456_789, 9_999), "studio", "bad_json", "", "not JSON", AT, "a.log", 17
)


def _settings() -> None:
    show_settings.run(argparse.Namespace())


def _balance() -> None:
    print_balance(console(), {"settled_until": SECOND}, [TEAM])


SHOWN: Final[dict[str, tuple[Callable[[], None], tuple[str, ...]]]] = {
    "statement": (
        lambda: print_statement(STATEMENT, "table"),
        (
            "1234567", "2345678", WHEN, "1111111", "91", "1111112", "96000.77", "1234567890123.45", POLICY,
            "7654321", "2", "6543210", "3,456,789", f"{BIG:,}", "4,567,890", "10000.01", "1234567880123.44",
            "5,678,901", "(6,789,012", "7,890,123", "8,901,234", "9,012,345", "1,023,456",
        ),
    ),
    "without a price": (
        lambda: print_statement(replace(STATEMENT, lines=(replace(POOLED, unit_price=None, amount=None),)), "table"),
        ("1234567", "no price"),
    ),
    "summary": (
        lambda: console().print(summary_table(QUARTER, [SUMMARY])),
        (
            "2,345,678", WHEN, "94.2% (12,345)", "1,234,567", f"{BIG / 3_600_000:,.1f}", "5,678,901", "4,567,890",
            "6,789,012",
        ),
    ),
    "disputes": (lambda: print_disputes(console(), [DISPUTE]), ("1234567890123.45", "1234567890122.44", SECOND)),
    "orders": (lambda: print_orders(console(), [OUTCOME]), ("1234567890123.45", SECOND)),
    "balance": (_balance, (*(f"{BIG - 10 - at:,}" for at in range(8) if at != 5), f"{BIG:,}", f"{BIG - 1:,}", WHEN)),
    "ledger": (lambda: print_ledger(console(), [ENTRY]), (f"-{BIG:,}", f"{BIG - 1:,}", f"{BIG - 2:,}", WHEN)),
    "usage": (lambda: usage._print_table([CountedSession(SESSION, "MSTN", "CZ")]), (WHEN, "35 d 00:00", "144")),
    "denials": (lambda: denials._print_table([JudgedDenial(DENIAL, "F1", True)]), (WHEN, "(18,4)")),
    "silent": (
        lambda: silent._print_table(SilentReport(AT, (SilentMachine("ws-1", 12_345_678, AT, (USER,), ("MSTN",)),))),
        (WHEN, "12345678"),
    ),
    "dead letters": (
        lambda: dead_letters._print_table([LETTER]), (SECOND, "files:0123/heartbeats/11/123456789/9999", "a.log:17")
    ),
    "settings": (_settings, ("127.0.0.1:9092", "4096", "10000", "2000", "120")),
}  # fmt: skip


@pytest.mark.parametrize("width", [200, 141, 120, 100, 80, 60, 40])
@pytest.mark.parametrize("name", SHOWN)
def test_every_figure_is_whole_in_a_line_and_no_line_is_wider_than_the_terminal(
    name: str, width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PIPE_COLUMNS", width)
    show, figures = SHOWN[name]
    show()
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    for figure in figures:
        assert any(re.search(rf"(?<![^\s│]){re.escape(figure)}(?![^\s│,)])", line) for line in lines), figure
    cut = [line for line in lines if "…" in line and "sha256:" not in line]
    assert cut == []
