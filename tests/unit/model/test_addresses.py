"""Addresses of stores, brokers and workers: what they are read as, what is refused, and what is shown of them."""

from __future__ import annotations

import pytest

from pipeline.model.addresses import (
    Endpoint,
    FolderAddress,
    ServerAddress,
    broker_addresses,
    listening_address,
    store_address,
)
from pipeline.model.errors import InputError

PLACE = "SEATBEAT_SOMETHING"


def server(text: str) -> ServerAddress:
    address = store_address(text, PLACE)
    assert isinstance(address, ServerAddress)
    return address


@pytest.mark.parametrize(
    ("text", "user", "password", "endpoint", "database"),
    [
        ("clickhouse://127.0.0.1:8123/default", None, None, ("127.0.0.1", 8123), "default"),
        ("clickhouse://db", None, None, ("db", None), None),
        ("clickhouse://db/", None, None, ("db", None), None),
        ("clickhouse://db:8123/a/", None, None, ("db", 8123), "a"),
        ("http://me@db:80/a%20b", "me", None, ("db", 80), "a b"),
        ("https://me:pass:word@[2001:db8::1]:8443/a", "me", "pass:word", ("2001:db8::1", 8443), "a"),
        ("clickhouse://me:p%40ss%2Fw%3F@db:1/a", "me", "p@ss/w?", ("db", 1), "a"),
        ("clickhouse://me:p@ss/w@rd@db:1/a", "me", "p@ss/w@rd", ("db", 1), "a"),
        ("clickhouse://db:1/?user=me&password=p%26w&database=a", "me", "p&w", ("db", 1), "a"),
        (" clickhouse://db:1/a\n", None, None, ("db", 1), "a"),
    ],
)
def test_an_address_of_a_server_is_read_in_its_parts(
    text: str, user: str | None, password: str | None, endpoint: tuple[str, int | None], database: str | None
) -> None:
    address = server(text)
    assert (address.user, address.password) == (user, password)
    assert ((address.host, address.port), address.database) == (endpoint, database)
    assert address.options == {}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("clickhouse://127.0.0.1:8123/default", "clickhouse://127.0.0.1:8123/default"),
        ("clickhouse://me:hunter2@db:8123/a", "clickhouse://me:…@db:8123/a"),
        ("clickhouse://me:@db", "clickhouse://me:…@db"),
        ("clickhouse://me:hunt/er2@hunter2@db/a", "clickhouse://me:…@db/a"),
        ("https://[::1]:8443/a?access_token=hunter2&verify=no", "https://[::1]:8443/a?access_token=…&verify=…"),
        ("clickhouse://db/a?http_proxy=http://me:hunter2@proxy:1", "clickhouse://db/a?http_proxy=…"),
        ("clickhouse://db/a?password=hunter2", "clickhouse://db/a"),
        ("chdb:///var/lib/seatbeat", "chdb:///var/lib/seatbeat"),
        ("chdb:///var/lib/seatbeat?database=b", "chdb:///var/lib/seatbeat?database=b"),
    ],
)
def test_an_address_is_shown_without_what_is_secret(text: str, shown: str) -> None:
    address = store_address(text, PLACE)
    assert address.shown == shown
    assert "hunter2" not in repr(address)


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("chdb:///var/lib/seatbeat", "/var/lib/seatbeat"),
        ("chdb://kept", "kept"),
        ("chdb:kept/it", "kept/it"),
        ("chdb:///a b%20c", "/a b%20c"),
    ],
)
def test_an_address_of_the_embedded_engine_is_a_folder_as_it_is_written(text: str, folder: str) -> None:
    assert store_address(text, PLACE) == FolderAddress(folder)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("db.example:8123/default", "'db.example:8123/default' does not say which kind of store it names"),
        ("", "'' does not say which kind of store it names"),
        ("me:hunter2@db:8123", "'…@db:8123' does not say which kind of store it names"),
        ("postgres://me:hunter2@db:5432/a", "'…@db:5432/a' is no address of ClickHouse but of postgres"),
        ("clickhouses://db", "'db' is no address of ClickHouse but of clickhouses"),
        ("se cret://db", "'db' is no address of ClickHouse"),
        ("clickhouse:///default", "'/default' names no host"),
        ("clickhouse://me:hunter2@/default", "'…@/default' names no host"),
        ("clickhouse://db:x/default", "'db:x' is not host:port (an IPv6 address needs brackets)"),
        ("clickhouse://db:0/default", "'db:0' has a port that is not from 1 to 65,535"),
        ("clickhouse://db:65536", "'db:65536' has a port that is not from 1 to 65,535"),
        ("clickhouse://::1", "'::1' is not host:port (an IPv6 address needs brackets)"),
        ("clickhouse://[::1", "'[::1' is not host:port (an IPv6 address needs brackets)"),
        ("clickhouse://[db]:1", "'[db]:1' has brackets around what is no IPv6 address"),
        ("clickhouse://db/a/b", "'db/a/b' has more than a database behind its host"),
        ("clickhouse://me:hunter2?x@db/a", "has options behind its ? that cannot be read"),
        ("clickhouse://me:hunter2#x@db/a", "holds a #, which ends an address"),
        ("clickhouse://db?secure=yes", "has an option behind its ? that is not one, or is there twice"),
        ("clickhouse://db?verify=a&verify=b", "has an option behind its ? that is not one, or is there twice"),
        ("clickhouse://db?connect_timeout=soon", "has an option connect_timeout that is no whole number"),
        ("clickhouse://me:hunter2@db?password=other", "names its password twice"),
        ("clickhouse://db/a?database=b", "names its database twice"),
        ("clickhouse://d\tb", "holds a control character"),
        ("clickhouse://me%0A@db", "holds a control character"),
        ("clickhouse://d\udce9b", "holds bytes that are not UTF-8"),
        ("chdb:///a\tb", "holds a control character"),
        ("chdb:///a#b", "holds a #, and the embedded engine opens no such folder"),
        ("chdb:///a?path=/b", "has an option behind its ? that is not one, or is there twice"),
        ("chdb://", "names no folder"),
        ("chdb://memory", "names no folder"),
    ],
)
def test_what_is_no_address_of_a_store_is_refused_with_reason_and_remedy(text: str, reason: str) -> None:
    with pytest.raises(InputError) as refused:
        store_address(text, PLACE)
    assert (refused.value.place, refused.value.reason) == (PLACE, reason)
    assert refused.value.remedy
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "brokers"),
    [
        ("127.0.0.1:9092", ["127.0.0.1:9092"]),
        ("one:9092,two:9093", ["one:9092", "two:9093"]),
        (" one , two:1", ["one:9092", "two:1"]),
        ("[2001:db8::1]:9092", ["[2001:db8::1]:9092"]),
    ],
)
def test_brokers_are_read_with_their_ports(text: str, brokers: list[str]) -> None:
    assert [broker.text for broker in broker_addresses(text, PLACE)] == brokers


@pytest.mark.parametrize(
    "text", ["", "one,", ",one", "one:x", "one:99999", "kafka://one:1", "::1", "me:hunter2@one:1", "a b:1", "one/two"]
)
def test_what_is_no_broker_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=PLACE) as refused:
        broker_addresses(text, PLACE)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("127.0.0.1:8080", Endpoint("127.0.0.1", 8080)),
        ("[::1]:8080", Endpoint("::1", 8080)),
        (":8080", Endpoint("", 8080)),
        ("localhost:0", Endpoint("localhost", 0)),
    ],
)
def test_where_to_listen_is_a_host_and_a_port(text: str, endpoint: Endpoint) -> None:
    assert listening_address(text, PLACE) == endpoint


@pytest.mark.parametrize("text", ["8080", "localhost", "localhost:x", "localhost:99999", "::1", "[::1:80", "a:1:2"])
def test_where_nothing_can_listen_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=PLACE):
        listening_address(text, PLACE)
