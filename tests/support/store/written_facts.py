"""Writes facts that a test has as objects, by the statements that the sink uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from pipeline.codec.columns.usage_messages import NO_USAGE, deliveries_table
from pipeline.codec.columns.usage_rows import rows_of_days
from pipeline.codec.topics.usage_frames import Delivery
from pipeline.model.evidence import SessionClose, SessionDay
from pipeline.store import facts
from pipeline.store.client import Client


def write_session_days(client: Client, days: Iterable[SessionDay]) -> None:
    """Merge session days into ``usage_days``."""
    facts.write_usage(client, rows_of_days(days, ()))


def write_closes(client: Client, closes: Iterable[SessionClose]) -> None:
    """Merge closes into ``session_closes``."""
    facts.write_usage(client, rows_of_days((), closes))


def write_deliveries(client: Client, deliveries: Mapping[str, Sequence[Delivery]]) -> None:
    """Merge the deliveries of accounts into ``deliveries``."""
    tables = [deliveries_table(account, delivered) for account, delivered in deliveries.items()]
    facts.write_deliveries(client, pa.concat_tables([NO_USAGE.deliveries, *tables]).unify_dictionaries())
