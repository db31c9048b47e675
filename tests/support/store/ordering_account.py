"""An account in the embedded store with the poster of a folder and a clock that tests advance."""

from __future__ import annotations

from pipeline.application.account_view import AccountView
from pipeline.application.orders.apply_contract import apply_contract, stored_version
from pipeline.application.orders.place_order import Issue, place_order
from pipeline.codec.contract.examination import read_contract
from pipeline.embedded.folder_posting import FolderPoster
from pipeline.model.contracts import Contract
from pipeline.model.orders import Order
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.orders.outcomes import Outcome
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client
from tests.support.evidence.evidence_shorthand import instant
from tests.support.store.empty_stores import new_account

CONTRACT = """\
account: {account}
country: CZ
currency: EUR
products: {{MSTN: {{}}, STAAD: {{}}, ACD: {{}}}}
entitlements:
  - {{product: MSTN, model: pooled, policy: bentley-select, quantity: {quantity}, from: 2022-01-01}}
  - {{product: STAAD, model: practitioner, quantity: 1, from: 2022-01-01}}
  - {{product: ACD, model: flex, daily_rate: 7, from: 2022-01-01}}
token_packs:
  - {{id: P, tokens: 100, purchased_at: 2022-01-10}}
"""


class OrderingAccount:
    """An account with a stored contract, ``text``; its clock advances by a millisecond at each reading."""

    def __init__(self, store: Client, text: str = CONTRACT) -> None:
        self.store, self._text = store, text
        self.account = new_account()
        self.now_ms = instant("2022-07-02 00:00")
        self.contract = self.apply(quantity=1)

    def now(self) -> int:
        self.now_ms += 1
        return self.now_ms

    @property
    def poster(self) -> FolderPoster:
        return FolderPoster(self.store, self.now)

    def apply(self, quantity: int = 1, text: str = "") -> Contract:
        """Apply the contract with a number of seats of MSTN, or another one."""
        body = (text or self._text).format(account=self.account, quantity=quantity).encode()
        contract = read_contract("contract", body)
        before = stored_version(self.store, contract)
        apply_contract(self.store, contract, body, by="jana", before=before, poster=self.poster)
        return contract

    def view(self, client: Client | None = None) -> AccountView:
        """The current view of the account."""
        return AccountView.of(client or self.store, ContractReading(self.contract, metering_catalogue()))

    def issue(self, id_: str, confirmed: str = "") -> Issue:
        return Issue(id_, "jana", self.now(), confirmed)

    def place(self, order: Order, id_: str, confirmed: str = "") -> Outcome:
        return place_order(self.view(), order, self.issue(id_, confirmed), self.poster)
