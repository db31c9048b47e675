"""Denials read back from a store, and the true ones told apart by the sessions that are stored."""

from __future__ import annotations

from pipeline.application.account_view import AccountView
from pipeline.application.denial_reading import judged_denials
from pipeline.codec.topics.denial_messages import Denial, DenialKind
from pipeline.model.contracts import Contract, Product, Replacement
from pipeline.model.evidence import SessionClose, SessionKey
from pipeline.model.instants import EARLIEST_AT, LATEST_AT, MINUTE_MS
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.evidence.merge import fold
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client
from pipeline.store.facts import write_denials
from tests.support.evidence.evidence_shorthand import heartbeat, instant
from tests.support.store.empty_stores import new_account
from tests.support.store.written_facts import write_closes, write_session_days

DENIED_AT = instant("2022-05-03 09:00")


def denial(
    account: str, user: str, kind: DenialKind = "denied", feature: str = "ACD_2022", at: int = DENIED_AT
) -> Denial:
    return Denial(account, f"{user}-{kind}-{feature}-{at}", kind, at, feature, user, "pc1", "none free", "a.log", 7)


def checked_out(store: Client, account: str, user: str, since: str, at: str, feature: str = "ACD_2022") -> None:
    use = heartbeat(
        instant(f"2022-05-03 {since}"),
        instant(f"2022-05-03 {at}"),
        account=account,
        product=feature,
        machine="pc2",
        user=user,
    )
    write_session_days(store, fold([use]))


def judged(store: Client, account: str, **options: str | bool) -> dict[str, bool | None]:
    """Whether each user's denial is true."""
    product = Product("ACD", replaces=(Replacement("ACD_2022"),))
    reading = ContractReading(
        Contract(account, "CZ", "EUR", "sha256:0", products={"ACD": product}), metering_catalogue()
    )
    denials = judged_denials(AccountView.of(store, reading), from_at=EARLIEST_AT, until_at=LATEST_AT, **options)  # type: ignore[arg-type]  # options of several types
    assert {each.product for each in denials} <= {"ACD", "MAYA"}
    return {each.denial.user: each.is_true for each in denials}


def test_a_denial_is_true_where_its_user_had_no_checkout_of_the_feature_within_ten_minutes_after_it(
    store: Client,
) -> None:
    account = new_account()
    write_denials(
        store, [denial(account, user) for user in ("never", "at-once", "in-time", "late", "open", "other", "brief")]
    )
    checked_out(store, account, "at-once", "09:00:00", "09:30:00")
    checked_out(store, account, "in-time", "09:10:00", "09:30:00")
    checked_out(store, account, "late", "09:10:01", "09:30:00")
    checked_out(store, account, "open", "08:00:00", "09:30:00")
    checked_out(store, account, "other", "09:01:00", "09:30:00", feature="MAYA")
    brief = SessionKey(account, "ACD_2022", "", "production", "pc2", "brief", "s")
    write_closes(store, [SessionClose(brief, DENIED_AT + 2 * MINUTE_MS)])
    assert judged(store, account) == {
        "never": True, "at-once": False, "in-time": False, "late": True, "open": True, "other": True, "brief": False,
    }  # fmt: skip


def test_a_queue_is_listed_and_is_no_denial(store: Client) -> None:
    account = new_account()
    write_denials(
        store, [denial(account, "a", "queued"), denial(account, "b", "dequeued"), denial(account, "c", "unsupported")]
    )
    assert judged(store, account) == {"a": None, "b": None, "c": True}
    assert judged(store, account, true_only=True) == {"c": True}


def test_denials_are_selected_by_product_feature_and_user(store: Client) -> None:
    account = new_account()
    write_denials(store, [denial(account, "a"), denial(account, "a"), denial(account, "b", feature="MAYA")])
    assert judged(store, account, product="ACD") == {"a": True}
    assert judged(store, account, product="ACD_2022") == {"a": True}
    assert judged(store, account, product="MAYA") == {"b": True}
    assert judged(store, account, user="b") == {"b": True}
    assert judged(store, new_account()) == {}
