"""Every example of ``schemas/examples`` run through what reads it; the outcomes stand in ``examples/*.json`` here."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import orjson
import pytest

from pipeline.agents.consuming import Message
from pipeline.agents.sink import SinkStep
from pipeline.codec.topics import command_messages, denial_messages, ledger_messages
from pipeline.codec.topics.dead_letter_messages import decode as decode_dead_letter
from pipeline.codec.topics.heartbeats import decode
from pipeline.codec.topics.message_keys import encode_key
from pipeline.codec.topics.usage_frames import decode_frame
from pipeline.kafka.topics import COMMANDS, DENIALS, HEARTBEATS_DLQ, USAGE
from pipeline.model.errors import DEAD_LETTER_CODES
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
    """Whether a schema takes a file; one that is no JSON it does not."""
    try:
        return by.is_valid(orjson.loads(path.read_bytes()))
    except orjson.JSONDecodeError:
        return False


def judged(path: Path) -> dict[str, object]:
    """What a file of heartbeats holds; the words in which the JSON reader complains are its own."""
    decoded = decode(path.read_bytes())
    return {
        "heartbeats": [one._asdict() for one in decoded.heartbeats],
        "dead_letters": [
            {
                "index": one.index,
                "account": one.account,
                "code": one.reason.code,
                "field": one.reason.field,
                "detail": "not JSON" if one.reason.code == "bad_json" else one.reason.detail,
            }
            for one in decoded.invalid
        ],
    }


def stored(event: str, path: Path) -> dict[str, object]:
    """What the sink is about to store of a message."""
    step = SinkStep("main")
    step.take(Message(SINK_TOPICS[event], 0, 0, encode_key("acme"), path.read_bytes(), (), AT))
    batch = step.drain()
    return {
        "days": [asdict(day) for day in batch.days],
        "closes": [close._asdict() for close in batch.closes],
        "deliveries": {account: [one._asdict() for one in told] for account, told in batch.deliveries.items()},
        "dead_letters": [asdict(letter) for letter in batch.letters],
        "denials": [asdict(denial) for denial in batch.denials],
        "commands": [asdict(placed) for placed in batch.commands],
    }


def as_json(outcomes: dict[str, object]) -> object:
    return json.loads(json.dumps(outcomes, default=lambda raw: raw.decode("latin-1")))


def test_heartbeats_are_read_as_the_golden_file_says() -> None:
    outcomes: dict[str, object] = {path.name: judged(path) for path in paths("valid", "heartbeat")}
    assert as_json(outcomes) == json.loads((GOLDEN / "heartbeat.valid.json").read_text(encoding="utf-8"))


def test_invalid_heartbeats_become_the_dead_letters_the_golden_file_says() -> None:
    outcomes: dict[str, object] = {path.name: judged(path) for path in paths("invalid", "heartbeat")}
    assert as_json(outcomes) == json.loads((GOLDEN / "heartbeat.invalid.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("event", SINK_TOPICS)
def test_messages_are_stored_as_the_golden_file_says(event: str) -> None:
    outcomes: dict[str, object] = {path.name: stored(event, path) for path in paths("valid", event)}
    assert as_json(outcomes) == json.loads((GOLDEN / f"{event}.valid.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", paths("valid", "ledger-entry"), ids=name)
def test_a_posting_is_read_and_written_again_as_it_stands(path: Path) -> None:
    assert orjson.loads(ledger_messages.encode(ledger_messages.decode(path.read_bytes()))) == orjson.loads(
        path.read_bytes()
    )


@pytest.mark.parametrize("path", paths("invalid", "heartbeat"), ids=name)
def test_an_invalid_heartbeat_gives_the_code_in_its_name_and_nothing_else(path: Path) -> None:
    assert {one.reason.code for one in decode(path.read_bytes()).invalid} == {path.name.split(".")[0]}


def test_every_dead_letter_code_has_an_example() -> None:
    assert {path.name.split(".")[0] for path in paths("invalid", "heartbeat")} == set(DEAD_LETTER_CODES)
    assert sorted(_codes_of_the_schema()) == sorted(DEAD_LETTER_CODES)


def _codes_of_the_schema() -> list[str]:
    schema = json.loads((EXAMPLES.parent / "events" / "dead-letter.v1.schema.json").read_text(encoding="utf-8"))
    codes: list[str] = schema["properties"]["code"]["enum"]
    return codes


@pytest.mark.parametrize("path", paths("invalid", *SINK_TOPICS, "ledger-entry"), ids=name)
def test_a_message_that_no_part_of_seatbeat_wrote_is_refused_by_its_reader(path: Path) -> None:
    with pytest.raises(ValueError, match=r"."):
        READERS[path.parent.parent.name](path.read_bytes())


@pytest.mark.parametrize("path", paths("valid", *VALIDATORS), ids=name)
def test_the_schema_takes_every_valid_example(path: Path) -> None:
    assert accepts(VALIDATORS[path.parent.parent.name], path)


@pytest.mark.parametrize("path", paths("invalid", *VALIDATORS), ids=name)
def test_the_schema_refuses_every_invalid_example_but_for_what_it_states_in_words(path: Path) -> None:
    in_words = path.name.startswith(ONLY_IN_WORDS)
    assert accepts(VALIDATORS[path.parent.parent.name], path) == in_words


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_a_schema_says_what_it_describes_and_names_itself(path: Path) -> None:
    schema = json.loads(path.read_text(encoding="utf-8"))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:seatbeat:{path.name.removesuffix('.v1.schema.json')}:1"
    assert schema["title"]
    assert schema["description"].endswith(".")
    for example in schema.get("examples", []):
        assert validator(path).is_valid(example)


def test_the_limits_that_the_heartbeat_schema_tells_are_those_of_the_program() -> None:
    text = (EXAMPLES.parent / "events" / "heartbeat.v1.schema.json").read_text(encoding="utf-8")
    assert f"{SPAN_MS:,} ms" in text
