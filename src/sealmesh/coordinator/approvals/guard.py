"""The rules about a state that cannot be read, kept in plain beside it.

Whoever may write the state's files can change them, as he can delete the files. They keep the Coordinator
from giving a state up, or filling its memory, for somebody who has no more than its address and one key. The
rule about recovery is read again from the manifest inside before anything is unlocked.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from sealmesh.coordinator.approvals.book import Standing, approvals_missing
from sealmesh.coordinator.approvals.document import Approval, SignedApproval
from sealmesh.coordinator.approvals.mesh import Mesh
from sealmesh.coordinator.approvals.verification import UNREADABLE_STATE, Setting, verify_approval
from sealmesh.errors import SealmeshError
from sealmesh.errors.coordinator import StateCorrupt
from sealmesh.ledger.canonical import Json, canonical_json, parse_json
from sealmesh.manifest import ApprovalRule, Approver, Governance, GovernedAct, Manifest

_FORMAT = "sealmesh-guard-v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Who has to approve that a state is recovered, or given up.

    Attributes:
        mesh: The waiting state's.
        governance: The rules of `UNREADABLE_STATE`, and who is named in them.
    """

    mesh: Mesh
    governance: Governance

    def setting(self, now: datetime) -> Setting:
        """Return where approvals are presented."""
        return Setting(mesh=self.mesh, manifest=None, governance=self.governance, now=now)

    def standing(
        self, act: GovernedAct, subject: str, approvals: Iterable[SignedApproval], now: datetime
    ) -> Standing:
        """Return how far `act` on `subject` is approved; each approval is verified again."""
        rule = self.governance.rules.get(act) or ApprovalRule(threshold=0, approvers=())
        given: dict[str, Approval] = {}
        for signed in approvals:
            try:
                approval = verify_approval(signed, self.setting(now))
            except SealmeshError:
                continue
            if (approval.act, approval.subject) == (act, subject):
                given.setdefault(approval.approver, approval)
        return Standing(act=act, subject=subject, rule=rule, given=tuple(given.values()))

    def approved(
        self, act: GovernedAct, subject: str, approvals: Iterable[SignedApproval], now: datetime
    ) -> tuple[Approval, ...]:
        """Return the approvals that `act` on `subject` rests on.

        Raises:
            ApprovalsMissing: They are not enough.
        """
        found = self.standing(act, subject, approvals, now)
        if found.missing:
            raise approvals_missing(found)
        return found.given if found.rule.threshold else ()

    def to_bytes(self) -> bytes:
        """Return the stored form."""
        document: dict[str, Json] = {
            "format": _FORMAT,
            "trustDomain": self.mesh.trust_domain,
            "root": self.mesh.root,
            "approvers": {
                name: [b64encode(key).decode() for key in approver.keys]
                for name, approver in self.governance.approvers.items()
            },
            "rules": {
                str(act): {"threshold": rule.threshold, "approvers": list(rule.approvers)}
                for act, rule in self.governance.rules.items()
            },
        }
        return canonical_json(document)

    @classmethod
    def from_bytes(cls, stored: bytes) -> "Guard":
        """Read what `to_bytes` wrote.

        Raises:
            StateCorrupt: Anything else.
        """
        try:
            return _read(parse_json(stored, what="guard"))
        except (SealmeshError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StateCorrupt("the rules beside the sealed state cannot be read") from error


def guard_bytes(manifest: Manifest, root: x509.Certificate) -> bytes:
    """Return what is kept beside a state under `manifest`; empty where it has no such rules."""
    governance = guarding_rules(manifest)
    return b"" if governance is None else Guard(mesh=Mesh.of(root), governance=governance).to_bytes()


def guarding_rules(manifest: Manifest) -> Governance | None:
    """Return the rules about a state that cannot be read, and those named in them; None without any."""
    if manifest.governance is None:
        return None
    rules = {act: rule for act, rule in manifest.governance.rules.items() if act in UNREADABLE_STATE}
    named = {name for rule in rules.values() for name in rule.approvers}
    approvers = {name: manifest.governance.approvers[name] for name in named}
    return Governance(approvers=approvers, rules=rules) if rules else None


def _read(document: Json) -> Guard:
    if not isinstance(document, dict) or document["format"] != _FORMAT:
        raise ValueError("another format")
    approvers = {
        name: Approver(keys=tuple(b64decode(key, validate=True) for key in keys))
        for name, keys in document["approvers"].items()
    }
    rules = {
        GovernedAct(act): ApprovalRule(threshold=int(rule["threshold"]), approvers=tuple(rule["approvers"]))
        for act, rule in document["rules"].items()
    }
    return Guard(
        mesh=Mesh(trust_domain=str(document["trustDomain"]), root=str(document["root"])),
        governance=Governance(approvers=approvers, rules=rules),
    )
