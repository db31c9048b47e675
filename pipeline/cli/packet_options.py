"""What the packet of an over-used line needs from the command line: which line, in which form, written where."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from pipeline.application.dispute_evidence import read_packet
from pipeline.cli.grounds import quarter_grounds, report_grounds
from pipeline.cli.store_options import ask_store, parse_period
from pipeline.cli.tables.console import report
from pipeline.codec.packets.language import TONGUES, language
from pipeline.codec.packets.packet_files import NAMES, Form, packet_bytes
from pipeline.codec.reports.letter_records import printable
from pipeline.model.errors import InputError
from pipeline.model.statements import PooledLine, Statement
from pipeline.rules.dispute.packet import Packet
from pipeline.rules.dispute.pseudonyms import with_pseudonyms
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client

_SUFFIXES: Final[dict[str, Form]] = {".txt": "text", ".json": "json", ".csv": "csv", ".html": "html"}
_INVOICE_LENGTH_MAX: Final = 200
_SHARED_LOGIN_MIN: Final = 4
"""On so many machines at once no single person sits."""


def add_packet_options(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Which line the packet is of, and how it is written. ``required`` says whether a line must be named."""
    parser.add_argument("--period", type=parse_period, required=required, metavar="2022Q2")
    parser.add_argument("--product", required=required)
    parser.add_argument("--country", default="", help="else the contract's")
    parser.add_argument("--invoice", default="", metavar="NUMBER", help="the vendor's invoice number")
    parser.add_argument("--language", choices=TONGUES, default="en")
    parser.add_argument(
        "--pseudonyms", action="store_true", help="number users, machines and sessions instead of names"
    )
    parser.add_argument("--out", metavar="FILE|FOLDER", help="write here; a folder gets all files (else stdout)")


def read_named_packet(args: argparse.Namespace) -> Packet:
    """The packet of the line that the arguments name, by what its quarter rests on. Raises ``InputError``."""
    _check_invoice(args.invoice)

    def ask(client: Client, reading: ContractReading, engine: str) -> Packet:
        grounds = quarter_grounds(client, reading, args.period, engine)
        line = overused_line(grounds.statement, args.product, grounds.reading.country_of(args.country))
        report_grounds(grounds, line)
        return read_packet(client, grounds.reading, grounds.statement, line, args.invoice, grounds.logged)

    return ask_store(args, ask)


def overused_line(statement: Statement, product: str, country: str) -> PooledLine:
    """The line of a product and country. Raises ``InputError`` where there is none, or none that is over-used."""
    place = printable(f"{product} in {country}")
    line = next((one for one in statement.pooled if (one.product, one.country) == (product, country)), None)
    if line is not None and line.overuse:
        return line
    others = [one.model for one in statement.lines if (one.product, one.country) == (product, country)]
    reason = "has no over-use" if line is not None else "has no line"
    if line is None and others:
        reason = f"has no pooled line (only {', '.join(others).replace('_', ' ')})"
    over = [f"{one.product} in {one.country} (by {one.overuse})" for one in statement.pooled if one.overuse]
    remedy = f"Lines with over-use: {printable(', '.join(over))}" if over else "No line of this quarter has over-use"
    raise InputError(place, f"{reason} in {statement.period.name}", remedy)


def _check_invoice(number: str) -> None:
    if printable(number) != number or len(number) > _INVOICE_LENGTH_MAX:
        raise InputError("--invoice", "is no number that can be printed", "Give it as it stands on the invoice")


def warn_of(packet: Packet) -> None:
    """Say on stderr what whoever sends the packet should know."""
    if not packet.invoice:
        report("no --invoice: put its number into the subject before you send the ticket")
    if packet.line.term_licenses == 0:
        report("no term licence is due by this line: there is nothing to ask back")
    elif packet.claimed is None:
        report("the contract has no price for this product: the ticket names no amount")
    machines = _machines_of_one_user(packet)
    if machines >= _SHARED_LOGIN_MIN:
        report(f"one user name counts on {machines} machines at once: a shared login, which the vendor will see too")


def _machines_of_one_user(packet: Packet) -> int:
    """On how many machines the user with the most of them was counted at once, in any over-used slot."""
    seen: dict[tuple[str, int], set[str]] = {}
    for one in packet.evidence:
        for slot_at in one.slots:
            seen.setdefault((one.session.key.user, slot_at), set()).add(one.session.key.machine)
    return max(map(len, seen.values()), default=0)


def write_packet(packet: Packet, args: argparse.Namespace, form: Form | None) -> None:
    """Write the packet where the arguments say, under pseudonyms where they do. Raises ``InputError``."""
    packet = with_pseudonyms(packet) if args.pseudonyms else packet
    words, out = language(args.language), None if args.out is None else Path(args.out)
    if out is None:
        sys.stdout.buffer.write(packet_bytes(packet, form or "text", words))
        return
    try:
        if out.is_dir() or args.out.endswith("/") or (form is None and out.suffix not in _SUFFIXES):
            out.mkdir(parents=True, exist_ok=True)
            for each, name in NAMES.items():
                (out / name).write_bytes(packet_bytes(packet, each, words))
        else:
            out.write_bytes(packet_bytes(packet, form or _SUFFIXES[out.suffix], words))
    except OSError as error:
        raise InputError(
            args.out, f"cannot be written: {error.strerror}", "Give a file or folder to write to"
        ) from error
    report(f"written to {out}")
