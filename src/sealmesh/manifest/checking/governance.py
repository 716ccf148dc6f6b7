"""Governance: rules that can be met, by people who are told apart, and that nobody can get round.

Whoever may change the manifest may change these rules, so changing it must take as many as the strictest of
them. And one person with two names, or with two users, would be two people: a key belongs to one.
"""

from collections.abc import Iterator

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealmesh.manifest.limits import MAX_APPROVERS, MAX_KEYS_OF_APPROVER
from sealmesh.manifest.model import (
    ApprovalRule,
    FeatureGate,
    Governance,
    GovernedAct,
    Manifest,
    User,
)
from sealmesh.manifest.reading.view import Reading
from sealmesh.manifest.report import Path, quoted, suggest


def check_governance(reading: Reading, manifest: Manifest) -> None:
    """Check the rules, and that the gate and the rules come together."""
    if manifest.governance is None:
        if FeatureGate.GOVERNANCE in reading.gates:
            reading.report.add(
                "governance.none",
                (),
                "The feature gate 'Governance' is on, and there are no rules.",
                remedy="Write the section Governance, or take the gate away.",
            )
        return
    if not manifest.governance.rules:
        reading.report.add(
            "governance.none",
            ("Governance",),
            "There are no rules, so nothing is reserved.",
            remedy='Write "Rules": {"UpdateManifest": {"Threshold": 2}}, or take the section away.',
        )
    _check_keys(reading, manifest.governance)
    _check_users(reading, manifest)
    for act, rule in manifest.governance.rules.items():
        _check_rule(reading, manifest.governance, rule, ("Governance", "Rules", str(act)))
    _check_roundabout(reading, manifest.governance)


def _check_keys(reading: Reading, governance: Governance) -> None:
    if len(governance.approvers) > MAX_APPROVERS:
        reading.report.add(
            "governance.too-many",
            ("Governance", "Approvers"),
            f"There are at most {MAX_APPROVERS} approvers.",
        )
    owners: dict[bytes, str] = {}
    for name, approver in governance.approvers.items():
        path: Path = ("Governance", "Approvers", name, "Keys")
        if len(approver.keys) > MAX_KEYS_OF_APPROVER:
            reading.report.add(
                "governance.too-many", path, f"An approver has at most {MAX_KEYS_OF_APPROVER} keys."
            )
        for key in approver.keys:
            first = owners.setdefault(key, name)
            if first != name:
                reading.report.add(
                    "governance.same-key",
                    path,
                    f"{quoted(first)} has this key too: one person would count twice.",
                    remedy="Who has several keys or certificates is one approver with several Keys.",
                )


def _check_users(reading: Reading, manifest: Manifest) -> None:
    """Check that acknowledgments and roles cannot be had twice with one key either."""
    owners: dict[bytes, str] = {}
    for name, user in manifest.users.items():
        for key in _key_of(user):
            first = owners.setdefault(key, name)
            if first != name:
                reading.report.add(
                    "governance.users-share-key",
                    ("Users", name, "Certificate"),
                    f"The user {quoted(first)} has the same key: one person would count twice.",
                    remedy="Keep one of the two certificates, or make a key for the other.",
                )


def _key_of(user: User) -> Iterator[bytes]:
    try:
        key = user.certificate.public_key()
        yield key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return  # no key that could be used in a handshake


def _check_rule(reading: Reading, governance: Governance, rule: ApprovalRule, path: Path) -> None:
    known = governance.approvers
    for index, name in enumerate(rule.approvers):
        at = (*path, "Approvers", index)
        if name not in known:
            reading.report.add(
                "governance.unknown-approver",
                at,
                f"There is no approver {quoted(name)}.",
                remedy=suggest(name, known),
            )
        elif name in rule.approvers[:index]:
            reading.report.add("governance.repeated-approver", at, f"{quoted(name)} stands here twice.")
    people = len(set(rule.approvers))
    if not 1 <= rule.threshold <= people:
        reading.report.add(
            "governance.bad-threshold",
            (*path, "Threshold"),
            f"{rule.threshold} must approve, and {people} may.",
            remedy="A threshold is from 1 to the number of approvers.",
        )


def _check_roundabout(reading: Reading, governance: Governance) -> None:
    if not governance.rules:
        return
    strictest = max(governance.rules, key=lambda act: governance.rules[act].threshold)
    update = governance.rules.get(GovernedAct.UPDATE_MANIFEST)
    needed = governance.rules[strictest].threshold
    if update is None or update.threshold < needed:
        reading.report.add(
            "governance.way-round",
            ("Governance", "Rules"),
            f"{strictest} takes {needed}, but {update.threshold if update else 0} can change the manifest, "
            "and with it this rule.",
            remedy=f"Give UpdateManifest a Threshold of at least {needed}.",
        )
