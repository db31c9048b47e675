"""``seatbeat demo``: everything embedded, on a sample fleet, from start to an explained statement."""

from __future__ import annotations

import argparse
import asyncio
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from pipeline.cli.command_list import COMMANDS
from pipeline.cli.program_messages import program_name, quiet_logs, report
from pipeline.cli.store_options import make_store_folder, now_ms
from pipeline.cli.tables.cells import literal, minute
from pipeline.cli.tables.console import console
from pipeline.cli.tables.statement_tables import flex_table, pooled_table, statement_footer, token_total
from pipeline.model.instants import iso
from pipeline.rules.explain.slot_explanation import SlotExplanation
from pipeline.rules.tokens.charge_explanation import Charge
from pipeline.store.client import StoreUnreachable
from pipeline.store.opening import store_error


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "demo",
        help=COMMANDS["demo"],
        description="Starts broker and engine, plays the sample fleet of an engineering studio (a quarter, 60 "
        "machines, 5 products) through the whole pipeline, prints its statement and where to look next.",
    )
    parser.add_argument("--data-dir", type=Path, help="keep the store here (else in a new temporary folder)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the statement on stdout; 1 where the pipeline failed."""
    from pipeline.embedded.demo_run import DemoOutcome, LiveSeats, play_demo  # noqa: PLC0415 -- the greeting comes first
    from pipeline.embedded.pipeline import PipelineFailed  # noqa: PLC0415

    quiet_logs()
    screen = console(stderr=True)
    screen.print("Starting an embedded Kafka broker, three Faust agents and the ClickHouse engine …")
    bars = Progress(TextColumn("{task.description:<10}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    tasks: dict[str, TaskID] = {}
    line = Text("")

    def show(stage: str, done: int, end: int, live: LiveSeats | None) -> None:
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage.removeprefix("seatbeat-"), total=end)
        bars.update(tasks[stage], completed=done, total=end)
        if live is not None:
            line.plain = ""
            line.append_text(_live_line(live.slot_at, live.pools, live.in_grace))

    live_view = Live(Group(bars, line), console=screen, refresh_per_second=10, transient=not screen.is_terminal)
    try:
        with _kept_if_done(args.data_dir) as data_dir, live_view:
            outcome: DemoOutcome = asyncio.run(play_demo(data_dir, show, now_ms, args.last_resort.failed))
    except StoreUnreachable as error:
        raise store_error(str(args.data_dir or tempfile.gettempdir()), error) from error
    except PipelineFailed as error:
        report(f"the pipeline failed: {error}")
        return 1
    out = console()
    out.print(pooled_table(outcome.statement))
    for part in (flex_table(outcome.statement), token_total(outcome.statement)):
        if part is not None:
            out.print(part)
    out.print(statement_footer(outcome.statement))
    out.print()
    out.print(literal(why_the_peak(outcome.peak)), soft_wrap=not out.is_terminal)
    out.print()
    out.print(literal(why_the_charge(outcome.charge, outcome.left_open.closed_at)), soft_wrap=not out.is_terminal)
    out.print()
    out.print(f"{outcome.heartbeats:,} heartbeats were metered and stored in {outcome.metering_ms / 1000:.1f} s.")
    _print_next_steps(outcome.peak, outcome.charge, data_dir)
    return 0


@contextmanager
def _kept_if_done(given: Path | None) -> Iterator[Path]:
    """The folder given; else a new temporary one, which is removed again if the demo fails."""
    if given is not None:
        yield make_store_folder(given)
        return
    folder = Path(tempfile.mkdtemp(prefix="seatbeat-demo-"))
    try:
        yield make_store_folder(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def why_the_peak(peak: SlotExplanation) -> str:
    """One sentence: the slot, the machines and the users behind a peak."""
    until = minute(peak.slot_at + peak.policy.slot_ms)[11:]
    users = sorted({session.key.user for unit in peak.units for session in unit.sessions})
    latest = max(
        (session for unit in peak.units for session in unit.sessions),
        key=lambda session: session.opened_at,
        default=None,
    )
    first = ", ".join(f"{unit.machine} ({unit.sessions[0].key.user})" for unit in peak.units[:3])
    more = f" and {peak.count - 3} more" if peak.count > 3 else ""
    over = (
        f", {peak.overuse} more than the {peak.entitled} entitled" if peak.overuse else f" of {peak.entitled} entitled"
    )
    opened = f"; the last of them was opened at {minute(latest.opened_at)[11:]} by {latest.key.user}" if latest else ""
    return (
        f"Why the peak of {peak.product} is {peak.count}: from {minute(peak.slot_at)} to {until} UTC, {peak.count} "
        f"machines of {len(users)} users were past their first slot and in use at once{over}: {first}{more}{opened}."
    )


def why_the_charge(charge: Charge, closed_at: int) -> str:
    """Two sentences: the window, who paid, and why a session that stayed open longer cost no more."""
    window, (session, stretch) = charge.window, charge.causes[0]
    paid = ", ".join(f"{part.tokens} from {part.pack}" for part in charge.debit.parts) if charge.debit else "no pack"
    return (
        f"Why {window.product} cost {window.user} {window.rate} tokens from {minute(window.start_at)} to "
        f"{minute(window.end_at)} UTC ({paid}): {session.machine} was in use from {minute(stretch.from_at)[11:]}. "
        f"It stayed open until {minute(closed_at)}, but idle since {minute(stretch.until_at)[11:]}: that cost nothing."
    )


def _live_line(slot_at: int, pools: tuple[tuple[str, int, int], ...], in_grace: int) -> Text:
    text = Text(f"seats in use {minute(slot_at)} UTC")
    for product, used, entitled in pools:
        text.append(f"   {product} ")
        text.append(f"{used}/{entitled}", style="bold red" if used > entitled else "bold")
    return text.append(f"   in grace {in_grace}")


def _print_next_steps(peak: SlotExplanation, charge: Charge, data_dir: Path) -> None:
    out, seatbeat = console(), program_name()
    where = f"--data-dir {shlex.quote(_shortest(data_dir))}"
    weekend = "--product ORD --from 2022-06-11 --until 2022-06-12"
    steps = (
        (f"explain {where} --product {peak.product} --slot {iso(peak.slot_at)}", "every machine and session of it"),
        (f"usage {where} {weekend}", "who left it open over a weekend"),
        (f"tokens explain {where} --user {charge.window.user}", "what a user was charged for, and what cost nothing"),
        (f"tokens forecast {where}", "how long the tokens last, and what expires unused"),
        (f"statement {where} --period 2022Q2 --output json", "the same for programs"),
        ("run --help", "your own heartbeats and FlexNet logs"),
    )
    out.print("\nNext:")
    for command, does in steps:
        out.print(f"  {seatbeat} {command}", style="bold", soft_wrap=True)
        out.print(f"      {does}")


def _shortest(folder: Path) -> str:
    """A folder as its user would type it from here."""
    here = Path.cwd()
    return str(folder.relative_to(here)) if folder.is_relative_to(here) else str(folder)
