"""Pieces of licence servers' logs: what a later run must know of the sessions that an earlier run left open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, cast

import pyarrow as pa

from pipeline.codec.flexnet.flexnet_log import LogPiece
from pipeline.codec.flexnet.piece_json import piece_json, read_piece_json
from pipeline.store.arrow_inserts import INSTANT, insert_rows
from pipeline.store.client import Client

_PIECES: Final = pa.schema(
    {
        "account": pa.string(), "log": pa.string(), "server": pa.string(), "first_at": INSTANT, "last_at": INSTANT,
        "body": pa.string(),
    }
)  # fmt: skip


def write_log_pieces(client: Client, account: str, log: str, pieces: Iterable[LogPiece]) -> None:
    """Keep the pieces of one run's log; the same ones again replace themselves."""
    rows = (
        (account, log, piece.server, piece.first_at, piece.last_at, piece_json(piece).decode("utf-8"))
        for piece in pieces
    )
    insert_rows(client, "licence_log_pieces", _PIECES, rows)


def read_log_pieces(client: Client, account: str) -> Iterator[LogPiece]:
    """Every piece that earlier runs kept of an account's licence servers, in no order."""
    rows = client.query(
        "SELECT body FROM licence_log_pieces FINAL WHERE account = {account:String}", {"account": account}
    ).result_rows
    return (read_piece_json(cast(str, body).encode("utf-8")) for (body,) in rows)
