"""What is said beside a statement on stderr: who closed it, refused entries of the contract, lines without use."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.cli.program_messages import report
from pipeline.codec.reports.letter_records import printable
from pipeline.model.contracts import Contract
from pipeline.model.instants import iso
from pipeline.model.orders import Logged
from pipeline.rules.people.holders import refused_entries
from pipeline.rules.statement.closes import Closed
from pipeline.store.letters import Letters


def closed_words(closed: Closed) -> str:
    """Who closed a quarter and when, and what was missing then."""
    close, command = closed.close, closed.command
    forced = ", by force: evidence was not complete to its end" if close.forced else ""
    who = f"{close.period} was closed by {command.by} at {iso(command.issued_at)} (id {command.id})"
    return f"{who}{forced}; {close.silent_machines:,} silent machines"


def report_refused(contract: Contract, logged: Sequence[Logged]) -> None:
    """Say on stderr which entries of a contract's lists give nobody anything, after the commands of the log."""
    for listed, refused in refused_entries(contract, logged):
        name, index = listed.place
        report(printable(f"{name}[{index}] of the contract is refused: {refused.sentence}"))


def report_letters(letters: Letters, *, hints: Sequence[str] = (), are_kept: bool = True) -> None:
    """Say on stderr which input lines could not be used: the first ones in full, all of them counted by code.

    ``hints`` say what may be wrong with a whole file.
    """
    if not letters.count:
        return
    for letter in letters.first:
        place = f"{letter.source}:{letter.line}" if letter.source else "a message"
        report(printable(f"{place}: {letter.code}: {letter.detail}"))
    codes = ", ".join(f"{code} {count:,}" for code, count in letters.by_code.items())
    kept = " and are kept as dead letters" if are_kept else ""
    report(f"{letters.count:,} could not be used{kept}: {codes}")
    for hint in hints:
        report(printable(hint))
