"""Documents name what exists: links, paths, commands, settings, metrics, codes, and the file of each rule."""

from __future__ import annotations

import argparse
import ast
import json
import re
import shlex
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NoReturn

import pytest

from pipeline.agents.health.metrics import METRIC_NAMES
from pipeline.cli.main import main
from pipeline.kafka.settings import PREFIX
from pipeline.model.errors import DEAD_LETTER_CODES
from tests.bench.report import between_marks, headline
from tests.support.documents import ROOT, SETTINGS, settings_page, settings_table

README: Final = ROOT / "README.md"
CONTRIBUTING: Final = ROOT / "CONTRIBUTING.md"
README_LINES_MAX: Final = 150
DOCUMENTS: Final = tuple(
    sorted(
        path
        for pattern in ("*.md", "docs/**/*.md", "pipeline/**/README.md", "tests/**/README.md", "schemas/README.md")
        for path in ROOT.glob(pattern)
    )
)
FOR_USERS: Final = (README, *sorted((ROOT / "docs" / "use").glob("*.md")))
ALL: Final = [pytest.param(path, id=str(path.relative_to(ROOT))) for path in DOCUMENTS]

RULES: Final = {
    "merge": ("evidence/merge.py", "merg"),
    "35-day span": ("evidence/span_limit.py", "35 days"),
    "min use": ("pool/min_use.py", "min use"),
    "opening slot": ("pool/opening_slot.py", "opening"),
    "term licences": ("pool/term_licenses.py", "term licence"),
    "percentage price": ("pool/percentage_price.py", "percentage"),
    "practitioner lock": ("people/practitioner_lock.py", "lock"),
    "latest assignments lose": ("people/latest_assignments_lose.py", "latest assignments lose"),
    "checkout counts": ("people/checkout_counts.py", "checkout"),
    "pack order": ("tokens/pack_order.py", "packs"),
    "hold before settling": ("tokens/settling_hold.py", "hold"),
    "completeness": ("statement/completeness.py", "complete"),
}
"""Each rule, its file under ``pipeline/rules``, and the words by which the file's docstring names it."""

_FENCE: Final = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_SHELL: Final = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_CODE: Final = re.compile(r"`([^`\n]+)`")
_PATH: Final = re.compile(r"[\w.*-]+(/[\w.*-]+)*/?")
_FILE: Final = re.compile(r"\.(py|md|ya?ml|sql|json|toml|sh|css)$")
_PLACEHOLDER: Final = ("NNNN", "vN", ".venv", ".cache", ".git")


def prose(document: Path) -> str:
    return _FENCE.sub("", document.read_text(encoding="utf-8"))


def test_the_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= README_LINES_MAX


@pytest.mark.parametrize("document", ALL)
def test_every_relative_link_leads_to_a_file_and_a_heading(document: Path) -> None:
    broken = []
    for target in _LINK.findall(prose(document)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (document.parent / name).resolve() if name else document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert not broken


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as forges make them."""
    headings = re.findall(r"^#+ +(.+?) *$", prose(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", ALL)
def test_every_path_in_backticks_exists(document: Path) -> None:
    """A path is relative to the repository, to `pipeline/`, or to the document's folder; `*` stands for any name."""
    bases = (ROOT, ROOT / "pipeline", document.parent)
    assert not [path for path in paths_named(document, bases) if not any(exists(base, path) for base in bases)]


def paths_named(document: Path, bases: Sequence[Path]) -> Iterator[str]:
    for code in _CODE.findall(prose(document)):
        path = code.removeprefix("./").split("::")[0]
        if not _PATH.fullmatch(path) or any(part in path for part in _PLACEHOLDER):
            continue
        first = path.split("/")[0]
        if _FILE.search(path) or ("/" in path and any((base / first).is_dir() for base in bases)):
            yield path


def exists(base: Path, path: str) -> bool:
    return any(base.glob(path)) if "*" in path else (base / path).exists()


@pytest.mark.parametrize("folder", ["docs/use", "docs/operate", "docs/decisions"])
def test_the_index_of_a_folder_lists_every_page(folder: str) -> None:
    pages = {page.name for page in (ROOT / folder).glob("*.md")} - {"README.md"}
    assert set(_LINK.findall((ROOT / folder / "README.md").read_text(encoding="utf-8"))) >= pages


class Parsed(Exception):
    """The arguments were accepted; nothing was run."""


@pytest.fixture
def parse_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line ends as soon as its arguments have been parsed."""
    parse_args = argparse.ArgumentParser.parse_args

    def parse(parser: argparse.ArgumentParser, args: Sequence[str] | None, namespace: argparse.Namespace) -> NoReturn:
        parse_args(parser, args, namespace)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse)


def shell_commands() -> Iterator[tuple[str, list[str]]]:
    """Every `seatbeat` command of a shell block in the documents for users and operators."""
    for document in (*FOR_USERS, *sorted((ROOT / "docs" / "operate").glob("*.md")), CONTRIBUTING):
        for block in _SHELL.findall(document.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line.partition(" > ")[0], comments=True)  # where output goes is the shell's affair
                if words and words[0].endswith("seatbeat"):
                    yield f"{document.relative_to(ROOT)}: {' '.join(words[1:])}", words[1:]


@pytest.mark.usefixtures("parse_only")
@pytest.mark.parametrize("arguments", [pytest.param(arguments, id=name) for name, arguments in shell_commands()])
def test_every_command_in_a_document_is_accepted_by_the_parser(arguments: list[str]) -> None:
    with pytest.raises(Parsed):
        main(arguments)


@pytest.mark.parametrize("document", ALL)
def test_every_command_named_in_the_text_exists(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    named = {
        tuple(match[1].split())
        for match in re.finditer(r"`(?:\.venv/bin/)?seatbeat ([a-z-]+(?: [a-z]+)?)\b", prose(document))
    }
    unknown = [words for words in sorted(named) if not (shows_help(words) or shows_help(words[:1]))]
    capsys.readouterr()
    assert not unknown


def shows_help(words: Sequence[str]) -> bool:
    try:
        main([*words, "--help"])
    except SystemExit as end:
        return end.code == 0
    return False


def test_the_settings_page_is_what_the_command_prints() -> None:
    page = SETTINGS.read_text(encoding="utf-8")
    assert page == settings_page(page), "write it anew with `python -m tests.support.documents`"


@pytest.mark.parametrize("document", ALL)
def test_every_variable_in_a_document_is_a_setting(document: Path) -> None:
    if document.name == "CHANGELOG.md":
        return  # it names settings that came and went
    named = set(re.findall(rf"{PREFIX}[A-Z_]+[A-Z]", document.read_text(encoding="utf-8")))
    settings = set(re.findall(rf"{PREFIX}[A-Z_]+[A-Z]", settings_table()))
    assert named - settings <= {"SEATBEAT_CLICKHOUSE_PASSWORD"}  # of compose


def test_the_table_of_metrics_is_the_closed_list() -> None:
    text = (ROOT / "docs" / "operate" / "health-and-metrics.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(seatbeat_\w+)` ", text, re.MULTILINE) == list(METRIC_NAMES)


def test_the_table_of_dead_letter_codes_is_the_closed_list() -> None:
    text = (ROOT / "docs" / "use" / "dead-letters.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(DEAD_LETTER_CODES)


@pytest.mark.parametrize("document", [README, ROOT / "docs" / "benchmarks.md"], ids=["README", "benchmarks"])
def test_the_headline_is_that_of_the_last_benchmark(document: Path) -> None:
    figures = json.loads((ROOT / "bench" / "results.json").read_bytes())["figures"]
    assert between_marks(document.read_text(encoding="utf-8")).startswith(headline(figures))


def test_contributing_names_the_file_of_each_of_twelve_rules() -> None:
    text = CONTRIBUTING.read_text(encoding="utf-8").split("## Where a rule goes")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| ([\w -]+?) \| `pipeline/rules/([\w/.]+)` \|", text, re.MULTILINE))
    assert rows == {rule: file for rule, (file, _) in RULES.items()}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_one_file_whose_docstring_names_it(rule: str) -> None:
    file, words = RULES[rule]
    path = ROOT / "pipeline" / "rules" / file
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    assert words in " ".join(docstring.lower().split())


@pytest.mark.parametrize(
    "record", [pytest.param(path, id=path.stem) for path in sorted((ROOT / "docs" / "decisions").glob("0*.md"))]
)
def test_a_decision_says_context_decision_rejected_consequence_and_date(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    assert re.search(r"\b\d{4}-\d{2}-\d{2}\b", text)
    assert not {"context", "decision", "rejected", "consequence"} - set(re.findall(r"[a-z]+", text.lower()))


def test_the_boundaries_of_the_pipeline_are_the_contracts_that_are_checked() -> None:
    text = (ROOT / "pipeline" / "README.md").read_text(encoding="utf-8").split("## Boundaries")[1]
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    assert re.findall(r"^- \*\*(.+?)\*\*", text, re.MULTILINE) == [contract["name"] for contract in contracts]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    arrows = re.search(r"`\w+`(?:\s→\s+`\w+`)+", text)
    assert arrows is not None
    assert re.findall(r"`(\w+)`", arrows[0]) == [layer.removeprefix("pipeline.") for layer in layers]
