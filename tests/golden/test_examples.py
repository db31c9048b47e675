"""Every example of ``schemas/examples`` is read by its reader; the expected outcomes are in ``examples/*.json``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import orjson
import pytest

from pipeline.agents.consuming import Message
from pipeline.agents.sink import SinkStep
from pipeline.codec.columns.usage_rows import closes, session_days
from pipeline.codec.topics import command_messages, denial_messages, ledger_messages
from pipeline.codec.topics.dead_letter_messages import decode as decode_dead_letter
from pipeline.codec.topics.heartbeats import decode
from pipeline.codec.topics.message_keys import encode_key
from pipeline.codec.topics.usage_frames import Delivery, decode_frame
from pipeline.kafka.topics import COMMANDS, DENIALS, HEARTBEATS_DLQ, USAGE
from pipeline.model.errors import DEAD_LETTER_CODES, LICENCE_LOG_CODES
from tests.support.agents.step_messages import rows_in
from tests.support.evidence.frame_members import AT, SPAN_MS
from tests.support.evidence.schema_examples import (
    DISPUTE,
    DISPUTES,
    EXAMPLES,
    LINE_EXPLANATION,
    SCHEMAS,
    Validator,
    event_validator,
    examples,
    validator,
)

GOLDEN = Path(__file__).parent / "examples"
SINK_TOPICS = {"usage": USAGE, "dead-letter": HEARTBEATS_DLQ, "denial": DENIALS, "command": COMMANDS}
READERS = {
    "usage": decode_frame,
    "dead-letter": decode_dead_letter,
    "denial": denial_messages.decode,
    "command": command_messages.decode,
    "ledger-entry": ledger_messages.decode,
}
VALIDATORS = {
    "heartbeat": event_validator("heartbeats"),
    **{event: event_validator(event) for event in SINK_TOPICS},
    "dispute": validator(DISPUTE),
    "disputes": validator(DISPUTES),
    "line-explanation": validator(LINE_EXPLANATION),
    "ledger-entry": event_validator("ledger-entry"),
    "statement": validator(SCHEMAS[-1]),
}
ONLY_IN_WORDS = ("span_too_long", "times_out_of_order", "in_words")
"""What JSON Schema cannot say: the schema states it in its description."""


def paths(kind: str, *events: str) -> list[Path]:
    return [path for event in events for path in examples(event, kind)]


def name(path: Path) -> str:
    return str(path.relative_to(EXAMPLES))


def accepts(by: Validator, path: Path) -> bool:
    """Whether a schema accepts a file; a file that is not JSON is refused."""
    try:
        return by.is_valid(orjson.loads(path.read_bytes()))
    except orjson.JSONDecodeError:
        return False


def judged(path: Path) -> dict[str, object]:
    """The decoded heartbeats of a file; the JSON parser's own messages are replaced."""
    decoded = decode(path.read_bytes())
    return {
        "heartbeats": [heartbeat._asdict() for heartbeat in decoded.heartbeats],
        "dead_letters": [
            {
                "index": invalid.index,
                "account": invalid.account,
                "code": invalid.reason.code,
                "field": invalid.reason.field,
                "detail": "not JSON" if invalid.reason.code == "bad_json" else invalid.reason.detail,
            }
            for invalid in decoded.invalid
        ],
    }


def stored(event: str, path: Path) -> dict[str, object]:
    """What the sink stores for a message."""
    step = SinkStep("main")
    step.take(Message(SINK_TOPICS[event], 0, 0, encode_key("acme"), path.read_bytes(), (), AT))
    batch = step.drain()
    deliveries: dict[str, list[object]] = {}
    for account, *place in rows_in(batch.usage.deliveries):
        deliveries.setdefault(account, []).append(Delivery(*place)._asdict())
    return {
        "days": [asdict(day) for day in session_days(batch.usage.rows)],
        "closes": [close._asdict() for close in closes(batch.usage.rows)],
        "deliveries": deliveries,
        "dead_letters": [asdict(letter) for letter in batch.letters],
        "denials": [asdict(denial) for denial in batch.denials],
        "commands": [asdict(placed) for placed in batch.commands],
    }


def as_json(outcomes: dict[str, object]) -> object:
    return json.loads(json.dumps(outcomes, default=lambda raw: raw.decode("latin-1")))


def test_heartbeats_match_the_golden_file() -> None:
    outcomes: dict[str, object] = {path.name: judged(path) for path in paths("valid", "heartbeat")}
    assert as_json(outcomes) == json.loads((GOLDEN / "heartbeat.valid.json").read_text(encoding="utf-8"))


def test_dead_letters_of_invalid_heartbeats_match_the_golden_file() -> None:
    outcomes: dict[str, object] = {path.name: judged(path) for path in paths("invalid", "heartbeat")}
    assert as_json(outcomes) == json.loads((GOLDEN / "heartbeat.invalid.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("event", SINK_TOPICS)
def test_stored_messages_match_the_golden_file(event: str) -> None:
    outcomes: dict[str, object] = {path.name: stored(event, path) for path in paths("valid", event)}
    assert as_json(outcomes) == json.loads((GOLDEN / f"{event}.valid.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", paths("valid", "ledger-entry"), ids=name)
def test_a_posting_survives_a_round_trip(path: Path) -> None:
    assert orjson.loads(ledger_messages.encode(ledger_messages.decode(path.read_bytes()))) == orjson.loads(
        path.read_bytes()
    )


@pytest.mark.parametrize("path", paths("invalid", "heartbeat"), ids=name)
def test_an_invalid_heartbeat_has_the_code_in_its_file_name(path: Path) -> None:
    assert {invalid.reason.code for invalid in decode(path.read_bytes()).invalid} == {path.name.split(".")[0]}


def test_every_dead_letter_code_has_an_example() -> None:
    assert {path.name.split(".")[0] for path in paths("invalid", "heartbeat")} == set(
        DEAD_LETTER_CODES
    ) - LICENCE_LOG_CODES
    assert sorted(_codes_of_the_schema()) == sorted(DEAD_LETTER_CODES)


def _codes_of_the_schema() -> list[str]:
    schema = json.loads((EXAMPLES.parent / "events" / "dead-letter.v1.schema.json").read_text(encoding="utf-8"))
    codes: list[str] = schema["properties"]["code"]["enum"]
    return codes


@pytest.mark.parametrize("path", paths("invalid", *SINK_TOPICS, "ledger-entry"), ids=name)
def test_a_foreign_message_is_refused_by_its_reader(path: Path) -> None:
    with pytest.raises(ValueError, match=r"."):
        READERS[path.parent.parent.name](path.read_bytes())


@pytest.mark.parametrize("path", paths("valid", *VALIDATORS), ids=name)
def test_the_schema_accepts_every_valid_example(path: Path) -> None:
    assert accepts(VALIDATORS[path.parent.parent.name], path)


@pytest.mark.parametrize("path", paths("invalid", *VALIDATORS), ids=name)
def test_the_schema_refuses_every_invalid_example_except_rules_stated_in_words(path: Path) -> None:
    in_words = path.name.startswith(ONLY_IN_WORDS)
    assert accepts(VALIDATORS[path.parent.parent.name], path) == in_words


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_a_schema_has_a_description_and_an_id(path: Path) -> None:
    schema = json.loads(path.read_text(encoding="utf-8"))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:seatbeat:{path.name.removesuffix('.v1.schema.json')}:1"
    assert schema["title"]
    assert schema["description"].endswith(".")
    for example in schema.get("examples", []):
        assert validator(path).is_valid(example)


def test_the_limits_in_the_heartbeat_schema_are_those_of_the_program() -> None:
    text = (EXAMPLES.parent / "events" / "heartbeat.v1.schema.json").read_text(encoding="utf-8")
    assert f"{SPAN_MS:,} ms" in text
