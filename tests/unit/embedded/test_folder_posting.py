"""A posting into a folder whose store fails is not posted, and says why."""

from __future__ import annotations

from typing import cast

import pytest

from pipeline.application.poster import NotPosted
from pipeline.codec.contract.examination import read_contract
from pipeline.embedded.folder_posting import FolderPoster
from pipeline.store.client import Client, StoreRefused

BODY = b"account: acme\ncountry: CZ\ncurrency: EUR\n"


class FullDisk:
    """A store that refuses everything."""

    def refuse(self, *_: object, **__: object) -> object:
        raise StoreRefused("no space left on device", "DatabaseError")

    command = query = insert_arrow = refuse


def test_what_the_store_refuses_is_not_posted() -> None:
    poster = FolderPoster(cast(Client, FullDisk()), lambda: 1)
    with pytest.raises(NotPosted, match="the store failed: no space left on device"):
        poster.post_contract(read_contract("contract", BODY), BODY, "jana", lambda: True)
