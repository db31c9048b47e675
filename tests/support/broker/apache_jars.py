"""Apache Kafka's jars: check for them, fetch them with Maven, and build the command line that runs them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from tests.support.process.processes import ROOT

POM: Final = ROOT / "tests" / "kafka" / "pom.xml"
CACHE: Final = ROOT / ".cache" / "kafka"
JAVA_MIN: Final = 17
FETCH_S_MAX: Final = 600
MAKE: Final = "make kafka-jars"
_COPY: Final = "org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies"


class NotFetched(Exception):
    """Fetching the jars failed, with the reason."""


@dataclass(frozen=True, slots=True)
class Availability:
    """True if Apache Kafka can run on this machine; else ``reason`` says what is missing and how to get it."""

    reason: str = ""

    def __bool__(self) -> bool:
        return not self.reason


def version() -> str:
    """The version of Apache Kafka that the tests run on."""
    return POM.read_text(encoding="utf-8").split("<kafka.version>")[1].split("<")[0]


def home() -> Path:
    """The folder of this version's ``libs`` and archive of loaded classes."""
    return CACHE / version()


def available() -> Availability:
    """Whether the jars and a recent enough Java are installed."""
    if not _complete(home()):
        return Availability(f"Apache Kafka {version()} is not in {_shown(home())}; fetch it with: {MAKE}")
    return Availability(_java_problem(shutil.which("java")))


def fetch() -> Path:
    """Fetch the jars into ``home()``, completely or not at all. Raises ``NotFetched``."""
    target = home()
    if _complete(target):
        return target
    problem = _java_problem(shutil.which("java")) or ("" if shutil.which("mvn") else "Maven (mvn) is not installed")
    if problem:
        raise NotFetched(problem)
    CACHE.mkdir(parents=True, exist_ok=True)
    partial = CACHE / f".fetching-{os.getpid()}"
    try:
        _copy_dependencies(partial / "libs")
        if not _complete(partial):
            raise NotFetched("Maven copied no broker")
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def java(*options: str) -> list[str]:
    """The beginning of a command line that runs a class of Kafka with a small heap and a short start."""
    libs = sorted(str(jar) for jar in (home() / "libs").glob("*.jar"))
    archive = class_archive()
    shared = [f"-XX:SharedArchiveFile={archive}", "-Xlog:cds=off"] if archive.exists() else []
    return [
        "java", "-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", *shared, *options,
        "-Djava.awt.headless=true", "-Djava.net.preferIPv4Stack=true",
        "-Dorg.slf4j.simpleLogger.showDateTime=true", "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
        "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",
        "-cp", os.pathsep.join(libs),
    ]  # fmt: skip


def class_archive() -> Path:
    """Archive of the classes that a broker loads, which halves the start. Java ignores a stale archive."""
    return home() / "classes.jsa"


def _copy_dependencies(libs: Path) -> None:
    command = ["mvn", "-q", "-B", "-U", "-f", str(POM), _COPY, f"-DoutputDirectory={libs}"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=FETCH_S_MAX, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NotFetched(f"Maven had not fetched them after {FETCH_S_MAX} seconds") from error
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if "[ERROR]" in line]
        raise NotFetched(f"Maven failed: {said[0].split('[ERROR]')[-1].strip() if said else done.returncode}")


@cache
def _java_problem(java: str | None) -> str:
    if java is None:
        return f"Java is not installed; Apache Kafka needs Java {JAVA_MIN} or newer"
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    installed = re.search(r'version "(\d+)', said)
    if installed is None or int(installed[1]) < JAVA_MIN:
        return f"Apache Kafka needs Java {JAVA_MIN} or newer; here is {installed[1] if installed else 'an unknown one'}"
    return ""


def _complete(folder: Path) -> bool:
    return (folder / "libs" / f"kafka_2.13-{version()}.jar").exists()


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT))
