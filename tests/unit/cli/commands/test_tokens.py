"""``seatbeat tokens``: requests that it refuses before it opens a store."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import pytest

from pipeline.cli.commands import tokens
from pipeline.model.errors import InputError


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    tokens.add_parser(parser.add_subparsers())
    args = parser.parse_args(["tokens", *arguments])
    declared: Callable[[argparse.Namespace], int] = args.run
    return declared(args)


@pytest.mark.parametrize(
    ("arguments", "place", "code"),
    [
        (("buy", "--tokens", "0"), "--tokens", "no_tokens"),
        (("buy", "--tokens", "-5"), "--tokens", "no_tokens"),
        (("buy", "--tokens", "5", "--packs", "5", "0"), "--packs", "no_tokens"),
        (("buy", "--tokens", "500", "--packs", "200", "200"), "--packs", "no_sum"),
        (("credit", "--tokens", "0", "--reason", "x"), "--tokens", "no_tokens"),
        (("buy", "--tokens", "5", "--id", "b1"), "--purchased-at", "is not given"),
        (("ledger", "--from", "2022-07-01", "--until", "2022-06-01"), "--until", "is not after --from"),
        (("explain", "--entry", "e", "--user", "eva"), "--entry", "goes with nothing else"),
        (("explain", "--entry", "e", "--from", "2022-06-01"), "--entry", "goes with nothing else"),
    ],
)
def test_invalid_requests_are_refused_with_place_code_and_remedy(
    arguments: tuple[str, ...], place: str, code: str
) -> None:
    with pytest.raises(InputError, match=code) as refused:
        run(*arguments, "--data-dir", "nowhere")
    assert str(refused.value).startswith(f"{place}: ")
    assert refused.value.remedy
