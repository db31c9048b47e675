"""ClickHouse's HTTP interface, the reading half: a request's parts, and its body in whatever encoding it comes."""

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

from tests.support.clickhouse.clickhouse_faults import Target

_NOT_SETTINGS: Final = frozenset(
    {
        "buffer_size", "client_protocol_version", "compress", "database", "decompress", "default_format",
        "enable_http_compression", "http_headers_progress_interval_ms", "password", "query", "query_id", "quota_key",
        "role", "send_progress_in_http_headers", "session_check", "session_id", "session_timeout", "user",
        "wait_end_of_query",
    }
)  # fmt: skip
FIELD_BYTES_MAX: Final = 128 * 1024 + 1
"""What a server takes for a field of a form (``http_max_field_value_size``, and one byte past it)."""
_INSERT: Final = re.compile(rb"\s*INSERT\s+INTO\s+(?:TABLE\s+)?([^\s(]+)", re.IGNORECASE)
_INSERT_DATA: Final = re.compile(
    rb"\s*(INSERT\s+INTO\s+(?:TABLE\s+)?[^\s(]+\s*(?:\([^)]*\))?)\s*FORMAT\s+(\w+)[ \t]*(?:\r?\n|$)", re.IGNORECASE
)
_TRAILING_FORMAT: Final = re.compile(rb"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
_ENCODINGS: Final = ("lz4", "zstd", "gzip", "deflate")


class NotServed(Exception):
    """A request for something of ClickHouse's that stands behind no engine here."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a request asks for. ``data`` are rows in ``data_format`` for the insert ``sql``, else ``None``."""

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
    if found := _INSERT.match(sql):
        return "insert", found[1].decode("utf-8", "replace").rsplit(".", 1)[-1].strip('`"')
    return "query", sql.decode("utf-8", "replace")


def query_parameter(query_string: str) -> bytes:
    """The statement, or the beginning of it, that the address itself carries."""
    return dict(parse_qsl(query_string)).get("query", "").encode()


def read_statement(query_string: str, headers: Mapping[str, str], body: bytes, *, read_only: bool) -> Statement:
    """Take a request apart. Raises ``NotServed``."""
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
    if found := _INSERT_DATA.match(whole):
        data, data_format, whole = whole[found.end() :], found[2].decode(), found[1]
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
    """A body in one of the encodings that are negotiated, or as it is."""
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
    """A body out of its encoding; it may hold several frames. Raises ``NotServed``."""
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
    """The text fields of a form: long parameters come in one. External tables are not served."""
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
