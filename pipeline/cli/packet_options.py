"""What the packet of an over-used line needs from the command line: which line, in which form, written where."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from pipeline.application.account_view import AccountView
from pipeline.application.explain.contested_line import contested_line, packet_warnings
from pipeline.cli.option_parser import file_name
from pipeline.cli.program_messages import report
from pipeline.cli.store_options import parse_period
from pipeline.cli.tables.printing import print_bytes
from pipeline.cli.whole_files import not_written, whole_file
from pipeline.codec.packets.language import TONGUES, Language, language
from pipeline.codec.packets.packet_files import NAMES, Form, packet_bytes
from pipeline.codec.reports.letter_records import printable
from pipeline.model.errors import InputError
from pipeline.rules.dispute.packet import Packet
from pipeline.rules.dispute.pseudonyms import with_pseudonyms

_SUFFIXES: Final[dict[str, Form]] = {".txt": "text", ".json": "json", ".csv": "csv", ".html": "html"}
_INVOICE_LENGTH_MAX: Final = 200


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
    parser.add_argument(
        "--out", type=file_name, metavar="FILE|FOLDER", help="write here; a folder gets all files (else stdout)"
    )


def named_packet(view: AccountView, args: argparse.Namespace) -> Packet:
    """The packet of the line that the options name, with what its sender should know said on stderr.

    Raises ``InputError``.
    """
    contested = contested_line(view, args.period, args.product, args.country, args.invoice)
    if contested.change:
        report(contested.change)
    for warning in packet_warnings(contested.packet):
        report(warning)
    return contested.packet


def check_invoice(number: str) -> None:
    """Raises ``InputError`` for an invoice number that a ticket cannot show."""
    if printable(number) != number or len(number) > _INVOICE_LENGTH_MAX:
        raise InputError("--invoice", "is no number that can be printed", "Give it as it stands on the invoice")


def write_packet(packet: Packet, args: argparse.Namespace, form: Form | None) -> None:
    """Write the packet where the arguments say, under pseudonyms where they do. Raises ``InputError``."""
    packet = with_pseudonyms(packet) if args.pseudonyms else packet
    words, out = language(args.language), None if args.out is None else Path(args.out)
    if out is None:
        _print_packet(packet, form or "text", words)
        return
    try:
        with ExitStack() as files:
            for path, file_form in _files(out, args.out, form):
                files.enter_context(whole_file(path)).write(packet_bytes(packet, file_form, words))
    except OSError as error:
        raise not_written(args.out, error) from error
    report(f"written to {out}")


def _files(out: Path, named: str, form: Form | None) -> list[tuple[Path, Form]]:
    """The files to write and the form of each: all of them in a folder, which is made."""
    if out.is_dir() or named.endswith("/") or (form is None and out.suffix not in _SUFFIXES):
        out.mkdir(parents=True, exist_ok=True)
        return [(out / name, file_form) for file_form, name in NAMES.items()]
    return [(out, form or _SUFFIXES[out.suffix])]


def _print_packet(packet: Packet, form: Form, words: Language) -> None:
    """On stdout: a ticket is for people, in the terminal's encoding; the others are documents in UTF-8."""
    content = packet_bytes(packet, form, words)
    if form == "text":
        sys.stdout.write(content.decode())
    else:
        print_bytes(content)
