"""Fetching Apache Kafka: completely or not at all, with a helpful reason on failure."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.broker import apache, apache_jars
from tests.support.broker.apache_jars import NotFetched, available, fetch, java, version


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(apache_jars, "ROOT", tmp_path)
    monkeypatch.setattr(apache_jars, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


@pytest.mark.usefixtures("cache")
def test_without_jars_the_reason_names_what_is_missing_and_the_command() -> None:
    assert not available()
    assert available().reason == f"Apache Kafka {version()} is not in cache/{version()}; fetch it with: make kafka-jars"


@pytest.mark.parametrize(("there", "reason"), [("mvn", "Java is not installed"), ("java", "Maven (mvn) is not")])
def test_without_java_or_maven_nothing_is_fetched_and_the_reason_is_given(
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    there: str,
    reason: str,
) -> None:
    tool = tmp_path / there
    tool.write_text("#!/bin/sh\necho 'openjdk version \"17.0.1\"' >&2\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert apache.main(["fetch"]) == 2
    assert f"Apache Kafka {version()} was not fetched: {reason}" in capsys.readouterr().err
    assert not cache.exists()


def test_an_old_java_is_distinguished_from_a_missing_java(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "java"
    tool.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotFetched, match="needs Java 17 or newer; here is 11"):
        fetch()
    assert not cache.exists()


@pytest.mark.parametrize("fails", ["exit 1", "exit 0"])
def test_an_interrupted_fetch_leaves_nothing_behind(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    for name, said in (("java", 'openjdk version "17.0.1"'), ("mvn", "[ERROR] nobody answers")):
        tool = tmp_path / name
        tool.write_text(
            f"#!/bin/sh\necho '{said}' >&2\n"
            'for word; do case "$word" in -DoutputDirectory=*) /bin/mkdir -p "${word#*=}"; : > "${word#*=}/some.jar";;'
            f" esac; done\n{fails}\n"
        )
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotFetched, match="nobody answers" if fails == "exit 1" else "copied no broker"):
        fetch()
    assert list(cache.iterdir()) == []


@pytest.mark.skipif(shutil.which("mvn") is None or shutil.which("java") is None, reason="Maven and Java are not here")
def test_a_failure_of_maven_is_reported_with_its_reason(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = "-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=9 -Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=9"
    monkeypatch.setenv("MAVEN_OPTS", f"-Dmaven.repo.local={tmp_path / 'repository'} {nobody}")
    with pytest.raises(NotFetched, match=r"Maven failed: .*(refused|Could not transfer|resolve)"):
        fetch()
    assert list(cache.iterdir()) == []


@pytest.mark.skipif(not available(), reason=available().reason)
def test_existing_jars_are_not_fetched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    home = apache_jars.home()
    monkeypatch.setenv("PATH", "")
    assert fetch() == home
    assert f"kafka_2.13-{version()}.jar" in " ".join(java())
