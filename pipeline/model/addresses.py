"""Addresses of the store, of brokers, and of where a worker listens: parsed before anything runs.

No message holds what may be secret: of an address that is refused, only what follows its last ``@`` is quoted, and
nothing where that cannot be relied on; ``shown`` leaves secrets out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Final
from urllib.parse import parse_qsl, unquote

from pipeline.model.errors import InputError
from pipeline.model.text import CONTROL_CHARACTER

DSN_VARIABLE: Final = "SEATBEAT_CLICKHOUSE_DSN"
"""The environment variable that names the store."""
BROKER_PORT: Final = 9092
"""Where a broker listens that is named without a port."""
PORT_MAX: Final = 65_535
STORE_FORMS: Final = "clickhouse://user:secret@host:port/database or chdb:///folder"

_SERVER_SCHEMES: Final = ("clickhouse", "http", "https")
_TEXT_OPTIONS: Final = frozenset(
    {
        "access_token", "ca_cert", "client_cert", "client_cert_key", "client_name", "compress", "http_proxy",
        "https_proxy", "proxy_path", "server_host_name", "tls_mode", "verify",
    }
)  # fmt: skip
_PLACED_OPTIONS: Final = frozenset({"user", "password", "database"})
"""Options that may stand before and behind the host instead."""
_NUMBER_OPTIONS: Final = frozenset({"connect_timeout", "query_limit", "query_retries", "send_receive_timeout"})
_HOST_AND_PORT: Final = re.compile(r"(?:\[(?P<ipv6>[^\[\]\s]+)\]|(?P<name>[^\s:/?#@\[\],]+))(?::(?P<port>[0-9]{1,5}))?")
_ENCODED: Final = "Write % ? and # of a password as %25 %3F and %23"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host and a port. ``host`` is ``''`` for every address of this machine; an IPv6 address has no brackets."""

    host: str
    port: int

    @property
    def text(self) -> str:
        """As it is written in a setting."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class FolderAddress:
    """The embedded engine's store in a folder; ``database`` is ``''`` for the engine's own default."""

    folder: str
    database: str = ""

    @property
    def shown(self) -> str:
        """The address: nothing in it is secret."""
        return f"chdb://{self.folder}" + (f"?database={self.database}" if self.database else "")


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A ClickHouse server's HTTP interface. What is ``None`` or left out is chosen by the client library."""

    scheme: str
    host: str
    port: int | None
    user: str | None
    password: str | None = field(repr=False)
    database: str | None
    options: Mapping[str, str] = field(repr=False)

    @property
    def shown(self) -> str:
        """The address without its password and without the values of its options."""
        secret = "" if self.password is None else ":…"
        user = "" if self.user is None else f"{self.user}{secret}@"
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        database = "" if self.database is None else f"/{self.database}"
        options = "&".join(f"{name}=…" for name in self.options)
        return f"{self.scheme}://{user}{host}{port}{database}{'?' if options else ''}{options}"


StoreAddress = FolderAddress | ServerAddress


def store_address(text: str, place: str) -> StoreAddress:
    """The address of a store. Raises ``InputError`` at ``place``: the variable or option that holds it.

    ``@`` and ``/`` may stand in a password as they are: a host and a database hold neither.
    """
    if text.startswith("chdb:"):
        return _folder_address(text, place)
    text = _readable(text, place)
    scheme, separator, rest = text.partition("://")
    if not separator:
        raise InputError(place, f"{_quoted(text)} does not say which kind of store it names", f"Give {STORE_FORMS}")
    if scheme not in _SERVER_SCHEMES:
        kind = f" but of {scheme}" if re.fullmatch(r"[a-z][a-z0-9+.-]{0,19}", scheme) else ""
        raise InputError(place, f"{_quoted(rest)} is no address of ClickHouse{kind}", f"Give {STORE_FORMS}")
    return _server_address(scheme, rest, place)


def broker_addresses(text: str, place: str) -> tuple[Endpoint, ...]:
    """Brokers, ``host:port`` joined by commas; 9092 where there is no port. Raises ``InputError`` at ``place``."""
    remedy = "Give host:port, several joined by commas, without kafka:// and without passwords"
    parts = [part.strip() for part in _readable(text, place).split(",")]
    if "" in parts:
        raise InputError(place, f"{_quoted(text)} has an empty address beside a comma", remedy)
    try:
        return tuple(_endpoint(part, BROKER_PORT) for part in parts)
    except ValueError as error:
        raise InputError(place, str(error), remedy) from None


def listening_address(text: str, place: str) -> Endpoint:
    """Where to listen, ``host:port``; ``:port`` is every address of this machine, port 0 a free one.

    Raises ``InputError`` at ``place``.
    """
    remedy = "Give host:port, such as 127.0.0.1:8080, or nothing to listen nowhere"
    match = re.fullmatch(r"(?P<host>.*):(?P<port>[0-9]{1,5})", _readable(text, place))
    if match is None:
        raise InputError(place, f"{_quoted(text)} names no port", remedy)
    try:
        port = int(match["port"]) and _port(text, match["port"])
        host = _endpoint(match["host"], 0) if match["host"] else Endpoint("", 0)
    except ValueError as error:
        raise InputError(place, str(error), remedy) from None
    if host.port:
        raise InputError(place, f"{_quoted(text)} has two ports", remedy)
    return Endpoint(host.host, port)


def _readable(text: str, place: str) -> str:
    """The text without spaces around it. Raises ``InputError`` for what no address may hold, encoded or not."""
    text = text.strip()
    if CONTROL_CHARACTER.search(unquote(text)):
        raise InputError(place, "holds a control character", "Write the address without it")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(place, "holds bytes that are not UTF-8", "Write the address in UTF-8") from None
    return text


def _folder_address(text: str, place: str) -> FolderAddress:
    if CONTROL_CHARACTER.search(text):
        raise InputError(place, "holds a control character", "Write the address without it")
    location, _, query = text.removeprefix("chdb:").removeprefix("//").partition("?")
    options = _options(query, {"database"}, place)
    if location in {"", "memory", ":memory:"}:
        raise InputError(place, "names no folder", "Give chdb:///folder")
    if "#" in text:
        raise InputError(place, "holds a #, and the embedded engine opens no such folder", "Choose another folder")
    return FolderAddress(location, options.get("database", ""))


def _server_address(scheme: str, rest: str, place: str) -> ServerAddress:
    head, _, query = rest.partition("?")
    if "#" in rest:
        raise InputError(place, "holds a #, which ends an address", _ENCODED)
    options = _options(query, _TEXT_OPTIONS | _NUMBER_OPTIONS | _PLACED_OPTIONS, place)
    user_and_password, separator, location = head.rpartition("@")
    host_and_port, _, path = location.partition("/")
    database = path.removesuffix("/")
    if "/" in database:
        raise InputError(place, f"{_quoted(rest)} has more than a database behind its host", f"Give {STORE_FORMS}")
    if not host_and_port:
        raise InputError(place, f"{_quoted(rest)} names no host", f"Give {STORE_FORMS}")
    try:
        endpoint = _endpoint(host_and_port, 0)
    except ValueError as error:
        reason = "its host and port cannot be read" if query else str(error)
        raise InputError(place, reason, f"Give {STORE_FORMS}. {_ENCODED}") from None
    user, colon, password = user_and_password.partition(":")
    placed = {
        "user": unquote(user) if separator else None,
        "password": unquote(password) if colon else None,
        "database": unquote(database) or None,
    }
    for name in sorted(_PLACED_OPTIONS & options.keys()):
        if placed[name] is not None:
            raise InputError(place, f"names its {name} twice", f"Leave {name} behind the ? out")
        placed[name] = options.pop(name)
    return ServerAddress(scheme, endpoint.host, endpoint.port or None, options=options, **placed)


def _options(query: str, names: frozenset[str] | set[str], place: str) -> dict[str, str]:
    if not query:
        return {}
    remedy = f"Give NAME=VALUE joined by &, of {', '.join(sorted(names))}"
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise InputError(place, "has options behind its ? that cannot be read", f"{remedy}. {_ENCODED}") from None
    options = dict(pairs)
    if len(options) < len(pairs) or not names >= options.keys():
        raise InputError(place, "has an option behind its ? that is not one, or is there twice", remedy)
    for name in sorted(_NUMBER_OPTIONS & options.keys()):
        if not re.fullmatch(r"[0-9]{1,9}", options[name]):
            raise InputError(place, f"has an option {name} that is no whole number", remedy)
    return options


def _endpoint(text: str, default_port: int) -> Endpoint:
    """Raises ``ValueError`` with a reason."""
    match = _HOST_AND_PORT.fullmatch(text)
    if match is None:
        raise ValueError(f"{_quoted(text)} is not host:port (an IPv6 address needs brackets)")
    if match["ipv6"] is not None:
        try:
            IPv6Address(match["ipv6"])
        except ValueError:
            raise ValueError(f"{_quoted(text)} has brackets around what is no IPv6 address") from None
    port = default_port if match["port"] is None else _port(text, match["port"])
    return Endpoint(match["ipv6"] or match["name"], port)


def _port(text: str, digits: str) -> int:
    if not 0 < int(digits) <= PORT_MAX:
        raise ValueError(f"{_quoted(text)} has a port that is not from 1 to {PORT_MAX:,}")
    return int(digits)


def _quoted(text: str) -> str:
    """An address in a message. A ``?`` or ``#`` may stand in a password, which then has no end that is sure."""
    if {"?", "#"} & set(text):
        return "the address"
    _, at, location = text.rpartition("@")
    return f"'…@{location}'" if at else f"'{text}'"
