"""Explanations of a slot: who counted, who did not, and why (RULES 7)."""

from __future__ import annotations

from pipeline.model.contracts import Contract, CustomPolicy, Entitlement, Product, Replacement
from pipeline.model.evidence import Heartbeat
from pipeline.model.instants import MINUTE_MS
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import sessions
from pipeline.rules.explain.slot_explanation import SlotExplanation, explain_slot, slot_of
from pipeline.rules.explain.uncounted import because, sentence
from pipeline.rules.people.checkouts import TakenOut
from pipeline.rules.people.coverage import Coverage, Covered
from pipeline.rules.pool.reading import ContractReading
from tests.support.evidence.evidence_shorthand import heartbeat, instant
from tests.support.evidence.random_fleets import reading_of

NOON = instant("2022-05-03 12:00")


def reading(policy: str = "bentley-select", quantity: int = 1, *products: Product) -> ContractReading:
    seat = Entitlement(("MSTN",), "CZ", "pooled", policy, quantity, instant("2022-01-01 00:00"), None)
    custom = {"slow": CustomPolicy("slow", "bentley-select", instant("2022-01-01 00:00"), min_use_ms=12 * MINUTE_MS)}
    listed = {product.code: product for product in products}
    return reading_of(Contract("acme", "CZ", "EUR", "", policies=custom, products=listed, entitlements=(seat,)))


def use(
    since: int,
    at: int,
    session: str = "s",
    machine: str = "pc1",
    *,
    user: str = "eva",
    product: str = "MSTN",
    country: str = "",
    usage: str = "production",
) -> Heartbeat:
    """A session from ``since`` to ``at`` minutes after noon."""
    beat = heartbeat(NOON + since * MINUTE_MS, NOON + at * MINUTE_MS, session=session, machine=machine, user=user)
    return beat._replace(product=product, country=country, usage=usage)


def explain(minute: int, *heartbeats: Heartbeat, by: ContractReading | None = None) -> SlotExplanation:
    return explain_slot(by or reading(), "MSTN", "CZ", NOON + minute * MINUTE_MS, sessions(fold(heartbeats)))


def reasons(explained: SlotExplanation) -> dict[str, str]:
    return {left_out.session.key.session: left_out.reason for left_out in explained.uncounted}


def test_a_machine_counts_once_and_shows_all_its_sessions() -> None:
    explained = explain(15, use(1, 30, "a"), use(2, 30, "b", user="petr"), use(3, 30, "c", machine="pc2"))
    assert [(unit.machine, [session.key.session for session in unit.sessions]) for unit in explained.units] == [
        ("pc1", ["a", "b"]),
        ("pc2", ["c"]),
    ]
    assert (explained.count, explained.entitled, explained.overuse, explained.uncounted) == (2, 1, 1, ())


def test_each_session_counts_by_itself_under_a_policy_that_counts_sessions() -> None:
    by = reading("bentley-select-deployed")
    explained = explain(15, use(1, 30, "a"), use(2, 30, "b"), by=by)
    assert [(unit.machine, len(unit.sessions)) for unit in explained.units] == [("pc1", 1), ("pc1", 1)]


def test_an_uncounted_session_is_listed_with_its_reason() -> None:
    explained = explain(
        5,
        use(1, 30, "opening"),
        use(1, 9, "short"),
        use(1, 30, "trial", usage="trial"),
        use(-30, 9, "counts"),
        use(12, 30, "later"),
    )
    assert reasons(explained) == {"opening": "opening_slot", "short": "under_min_use", "trial": "not_production"}
    assert [session.key.session for unit in explained.units for session in unit.sessions] == ["counts"]


def test_an_uncounted_session_is_listed_with_the_instant_from_which_it_would_count() -> None:
    explained = explain(5, use(1, 9, "short"), use(4, 30, "opening"))
    assert {left_out.session.key.session: left_out.counts_from for left_out in explained.uncounted} == {
        "short": NOON + 11 * MINUTE_MS,
        "opening": NOON + 14 * MINUTE_MS,
    }


def test_any_instant_of_a_slot_selects_the_slot() -> None:
    assert {explain(minute, use(1, 30)).slot_at for minute in (10, 15, 19)} == {NOON + 10 * MINUTE_MS}
    assert explain(10, use(1, 30)).slot_at != explain(20, use(1, 30)).slot_at
    slot_at, policy = slot_of(reading("bentley-els"), "MSTN", "CZ", NOON + 1)
    assert (slot_at, policy.name) == (instant("2022-05-03 00:00"), "bentley-els")


def test_sessions_without_use_in_the_slot_are_left_out() -> None:
    asleep = [
        use(1, 12, "a"),
        heartbeat(NOON + MINUTE_MS, NOON + 40 * MINUTE_MS, since=NOON + 31 * MINUTE_MS, session="a"),
    ]
    explained = explain(25, *asleep)
    assert (explained.units, explained.uncounted) == ((), ())


def test_other_products_and_countries_are_left_out() -> None:
    explained = explain(
        15, use(1, 30, "a", product="ORD"), use(1, 30, "b", country="SK"), use(1, 30, "c", country="CZ")
    )
    assert [session.key.session for unit in explained.units for session in unit.sessions] == ["c"]
    assert explained.uncounted == ()


def test_replaced_codes_are_listed_while_they_count_for_the_product() -> None:
    until = Replacement("OLD", None, instant("2022-05-03 00:00"))
    for replacement, count in ((Replacement("OLD"), 1), (until, 0)):
        by = reading("bentley-select", 1, Product("MSTN", replaces=(replacement,)))
        assert explain(15, use(1, 30, product="OLD"), by=by).count == count


def test_a_plug_in_without_an_entitlement_is_left_out() -> None:
    by = reading("bentley-select", 1, Product("MSTN"), Product("PLUG", plugin_of="MSTN"))
    explained = explain_slot(by, "PLUG", "CZ", NOON + 15 * MINUTE_MS, sessions(fold([use(1, 30, product="PLUG")])))
    assert (explained.units, explained.uncounted) == ((), ())


def test_reasons_are_written_as_sentences() -> None:
    policy = reading("slow").policy_at("MSTN", "CZ", NOON)
    assert sentence("under_min_use", policy) == "was in use for less than 12 minutes in all"
    assert sentence("opening_slot", policy) == "was opened in this slot, and counting begins in the next one"
    assert sentence("not_production", policy) == "is not production use, which alone counts"
    assert sentence("counted", policy) == "counts in this slot"


def test_a_covered_session_is_listed_with_the_step_and_the_owner_of_the_seat() -> None:
    covered = Covered([Coverage("MSTN", "CZ", "single_user", "eva", NOON, NOON + 20 * MINUTE_MS)])
    heartbeats = [use(1, 30, "a"), use(1, 30, "b", user="petr"), use(1, 9, "short")]
    explained = explain_slot(
        reading(), "MSTN", "CZ", NOON + 10 * MINUTE_MS, sessions(fold(heartbeats)), covered=covered
    )
    assert [session.key.session for unit in explained.units for session in unit.sessions] == ["b"]
    (left_out,) = explained.uncounted
    assert (left_out.session.key.session, left_out.covered_by) == ("a", "single_user")
    assert because(left_out, explained.policy) == "is covered by the single-user seat of eva"
    later = explain_slot(reading(), "MSTN", "CZ", NOON + 20 * MINUTE_MS, sessions(fold(heartbeats)), covered=covered)
    assert (later.count, [len(unit.sessions) for unit in later.units], later.uncounted) == (1, [2], ())


def test_a_short_session_is_listed_as_short_even_if_it_is_covered() -> None:
    covered = Covered([Coverage("MSTN", "CZ", "named", "eva", NOON, NOON + 20 * MINUTE_MS)])
    explained = explain_slot(reading(), "MSTN", "CZ", NOON, sessions(fold([use(1, 9)])), covered=covered)
    assert [left_out.reason for left_out in explained.uncounted] == ["under_min_use"]


def test_a_checkout_counts_with_its_machine_or_is_covered_by_its_users_seat() -> None:
    checkouts = [
        TakenOut("c1", "MSTN", "CZ", "eva", "pc1", NOON, NOON + 20 * MINUTE_MS),
        TakenOut("c2", "MSTN", "CZ", "petr", "pc2", NOON, NOON + 20 * MINUTE_MS),
        TakenOut("c3", "MSTN", "CZ", "zoe", "pc3", NOON + 20 * MINUTE_MS, NOON + 30 * MINUTE_MS),
        TakenOut("c4", "MSTN", "SK", "zoe", "pc3", NOON, NOON + 30 * MINUTE_MS),
    ]
    covered = Covered([Coverage("MSTN", "CZ", "practitioner", "petr", NOON, NOON + 20 * MINUTE_MS)])
    used = sessions(fold([use(1, 30, "a", user="zoe")]))
    for policy, count in (("bentley-select", 1), ("bentley-select-deployed", 3)):
        by = reading(policy)
        explained = explain_slot(by, "MSTN", "CZ", NOON + 10 * MINUTE_MS, used, covered=covered, checkouts=checkouts)
        assert explained.count == count
        shown = [checkout.id for unit in explained.units for checkout in unit.checkouts]
        assert shown == (["c1"] if count == 1 else ["c1", "c3"])
        assert [(shown.checkout.id, shown.covered_by) for shown in explained.covered_checkouts] == [
            ("c2", "practitioner")
        ]
