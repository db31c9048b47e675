"""The commands and a line about each, so that they can be listed without loading any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

COMMANDS: Final[Mapping[str, str]] = {
    "demo": "everything embedded, on a sample fleet: start here",
    "run": "meter files and print the statement",
    "statement": "the statement of a quarter from stored usage",
    "close": "freeze the statement of a quarter",
    "usage": "who used what, when, and for how long",
    "denials": "what a licence server refused, and what stayed refused",
    "explain": "the machines, users and sessions behind an amount or a count",
    "silent": "machines whose evidence may still be missing",
    "contract": "apply a contract, list its versions, or draft one from a log",
    "assign": "give a user a seat, or the seat of another user",
    "release": "take the seat of a user back",
    "checkout": "take a licence offline for one user and machine",
    "checkin": "give a licence that was taken offline back early",
    "void": "leave a session, or a machine or user over a range, out of every count; or undo that",
    "tokens": "token packs: buy, balance, ledger, why a charge, how long they last",
    "audit": "recompute the token ledger, and a quarter's lines, and compare",
    "commands": "an account's orders in log order, and what became of each",
    "dispute": "contest an over-used line with the vendor: the packet, and a record of what became of it",
    "dead-letters": "evidence that could not be used: list, show, replay",
    "check": "validate a contract",
    "simulate": "write the heartbeats of a seeded fleet of any size",
    "worker": "run agents until they are told to stop",
    "migrate": "create topics, tables and views that are not there yet",
    "settings": "every SEATBEAT_* variable, its value now, and what it means",
}
