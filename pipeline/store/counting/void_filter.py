"""Voids in SQL: the only place that translates ``rules/orders/voids.py``, into fragments with bound parameters.

The view ``usage`` (``schemas/clickhouse/0006_commands.sql``) does the same for analysts; a property test holds all
three equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from pipeline.model.instants import Period, day_of
from pipeline.model.statements import VoidEntry
from pipeline.rules.orders.voids import slot_range
from pipeline.store.client import Client, Parameter
from pipeline.store.counting.arrays import array_parameter

_ALWAYS: Final = 2**62
"""Beyond every base slot: a range without a bound."""
_CONCERNS: Final = (
    "void.1 IN ('', session) AND void.2 IN ('', product) AND void.3 IN ('', machine) AND void.4 IN ('', user)"
)
_KIND: Final = "Tuple(String, String, String, String, Int64, Int64)"
_VOIDS: Final = "{voids}"
"""The placeholder for the voids in a fragment."""
_USED_SLOTS: Final = (
    "arrayFilter(used_slot -> NOT arrayExists(void -> toInt64(toUInt16(day)) * 144 + used_slot >= void.5 "
    "AND toInt64(toUInt16(day)) * 144 + used_slot < void.6, "
    f"arrayFilter(void -> {_CONCERNS}, {_VOIDS})), used_slots)"
)
_NOT_VOIDED: Final = f"AND NOT arrayExists(void -> void.1 != '' AND {_CONCERNS}, {_VOIDS})"

_EVIDENCE: Final = (
    "SELECT count() FROM usage_days WHERE account = {account:String} "  # noqa: S608 -- constants
    f"AND arrayExists(void -> {_CONCERNS}, {_VOIDS})"
)


@dataclass(frozen=True, slots=True)
class VoidFilter:
    """How a query over ``usage_days`` leaves voids out. Without voids the query is unchanged.

    ``used_slots`` replaces the column, ``where`` follows the other conditions; ``parameters`` are those of both.
    """

    used_slots: str = "used_slots"
    where: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)

    @classmethod
    def of(cls, voids: Iterable[VoidEntry]) -> VoidFilter:
        """The filter of some voids."""
        bound = [_bound(void) for void in voids]
        if not bound:
            return cls()
        expression, parameters = array_parameter("voids", _KIND, bound)
        return cls(_USED_SLOTS.replace(_VOIDS, expression), _NOT_VOIDED.replace(_VOIDS, expression), parameters)

    def applied_to(self, query: str) -> str:
        """A query with its ``{used_slots}`` and ``{not_voided}`` filled in."""
        return query.replace("{used_slots}", self.used_slots).replace("{not_voided}", self.where)


def has_evidence(client: Client, account: str, void: VoidEntry, period: Period | None = None) -> bool:
    """Whether there is stored evidence of a session that a void concerns, in a period if it is given."""
    expression, parameters = array_parameter("voids", _KIND, [_bound(void)])
    parameters["account"] = account
    query = _EVIDENCE.replace(_VOIDS, expression)
    if period is not None:
        query += " AND day >= toDate({from_day:Int32}) AND day < toDate({until_day:Int32})"
        parameters |= {"from_day": day_of(period.start_at), "until_day": day_of(period.end_at)}
    return client.query(query, parameters).result_rows[0][0] != 0


def _bound(void: VoidEntry) -> tuple[str, str, str, str, int, int]:
    first, until = slot_range(void)
    return (
        void.session, void.product, void.machine, void.user, -1 if first is None else first,
        _ALWAYS if until is None else until,
    )  # fmt: skip
