"""Features that are two names of one product, by how they are checked out."""

from __future__ import annotations

import pytest

from pipeline.rules.summary.feature_pairs import FeatureCheckout, FeaturePair, feature_pairs, is_dated


def launched(*features: str, at: int, user: str = "ann", machine: str = "ws-1") -> list[FeatureCheckout]:
    return [FeatureCheckout(feature, user, machine, at) for feature in features]


@pytest.mark.parametrize(
    ("feature", "dated"),
    [
        ("87545ACD_2022_0F", True),
        ("tool.2019", True),
        ("2021-tool", True),
        ("64300ACD_F", False),
        ("662003DSMAX_F", False),
        ("tool_12022", False),
        ("tool_v2022b", False),
    ],
)
def test_the_year_of_a_release_stands_by_itself(feature: str, dated: bool) -> None:
    assert is_dated(feature) == dated


def test_a_release_that_always_comes_with_another_feature_is_a_pair() -> None:
    checkouts = [*launched("A", "A_2022", at=1), *launched("A_2022", "A", at=2), *launched("A", at=3)]
    assert feature_pairs(checkouts) == [FeaturePair("A", "A_2022", 2, 2)]


def test_another_user_machine_or_second_is_another_launch() -> None:
    for other in ({"user": "bob"}, {"machine": "ws-2"}):
        checkouts = [*launched("A", at=1), *launched("A_2022", at=1, **other)] * 2
        assert feature_pairs(checkouts) == []
    assert feature_pairs([*launched("A", at=1), *launched("A_2022", at=2)] * 2) == []


def test_nearly_always_is_95_of_100() -> None:
    alone = [checkout for at in range(5) for checkout in launched("A_2022", at=1_000 + at)]
    together = [checkout for at in range(95) for checkout in launched("A", "A_2022", at=at)]
    assert feature_pairs([*alone, *together]) == [FeaturePair("A", "A_2022", 95, 100)]
    assert feature_pairs([*alone, *together, *launched("A_2022", at=2_000)]) == []


def test_one_checkout_proposes_nothing_and_two_releases_are_no_pair() -> None:
    assert feature_pairs(launched("A", "A_2022", at=1)) == []
    assert feature_pairs([*launched("A_2021", "A_2022", at=1), *launched("A_2021", "A_2022", at=2)]) == []


def test_several_licences_at_once_are_each_paired() -> None:
    assert feature_pairs(launched("A", "A_2022", "A_2022", at=1)) == []
    assert feature_pairs(launched("A", "A", "A_2022", "A_2022", at=1)) == [FeaturePair("A", "A_2022", 2, 2)]


def test_of_several_features_that_come_along_the_one_used_least_is_taken() -> None:
    checkouts = [*launched("BASE", at=0)]
    for at in (1, 2):
        checkouts += launched("BASE", "CIVIL", "CIVIL_2022", at=at)
    assert feature_pairs(checkouts) == [FeaturePair("CIVIL", "CIVIL_2022", 2, 2)]
