"""``seatbeat dispute`` and ``explain --line`` on the store of a run agree with its statement."""

from __future__ import annotations

from typing import Any

from tests.support.evidence.small_world import World


def test_packet_and_explanation_agree_with_the_statements_line(kept: dict[str, Any], world: World) -> None:
    over = [line for line in kept["lines"] if line["overuse"]]
    assert over
    for line in over:
        asked = ("--period", "2022Q2", "--product", line["product"], "--output", "json")
        ended = world.ask("dispute", "kept", *asked, "--invoice", "7")
        assert (ended.status, ended.err) == (0, "")
        assert ended.json["line"] == line
        assert ended.json["statement"]["basis"] == kept["basis"]
        assert {slot["slot"] for slot in ended.json["overused_slots"]} >= set(line["overuse_slots"])
        explained = world.ask(
            "explain", "kept", "--period", "2022Q2", "--line", line["product"], "--output", "json"
        ).json
        assert explained["line"] == line
        assert len(explained["days"]) == line["overuse_days"]


def test_packet_files_with_pseudonyms_contain_no_name(kept: dict[str, Any], world: World) -> None:
    line = next(line for line in kept["lines"] if line["overuse"])
    folder = world.folder / "packet"
    asked = ("--period", "2022Q2", "--product", line["product"], "--pseudonyms", "--out", folder)
    assert world.ask("dispute", "kept", *asked).status == 0
    everything = world.ask("usage", "kept", "--output", "json").json
    text = "".join(path.read_text(encoding="utf-8") for path in folder.iterdir())
    assert "user 1" in text
    assert not {row[name] for row in everything for name in ("user", "machine", "session") if row[name] in text}


def test_a_line_without_overuse_is_refused(kept: dict[str, Any], world: World) -> None:
    line = next(line for line in kept["lines"] if not line["overuse"])
    ended = world.ask("dispute", "kept", "--period", "2022Q2", "--product", line["product"])
    assert (ended.status, ended.out) == (2, b"")
    assert f"{line['product']} in CZ: has no over-use in 2022Q2. Lines with over-use: " in ended.err
