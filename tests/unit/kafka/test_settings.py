"""Settings of a process: read from ``SEATBEAT_*`` variables; invalid settings are refused at the start."""

from __future__ import annotations

from dataclasses import asdict, fields

import pytest

from pipeline.kafka.settings import DESCRIPTIONS, GONE, MAY_BE_EMPTY, Settings
from pipeline.model.errors import InputError

NUMBERS = [field.name for field in fields(Settings) if field.type == "int"]
TEXTS = [field.name for field in fields(Settings) if field.type == "str"]


def refused(**variables: str) -> InputError:
    with pytest.raises(InputError) as error:
        Settings.from_environment(variables)
    return error.value


def test_without_variables_every_setting_has_its_default() -> None:
    assert Settings.from_environment({}) == Settings()
    assert Settings.from_environment({"PATH": "/bin", "seatbeat_log_id": "x", "SEATBEAT": "x"}) == Settings()


def test_the_defaults_are_valid() -> None:
    Settings().validate()


def test_every_setting_is_a_text_or_a_whole_number() -> None:
    assert sorted(NUMBERS + TEXTS) == sorted(field.name for field in fields(Settings))


@pytest.mark.parametrize("name", NUMBERS)
def test_a_whole_number_is_read_from_its_variable(name: str) -> None:
    settings = Settings.from_environment({f"SEATBEAT_{name.upper()}": "7"})
    assert asdict(settings) == {**asdict(Settings()), name: 7}


def test_texts_are_read_unchanged() -> None:
    settings = Settings.from_environment(
        {
            "SEATBEAT_KAFKA_BOOTSTRAP": "one:9092,two:9092",
            "SEATBEAT_LOG_ID": " spaces and 7 ",
            "SEATBEAT_TOPICS": "embedded",
        }
    )
    assert settings.kafka_bootstrap == "one:9092,two:9092"
    assert settings.log_id == " spaces and 7 "
    assert settings.topics == "embedded"


@pytest.mark.parametrize("value", ["", "x", "1.5", "1e3", "0x1", "--1", "7 s"])
@pytest.mark.parametrize("name", NUMBERS)
def test_a_value_that_is_not_a_whole_number_is_refused_with_the_variables_name(name: str, value: str) -> None:
    error = refused(**{f"SEATBEAT_{name.upper()}": value})
    assert (error.place, error.reason) == (f"SEATBEAT_{name.upper()}", f"is {value!r}")
    assert error.remedy == "Give a whole number from 1 on"


@pytest.mark.parametrize("value", ["0", "-1"])
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_below_one_are_refused(name: str, value: str) -> None:
    error = refused(**{f"SEATBEAT_{name.upper()}": value})
    assert (error.place, error.reason) == (f"SEATBEAT_{name.upper()}", f"is {value}")


@pytest.mark.parametrize("name", TEXTS)
def test_an_empty_variable_is_refused_unless_empty_has_a_meaning(name: str) -> None:
    variable = f"SEATBEAT_{name.upper()}"
    if name in MAY_BE_EMPTY:
        assert getattr(Settings.from_environment({variable: ""}), name) == ""
    else:
        assert refused(**{variable: ""}).place == variable


def test_the_meaning_of_empty_is_described() -> None:
    assert {name for name, text in DESCRIPTIONS.items() if "empty:" in text} == MAY_BE_EMPTY


def test_an_unknown_variable_is_refused() -> None:
    error = refused(SEATBEAT_KAFKA_BOOTSTRAPS="x")
    assert (error.place, error.reason) == ("SEATBEAT_KAFKA_BOOTSTRAPS", "is not a setting")
    assert "seatbeat settings" in error.remedy


@pytest.mark.parametrize(
    ("variable", "value", "quoted"),
    [
        ("SEATBEAT_KAFKA_BOOTSTRAP", "kafka://broker:9092", "'kafka://broker:9092' is not host:port"),
        ("SEATBEAT_KAFKA_BOOTSTRAP", "broker:9092,", "has an empty address"),
        ("SEATBEAT_CLICKHOUSE_DSN", "clickhouse.example:8123/default", "does not say which kind of store"),
        ("SEATBEAT_CLICKHOUSE_DSN", "postgres://seatbeat@db:5432/default", "is no address of ClickHouse"),
        ("SEATBEAT_HEALTH_ADDRESS", "8080", "'8080' names no port"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused_with_its_variable(variable: str, value: str, quoted: str) -> None:
    error = refused(**{variable: value})
    assert error.place == variable
    assert quoted in error.reason
    assert error.remedy


def test_brokers_are_passed_on_without_blanks_and_with_their_ports() -> None:
    settings = Settings.from_environment({"SEATBEAT_KAFKA_BOOTSTRAP": " one:9093 , two , [::1]:9094 "})
    assert settings.kafka_bootstrap == "one:9093,two:9092,[::1]:9094"


def test_an_unknown_stage_of_topics_is_refused() -> None:
    error = refused(SEATBEAT_TOPICS="staging")
    assert (error.place, error.reason) == ("SEATBEAT_TOPICS", "is 'staging'")


def test_a_setting_of_an_earlier_version_is_refused_with_what_replaced_it() -> None:
    error = refused(SEATBEAT_CONTRACTS="/contracts")
    assert (error.place, error.reason) == ("SEATBEAT_CONTRACTS", "is not a setting")
    assert "seatbeat contract apply" in error.remedy
    assert GONE.keys().isdisjoint(f"SEATBEAT_{field.name.upper()}" for field in fields(Settings))


def test_every_setting_is_described_in_a_sentence() -> None:
    assert DESCRIPTIONS.keys() == {field.name for field in fields(Settings)}
    assert all(text.endswith(".") for text in DESCRIPTIONS.values())
