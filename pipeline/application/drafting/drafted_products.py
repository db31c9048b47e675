"""Which features are one product, and which licences are for it: the middle of a drafted contract.

A product is named after its feature. Where names have the form that Autodesk's have (``87545ACD_2022_0F``), it is named
after what they share (``ACD``), and releases that the log never shows with another feature are taken together by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from pipeline.codec.license_file import LicenseFile, Package
from pipeline.codec.license_increments import Increment
from pipeline.rules.summary.feature_pairs import FeaturePair, is_dated

_RELEASE: Final = re.compile(r"\d{5}([A-Z0-9]+?)(?:_(?:19|20)\d\d)?_\d?F", re.ASCII)
_FIT: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}")
"""What a contract takes for a product's code."""


class MemberFeature(NamedTuple):
    """A feature that counts as a product, and why."""

    feature: str
    reason: str


@dataclass(frozen=True, slots=True)
class DraftedProduct:
    """A product with the features that count as it, besides its own code, and the licences for it.

    ``held_together`` are features with licences of their own that are taken together with these, so they add none.
    """

    code: str
    members: tuple[MemberFeature, ...]
    increments: tuple[Increment, ...]
    held_together: tuple[str, ...]


def draft_products(
    features: Iterable[str], pairs: Iterable[FeaturePair], license_file: LicenseFile | None
) -> list[DraftedProduct]:
    """The products that used features and a licence file come to, by code. Each feature counts as one product."""
    granted = _granted(license_file)
    every = {feature for feature in {*features, *granted} if _FIT.fullmatch(feature)}
    tree = _Tree(every)
    for pair in pairs:
        tree.join(pair.dated, pair.generic, f"{pair.together} of {pair.checkouts} checkouts with {pair.generic}")
    for package in license_file.packages if license_file is not None else ():
        if package.is_suite and package.name in every:
            for component in package.components:
                _join_component(tree, component.feature, package)
    _join_releases(tree)
    groups = tree.groups()
    codes = _codes(groups, every | tree.features)
    return sorted(
        (_product(codes[root], root, members, granted) for root, members in groups.items()),
        key=lambda product: product.code,
    )


class _Tree:
    """Features under the feature that they count as: two levels, so that nothing goes round in a circle."""

    def __init__(self, features: Iterable[str]) -> None:
        self.features = set(features)
        self._under: dict[str, MemberFeature] = {}

    def join(self, feature: str, root: str, reason: str) -> None:
        """Put a feature under another, where neither stands under another yet and it has none under itself."""
        if feature == root or {feature, root} & self._under.keys() or feature in self._roots():
            return
        if not (_FIT.fullmatch(feature) and _FIT.fullmatch(root)):
            return
        self.features |= {feature, root}
        self._under[feature] = MemberFeature(root, reason)

    def is_free(self, feature: str) -> bool:
        return feature not in self._under and feature not in self._roots()

    def groups(self) -> dict[str, list[MemberFeature]]:
        """The features under each feature that stands under none, in order of name."""
        groups: dict[str, list[MemberFeature]] = {
            feature: [] for feature in sorted(self.features) if feature not in self._under
        }
        for feature in sorted(self._under):
            root, reason = self._under[feature]
            groups[root].append(MemberFeature(feature, reason))
        return groups

    def _roots(self) -> set[str]:
        return {member.feature for member in self._under.values()}


def _join_component(tree: _Tree, component: str, package: Package) -> None:
    """A component counts as its suite where both are releases of one name, or nothing else tells what it is."""
    stems = _stem(component), _stem(package.name)
    if stems[0] == stems[1] or not all(stems):
        tree.join(component, package.name, f"a component of {package.name} in the licence file")


def _join_releases(tree: _Tree) -> None:
    """Releases of one name go together: under the feature without a year, else under the newest release."""
    by_stem: dict[str, list[str]] = {}
    for feature in sorted(tree.groups()):
        stem = _stem(feature)
        if stem:
            by_stem.setdefault(stem, []).append(feature)
    for releases in by_stem.values():
        root = min(releases, key=lambda feature: (is_dated(feature), tree.is_free(feature)))
        for feature in releases:
            if tree.is_free(feature):
                tree.join(feature, root, f"by its name, as {root}")


def _stem(feature: str) -> str:
    """What the names of a product's releases share; ``''`` where a name has another form."""
    match = _RELEASE.fullmatch(feature)
    return match[1] if match is not None else ""


def _codes(groups: Mapping[str, Sequence[MemberFeature]], features: set[str]) -> dict[str, str]:
    """A code for each group: what its names share, where no other group and no feature is called that."""
    stems = {root: _stem(root) for root in groups}
    taken = [*stems.values()]
    return {
        root: stem if stem and taken.count(stem) == 1 and stem not in features else root for root, stem in stems.items()
    }


def _product(
    code: str, root: str, members: Sequence[MemberFeature], granted: Mapping[str, Sequence[Increment]]
) -> DraftedProduct:
    own = granted.get(root, ())
    with_licenses = [member.feature for member in members if granted.get(member.feature)]
    increments = own or [increment for feature in with_licenses for increment in granted[feature]]
    listed = members if code == root else [MemberFeature(root, "its feature in the log or licence file"), *members]
    return DraftedProduct(code, tuple(listed), tuple(increments), tuple(with_licenses) if own else ())


def _granted(license_file: LicenseFile | None) -> dict[str, list[Increment]]:
    """Licences by feature: those of a package that is no suite are licences of each of its components."""
    granted: dict[str, list[Increment]] = {}
    if license_file is None:
        return granted
    packages = {package.name: package for package in license_file.packages if not package.is_suite}
    for increment in license_file.increments:
        package = packages.get(increment.feature)
        if package is None:
            granted.setdefault(increment.feature, []).append(increment)
        for component in package.components if package is not None else ():
            quantity = None if increment.quantity is None else increment.quantity * component.licenses
            of_component = Increment(
                component.feature, increment.daemon, quantity, increment.first_day, increment.last_day, increment.line
            )
            granted.setdefault(component.feature, []).append(of_component)
    return granted
