"""Denials as records for JSON and CSV."""

from __future__ import annotations

from typing import TypedDict

from pipeline.codec.topics.denial_messages import Denial
from pipeline.model.instants import iso


class DenialRecord(TypedDict):
    at: str
    kind: str
    true: bool | None
    product: str
    feature: str
    user: str
    machine: str
    reason: str
    source: str
    line: int
    id: str


"""One answer of a licence server that gave no licence. ``true`` is ``null`` where it is no denial: for a queue."""


def denial_record(denial: Denial, product: str, is_true: bool | None) -> DenialRecord:
    """A denial under the product its feature counts for."""
    return {
        "at": iso(denial.at),
        "kind": denial.kind,
        "true": is_true,
        "product": product,
        "feature": denial.feature,
        "user": denial.user,
        "machine": denial.machine,
        "reason": denial.detail,
        "source": denial.source,
        "line": denial.line,
        "id": denial.id,
    }
