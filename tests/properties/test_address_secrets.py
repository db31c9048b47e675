"""Whatever a password holds, no message and nothing that is shown of an address holds a part of it."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.addresses import ServerAddress, store_address
from pipeline.model.errors import InputError

MARK = "hunter"
"""In every part of a password, and in nothing else."""

passwords = st.lists(st.sampled_from("/@?#:&=%+[] \\,.;"), min_size=0, max_size=6).map(
    lambda between: MARK + "".join(f"{character}{MARK}" for character in between)
)
schemes = st.sampled_from(["clickhouse://", "https://", "postgres://", "", "clickhouse:/"])
hosts = st.sampled_from(["db:8123", "[::1]:8123", "db", "db:x", "db:99999", ""])
rests = st.sampled_from(["", "/a", "/a/b", "/a?verify=no", "?secure=1", "#x"])


@given(passwords, schemes, hosts, rests)
def test_a_password_before_the_host_is_neither_shown_nor_quoted(
    password: str, scheme: str, host: str, rest: str
) -> None:
    assert MARK not in said_of(f"{scheme}me:{password}@{host}{rest}")


@given(passwords, st.sampled_from(["password", "access_token", "http_proxy", "secret", "connect_timeout"]), hosts)
def test_a_secret_among_the_options_is_neither_shown_nor_quoted(secret: str, name: str, host: str) -> None:
    assert MARK not in said_of(f"clickhouse://{host}/a?{name}={quote(secret, safe='')}")
    assert MARK not in said_of(f"clickhouse://{host}/a?{name}={secret}")


@given(passwords)
def test_a_password_that_is_encoded_arrives_as_it_is(password: str) -> None:
    address = store_address(f"clickhouse://me:{quote(password, safe='')}@db:8123/a", "X")
    assert isinstance(address, ServerAddress)
    assert (address.password, address.host, address.database) == (password, "db", "a")


def said_of(text: str) -> str:
    try:
        address = store_address(text, "SEATBEAT_CLICKHOUSE_DSN")
    except InputError as refused:
        return str(refused)
    return f"{address.shown} {address!r}"
