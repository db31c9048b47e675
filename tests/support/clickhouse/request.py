"""Reading half of ClickHouse's HTTP interface: the parts of a request, and bodies in every negotiated encoding."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from typing import Final
from urllib.parse import parse_qsl

import lz4.frame  # type: ignore[import-untyped]  # ships no types
import zstandard

from tests.support.clickhouse.faults import Target

_NOT_SETTINGS: Final = frozenset(
    {
        "buffer_size", "client_protocol_version", "compress", "database", "decompress", "default_format",
        "enable_http_compression", "http_headers_progress_interval_ms", "password", "query", "query_id", "quota_key",
        "role", "send_progress_in_http_headers", "session_check", "session_id", "session_timeout", "user",
        "wait_end_of_query",
    }
)  # fmt: skip
FIELD_BYTES_MAX: Final = 128 * 1024 + 1
"""Largest form field that a server accepts (``http_max_field_value_size``, plus one byte)."""
_INSERT: Final = re.compile(rb"\s*INSERT\s+INTO\s+(?:TABLE\s+)?([^\s(]+)", re.IGNORECASE)
_INSERT_DATA: Final = re.compile(
    rb"\s*(INSERT\s+INTO\s+(?:TABLE\s+)?[^\s(]+\s*(?:\([^)]*\))?)\s*FORMAT\s+(\w+)[ \t]*(?:\r?\n|$)", re.IGNORECASE
)
_TRAILING_FORMAT: Final = re.compile(rb"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
_ENCODINGS: Final = ("lz4", "zstd", "gzip", "deflate")


class NotServed(Exception):
    """A request for a feature of ClickHouse that this interface does not support."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A parsed request. ``data`` are rows in ``data_format`` for the insert ``sql``, else ``None``."""

    sql: bytes
    data: bytes | None
    data_format: str
    parameters: Mapping[str, str]
    settings: Mapping[str, str]
    database: str
    session: str
    query_id: str
    answer_format: str
    names_its_format: bool
    encoding: str


def subject(sql: bytes) -> tuple[Target, str]:
    """An insert and its table, without database and quotes; or a query and its whole text."""
    if insert := _INSERT.match(sql):
        return "insert", insert[1].decode("utf-8", "replace").rsplit(".", 1)[-1].strip('`"')
    return "query", sql.decode("utf-8", "replace")


def query_parameter(query_string: str) -> bytes:
    """The statement, or its beginning, from the query string."""
    return dict(parse_qsl(query_string)).get("query", "").encode()


def read_statement(query_string: str, headers: Mapping[str, str], body: bytes, *, read_only: bool) -> Statement:
    """Parse a request. Raises ``NotServed``."""
    asked = dict(parse_qsl(query_string, keep_blank_values=True))
    body = decompressed(body, headers.get("Content-Encoding", ""))
    content_type = headers.get("Content-Type", "")
    if content_type.startswith("multipart/form-data"):
        asked, body = asked | _form(content_type, body), b""
    if {asked.get("compress"), asked.get("decompress")} & {"1", "true"}:
        raise NotServed("ClickHouse's own block compression")
    sql = asked.get("query", "").encode()
    whole = sql + b"\n" + body if sql and body else sql or body
    data, data_format = None, ""
    if insert := _INSERT_DATA.match(whole):
        data, data_format, whole = whole[insert.end() :], insert[2].decode(), insert[1]
    named = _TRAILING_FORMAT.search(whole)
    settings = {name: value for name, value in asked.items() if _is_setting(name)}
    return Statement(
        sql=whole,
        data=data,
        data_format=data_format,
        parameters={name.removeprefix("param_"): value for name, value in asked.items() if name.startswith("param_")},
        settings=settings | ({"readonly": "2"} if read_only else {}),
        database=asked.get("database", ""),
        session=asked.get("session_id", ""),
        query_id=asked.get("query_id", ""),
        answer_format=named[1].decode() if named else asked.get("default_format", "TabSeparated"),
        names_its_format=named is not None,
        encoding=_negotiated(headers) if asked.get("enable_http_compression") in {"1", "true"} else "",
    )


def compressed(body: bytes, encoding: str) -> bytes:
    """A body in the negotiated encoding; unchanged without an encoding."""
    if encoding == "lz4":
        return bytes(lz4.frame.compress(body))
    if encoding == "zstd":
        return zstandard.ZstdCompressor().compress(body)
    if encoding == "gzip":
        return gzip.compress(body, compresslevel=1)
    if encoding == "deflate":
        return zlib.compress(body, level=1)
    return body


def decompressed(body: bytes, encoding: str) -> bytes:
    """A decoded body; it may hold several compressed frames. Raises ``NotServed``."""
    if encoding == "lz4":
        with lz4.frame.open(io.BytesIO(body)) as frames:
            return bytes(frames.read())
    if encoding == "zstd":
        with zstandard.ZstdDecompressor().stream_reader(body, read_across_frames=True) as stream:
            return stream.read()
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "deflate":
        return zlib.decompress(body)
    if encoding in {"", "identity"}:
        return body
    raise NotServed(f"the encoding {encoding}")


def _negotiated(headers: Mapping[str, str]) -> str:
    accepted = {part.split(";")[0].strip() for part in headers.get("Accept-Encoding", "").split(",")}
    return next((encoding for encoding in _ENCODINGS if encoding in accepted), "")


def _is_setting(name: str) -> bool:
    return name not in _NOT_SETTINGS and not name.startswith("param_")


def _form(content_type: str, body: bytes) -> dict[str, str]:
    """The text fields of a form: clients send long parameters as a form. External tables are not supported."""
    form = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    fields: dict[str, str] = {}
    for part in form.iter_parts():
        name = str(part.get_param("name", "", header="content-disposition"))
        if part.get_filename() is not None:
            raise NotServed(f"the external table {name}")
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes) and len(payload) > FIELD_BYTES_MAX:
            raise NotServed(f"a field as long as {name}: {len(payload)} bytes")
        fields[name] = payload.decode("utf-8") if isinstance(payload, bytes) else ""
    return fields
