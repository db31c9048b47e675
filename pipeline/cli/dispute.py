"""``seatbeat dispute``: the packet by which an over-used line is contested with the vendor (RULES 7)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final, Literal, cast

from pipeline import __version__
from pipeline.cli.access import add_store_options, ask_store, parse_period
from pipeline.cli.output import report
from pipeline.codec.letter_reports import printable
from pipeline.codec.packets.files import NAMES, Form, packet_bytes
from pipeline.codec.packets.language import TONGUES, language
from pipeline.model.errors import InputError
from pipeline.model.statement import PooledLine, Statement
from pipeline.rules.dispute import Packet
from pipeline.rules.pseudonyms import with_pseudonyms
from pipeline.rules.reading import ContractReading
from pipeline.store.client import Client
from pipeline.store.disputes import read_packet
from pipeline.store.statements import read_statement

_SUFFIXES: Final[dict[str, Form]] = {".txt": "text", ".json": "json", ".csv": "csv", ".html": "html"}
_INVOICE_LENGTH_MAX: Final = 200
_SHARED_LOGIN_MIN: Final = 4
"""On so many machines at once no single person sits."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "dispute",
        help="the packet by which an over-used line is contested with the vendor",
        description="Makes the ticket, the evidence and a printable page for one over-used line of a statement: who "
        "used it and when, what speaks for whom, and what the line would be without.",
    )
    add_store_options(parser)
    parser.add_argument("--period", type=parse_period, required=True, metavar="2022Q2")
    parser.add_argument("--product", required=True)
    parser.add_argument("--country", default="", help="else the contract's")
    parser.add_argument("--invoice", default="", metavar="NUMBER", help="the vendor's invoice number")
    parser.add_argument("--language", choices=TONGUES, default="en")
    parser.add_argument(
        "--pseudonyms", action="store_true", help="number users, machines and sessions instead of names"
    )
    parser.add_argument("--output", choices=tuple(NAMES), help="else by the ending of --out, else text")
    parser.add_argument("--out", metavar="FILE|FOLDER", help="write here; a folder gets all files (else stdout)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the packet written; what there is to see is said on stderr."""
    _check_invoice(args.invoice)

    def ask(client: Client, reading: ContractReading, engine: str) -> Packet:
        known = cast(Literal["embedded", "server"], engine)
        statement = read_statement(client, reading, args.period, seatbeat=__version__, engine=known)
        line = overused_line(statement, args.product, reading.country_of(args.country))
        return read_packet(client, reading, statement, line, args.invoice)

    packet = ask_store(args, ask)
    _warn(packet)
    write_packet(with_pseudonyms(packet) if args.pseudonyms else packet, args)
    return 0


def overused_line(statement: Statement, product: str, country: str) -> PooledLine:
    """The line of a product and country. Raises ``InputError`` where there is none, or none that is over-used."""
    place = printable(f"{product} in {country}")
    line = next((one for one in statement.pooled if (one.product, one.country) == (product, country)), None)
    if line is not None and line.overuse:
        return line
    reason = "has no over-use" if line is not None else "has no line"
    over = [f"{one.product} in {one.country} (by {one.overuse})" for one in statement.pooled if one.overuse]
    remedy = f"Lines with over-use: {printable(', '.join(over))}" if over else "No line of this quarter has over-use"
    raise InputError(place, f"{reason} in {statement.period.name}", remedy)


def _check_invoice(number: str) -> None:
    if printable(number) != number or len(number) > _INVOICE_LENGTH_MAX:
        raise InputError("--invoice", "is no number that can be printed", "Give it as it stands on the invoice")


def _warn(packet: Packet) -> None:
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


def write_packet(packet: Packet, args: argparse.Namespace) -> None:
    """Write the packet where the arguments say. Raises ``InputError`` where that cannot be."""
    words, out = language(args.language), None if args.out is None else Path(args.out)
    form = cast(Form | None, args.output)
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
