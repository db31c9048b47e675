"""A first result from a log alone: ``run`` without a contract, ``contract draft``, and the denials of a run."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Final

import pytest

from pipeline.codec.contract.examination import load_contract, read_contract
from tests.integration.conftest import FLEXNET_LOGS
from tests.support.process.processes import ROOT
from tests.support.process.seatbeat_process import Ended, seatbeat

LOGS: Final = ("autodesk-2016-04.log", "autodesk-2022q2.log")
LOG: Final = """\
 7:00:00 (lmgrd) FlexNet Licensing (v11.16.2.0 build 242009 x64_lsb) started on srv1 (linux) (5/3/2022)
 8:00:00 (vd) OUT: "F1" ann@ws-1
 8:00:00 (vd) OUT: "F1_2022" ann@ws-1
 8:25:00 (vd) OUT: "F1" bob@ws-2
 8:25:00 (vd) OUT: "F1_2022" bob@ws-2
 8:30:00 (vd) DENIED: "F1" eve@ws-5  (Licensed number of users already reached. (-4,342))
 8:31:00 (vd) QUEUED: "F1" eve@ws-5
 8:35:00 (vd) DENIED: "F1" cy@ws-3  (Licensed number of users already reached. (-4,342))
 8:41:00 (vd) OUT: "F1" cy@ws-3
 8:45:00 (vd) IN: "F1" bob@ws-2
 8:45:00 (vd) IN: "F1_2022" bob@ws-2
 8:46:00 (vd) DEQUEUED: "F1" eve@ws-5
 8:49:00 (vd) IN: "F1" cy@ws-3
 9:00:00 (vd) IN: "F1" ann@ws-1
 9:00:00 (vd) IN: "F1_2022" ann@ws-1
 9:05:00 (vd) UNSUPPORTED: "F9" (0000 1111 ) ANN@WS-1  (No such feature exists. (-5,346))
19:00:00 (lmgrd) TIMESTAMP 5/3/2022
"""
LICENSE: Final = """\
SERVER srv1 0011aabbccdd 27000
INCREMENT F1 vd 1.0 31-dec-2022 1 ISSUED=1-jan-2022 SIGN="SECRET"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("without-contract")
    (made / "lmgrd.log").write_text(LOG)
    (made / "license.lic").write_text(LICENSE)
    return made


def run(folder: Path, *arguments: str | Path, stdin: bytes = b"") -> Ended:
    return seatbeat(*arguments, temporary=folder / "temporary", stdin=stdin)


def summary(folder: Path, *more: str | Path) -> dict[tuple[str, str], dict[str, Any]]:
    """The features of a log by quarter and name."""
    done = run(folder, "run", "--input", folder / "lmgrd.log", "--format", "flexnet", "--output", "json", *more)
    assert done.status == 0, done.err
    assert done.err == ""
    return {(feature["period"], feature["feature"]): feature for feature in done.json["features"]}


@pytest.fixture(scope="module")
def draft(folder: Path) -> Path:
    """The contract drafted from the log and the licence file."""
    done = run(
        folder, "contract", "draft", "--input", folder / "lmgrd.log", "--license", folder / "license.lic",
        "--account", "lab", "--country", "CZ",
    )  # fmt: skip
    assert done.status == 0, done.err
    assert b"SECRET" not in done.out
    assert b"0011aabbccdd" not in done.out
    (folder / "draft.yaml").write_bytes(done.out)
    return folder / "draft.yaml"


@pytest.fixture(scope="module")
def kept(folder: Path, draft: Path) -> Path:
    """The store of a run under the draft."""
    done = run(
        folder, "run", "--contract", draft, "--input", folder / "lmgrd.log", "--format", "flexnet",
        "--period", "2022Q2", "--output", "json", "--data-dir", folder / "kept",
    )  # fmt: skip
    assert done.status == 0, done.err
    [line] = (line for line in done.json["lines"] if line["product"] == "F1")
    assert (line["entitled"], line["peak"], line["overuse"]) == (1, 2, 1)
    return folder / "kept"


def test_a_log_alone_gives_each_feature_s_use(folder: Path) -> None:
    features = summary(folder)
    assert features["2022Q2", "F1"] == {
        "period": "2022Q2",
        "feature": "F1",
        "peak": 2,
        "peak_slot": "2022-05-03T08:30:00Z",
        "slots_at_peak": 2,
        "slots_counted": 5,
        "users": 3,
        "hours": 1.47,
        "sessions": 3,
        "sessions_under_min_use": 1,
        "true_denials": 1,
    }
    assert features["2022Q2", "F9"]["true_denials"] == 1
    assert set(features) == {("2022Q2", name) for name in ("F1", "F1_2022", "F9")}


def test_a_period_is_that_quarter_alone(folder: Path) -> None:
    assert summary(folder, "--period", "2022Q3") == {}


def test_the_table_says_how_to_go_on(folder: Path) -> None:
    done = run(folder, "run", "--input", folder / "lmgrd.log", "--format", "flexnet")
    text = done.out.decode()
    assert "2022-05-03 08:30" in text
    assert f"contract draft --format flexnet --input {folder / 'lmgrd.log'}" in text
    assert " check contract.yaml" in text


def test_the_summary_as_csv_has_the_same_columns(folder: Path) -> None:
    done = run(folder, "run", "--input", folder / "lmgrd.log", "--format", "flexnet", "--output", "csv")
    rows = [*csv.DictReader(done.out.decode().splitlines())]
    assert [row["feature"] for row in rows] == ["F1", "F1_2022", "F9"]
    assert (rows[0]["peak"], rows[0]["hours"], rows[2]["peak_slot"]) == ("2", "1.47", "")


def test_heartbeats_without_a_contract_are_summed_up_by_product(folder: Path) -> None:
    at = 1_651_564_800_000
    line = (
        b'{"v":1,"account":"%s","product":"MSTN","machine":"pc","user":"u","session":"s",'
        b'"opened_at":%d,"since":%d,"at":%d}'
    )
    lines = b"\n".join([line % (account, at, at, at + 3_600_000) for account in (b"a", b"b")] + [b"no json"])
    arguments = ("run", "--input", "-", "--output", "json")
    done = run(folder, *arguments, stdin=lines)
    assert done.status == 0
    [product] = done.json["features"]
    assert (product["feature"], product["peak"], product["sessions"], product["true_denials"]) == ("MSTN", 1, 2, None)
    assert "-:3: bad_json" in done.err
    assert "2 accounts are summed up together" in done.err
    assert run(folder, *arguments, "--account", "a", stdin=lines).json["features"][0]["sessions"] == 1
    assert run(folder, *arguments, "--strict", stdin=lines).status == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--data-dir", "kept-nowhere"), "--data-dir: keeps what is billed under a contract"),
        (("--timezone", "Nowhere/Land"), "Nowhere/Land"),
    ],
)
def test_what_a_summary_cannot_use_is_refused_with_a_remedy(
    folder: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = run(folder, "run", "--input", folder / "lmgrd.log", "--format", "flexnet", *arguments)
    assert done.status == 2
    assert words in done.err
    assert not (ROOT / "kept-nowhere").exists()


def test_a_log_read_as_heartbeats_names_the_option(folder: Path) -> None:
    done = run(folder, "run", "--input", folder / "lmgrd.log")
    assert done.status == 2
    assert "holds no session" in done.err
    assert "--format" in done.err


def test_a_contract_without_a_period_is_refused(folder: Path, draft: Path) -> None:
    done = run(folder, "run", "--contract", draft, "--input", folder / "lmgrd.log", "--format", "flexnet")
    assert done.status == 2
    assert "--period: is not given" in done.err


def test_a_file_that_is_no_licence_file_is_refused(folder: Path) -> None:
    log = folder / "lmgrd.log"
    done = run(folder, "contract", "draft", "--input", log, "--license", log)
    assert (done.status, done.out) == (2, b"")
    assert "it begins with “7:00:00 (lmgrd)" in done.err


def test_a_draft_passes_the_check(folder: Path, draft: Path) -> None:
    done = run(folder, "check", draft)
    assert done.status == 0, done.out.decode()
    assert "1 pooled" in done.out.decode()


def listed(folder: Path, kept: Path, *more: str) -> list[tuple[str, str, str, bool | None]]:
    done = run(folder, "denials", "--data-dir", kept, "--output", "json", *more)
    assert done.status == 0, done.err
    return [(denial["kind"], denial["feature"], denial["user"], denial["true"]) for denial in done.json]


def test_denials_are_listed_and_true_ones_told_apart(folder: Path, kept: Path) -> None:
    every = [
        ("denied", "F1", "eve", True),
        ("queued", "F1", "eve", None),
        ("denied", "F1", "cy", False),
        ("dequeued", "F1", "eve", None),
        ("unsupported", "F9", "ann", True),
    ]
    assert listed(folder, kept) == every
    assert listed(folder, kept, "--true-only") == [every[0], every[4]]
    assert listed(folder, kept, "--product", "F9") == [every[4]]
    assert listed(folder, kept, "--user", "EVE", "--until", "2022-05-03T08:31:00Z") == [every[0]]
    assert listed(folder, kept, "--from", "2022-05-03T09:05:00Z") == [every[4]]


def test_denials_as_a_table_and_as_csv(folder: Path, kept: Path) -> None:
    table = run(folder, "denials", "--data-dir", kept).out.decode()
    assert "3 denials, 2 of them true" in table
    assert "2 lines of a queue" in table
    rows = [*csv.DictReader(run(folder, "denials", "--data-dir", kept, "--output", "csv").out.decode().splitlines())]
    assert [row["true"] for row in rows] == ["true", "", "false", "", "true"]
    assert rows[0]["reason"] == "Licensed number of users already reached. (-4,342)"
    assert (rows[0]["line"], rows[0]["at"]) == ("6", "2022-05-03T08:30:00Z")


@pytest.mark.parametrize("name", LOGS)
def test_the_draft_of_every_real_log_passes_the_check(name: str, folder: Path, flexnet_logs: Path) -> None:
    done = run(folder, "contract", "draft", "--input", flexnet_logs / name, "--account", "lab", "--country", "CZ")
    assert done.status == 0, done.err
    path = folder / f"{name}.yaml"
    path.write_bytes(done.out)
    assert run(folder, "check", path).status == 0


def test_every_real_log_was_tried(flexnet_logs: Path) -> None:
    assert sorted(path.name for path in FLEXNET_LOGS.iterdir()) == sorted(LOGS)


def test_the_products_of_the_log_of_2022_are_those_of_the_contract_written_by_hand(
    folder: Path, flexnet_logs: Path
) -> None:
    done = run(folder, "contract", "draft", "--input", flexnet_logs / LOGS[1])
    by_hand = load_contract(ROOT / "schemas" / "contracts" / "flexnet-autodesk.yaml").products
    drafted = read_contract("draft", done.out).products
    for code, product in drafted.items():
        assert {old.code for old in product.replaces} <= {old.code for old in by_hand[code].replaces}
    assert set(drafted) == set(by_hand) - {"MAP"}


def test_the_summary_of_the_log_of_2022_has_the_peaks_of_its_statement(folder: Path, flexnet_logs: Path) -> None:
    done = run(folder, "run", "--input", flexnet_logs / LOGS[1], "--format", "flexnet", "--output", "json")
    features = {(each["period"], each["feature"]): each for each in done.json["features"]}
    assert features["2022Q2", "64300ACD_F"]["peak"] == 146
    assert features["2022Q2", "64801INVPROSA_F"]["peak"] == 36
    assert {each["true_denials"] for each in features.values()} == {0}
    assert {period for period, _ in features} == {"2022Q2", "2022Q3"}
