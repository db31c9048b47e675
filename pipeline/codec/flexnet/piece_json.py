"""A piece of a log as JSON, for the store of a folder."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

from pipeline.codec.flexnet.flexnet_log import LogPiece, OpenSession, UnmatchedIn
from pipeline.codec.json_text import json_bytes, parse_json


def piece_json(piece: LogPiece) -> bytes:
    """A piece as one line of JSON."""
    return json_bytes(
        {
            "server": piece.server,
            "first_at": piece.first_at,
            "last_at": piece.last_at,
            "opens": [session._asdict() for session in piece.opens],
            "returns": [asdict(back) for back in piece.returns],
            "ends": [list(end) for end in piece.ends],
        }
    )


def read_piece_json(text: bytes) -> LogPiece:
    """The piece that ``piece_json`` wrote."""
    record = cast(dict[str, Any], parse_json(text))
    return LogPiece(
        server=record["server"],
        first_at=record["first_at"],
        last_at=record["last_at"],
        opens=tuple(OpenSession(**session) for session in record["opens"]),
        returns=tuple(UnmatchedIn(**back) for back in record["returns"]),
        ends=tuple((daemon, at) for daemon, at in record["ends"]),
    )
