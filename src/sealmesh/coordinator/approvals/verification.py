"""Does an approval count? Everything it says is compared, and its signature is checked.

The order goes from what everybody can see to what the signature proves; a refusal names the first.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sealmesh.coordinator.approvals.document import Approval, SignedApproval, signed_message
from sealmesh.coordinator.approvals.mesh import ManifestEpoch, Mesh
from sealmesh.coordinator.approvals.signature import verify_signature
from sealmesh.errors.governance import ApprovalRefused
from sealmesh.manifest import ApprovalRule, Governance, GovernedAct

#: Consent goes stale; and a host that holds back its clock can stretch it, so it must not be long anyway.
MAX_LIFETIME = timedelta(days=31)

#: Acts on a state that cannot be read: nobody can know its manifest.
UNREADABLE_STATE = frozenset({GovernedAct.RECOVER, GovernedAct.RESET})


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where an approval is presented.

    Attributes:
        manifest: None while the state cannot be read.
    """

    mesh: Mesh
    manifest: ManifestEpoch | None
    governance: Governance
    now: datetime


def verify_approval(signed: SignedApproval, setting: Setting) -> Approval:
    """Return the approval, now known to be its approver's and to count here and now.

    Whether it was used before, and whether there is another of the same approver, is not looked at.

    Raises:
        ApprovalRefused: It is of another mesh, another manifest, expired, for an act that needs none, by
            nobody who is asked, or not signed by him.
    """
    approval = signed.approval
    _check_mesh(approval, setting)
    _check_manifest(approval, setting)
    _check_time(approval, setting.now)
    _check_asked(approval, _rule(approval, setting.governance))
    verify_signature(_key(signed, setting.governance), signed_message(approval), signed.signature)
    return approval


def _check_mesh(approval: Approval, setting: Setting) -> None:
    if approval.mesh != setting.mesh:
        raise ApprovalRefused(
            "the approval is for another mesh",
            code="approval-other-mesh",
            found=f"{approval.mesh.trust_domain}, root {approval.mesh.root}",
            wanted=f"{setting.mesh.trust_domain}, root {setting.mesh.root}",
        )


def _check_manifest(approval: Approval, setting: Setting) -> None:
    wanted = None if approval.act in UNREADABLE_STATE else setting.manifest
    if approval.manifest != wanted:
        raise ApprovalRefused(
            "the approval was made under another manifest",
            code="approval-other-manifest",
            found=_shown(approval.manifest),
            wanted=_shown(wanted),
            remedy="Look at what is in force now, and approve again if it still holds.",
        )


def _check_time(approval: Approval, now: datetime) -> None:
    if approval.not_after <= now:
        raise ApprovalRefused(
            "the approval has expired", code="approval-expired", found=approval.not_after.isoformat()
        )
    if approval.not_after > now + MAX_LIFETIME:
        raise ApprovalRefused(
            "the approval is valid for too long",
            code="approval-too-long",
            found=approval.not_after.isoformat(),
            wanted=f"at most {MAX_LIFETIME.days} days from now",
        )


def _rule(approval: Approval, governance: Governance) -> ApprovalRule:
    rule = governance.rules.get(approval.act)
    if rule is None:
        raise ApprovalRefused(
            "the manifest does not reserve this act",
            code="approval-not-needed",
            found=approval.act,
            wanted=", ".join(governance.rules),
        )
    return rule


def _check_asked(approval: Approval, rule: ApprovalRule) -> None:
    if approval.approver not in rule.approvers:
        raise ApprovalRefused(
            f"nobody of this name may approve {approval.act}",
            code="approval-unknown-approver",
            found=approval.approver[:64],
            wanted=", ".join(rule.approvers),
        )


def _key(signed: SignedApproval, governance: Governance) -> bytes:
    for key in governance.approvers[signed.approval.approver].keys:
        if sha256(key).hexdigest() == signed.key:
            return key
    raise ApprovalRefused(
        "the key is not one of this approver's",
        code="approval-unknown-approver",
        found=f"{signed.approval.approver} with the key {signed.key}",
    )


def _shown(manifest: ManifestEpoch | None) -> str:
    return "no manifest" if manifest is None else f"{manifest.fingerprint}, epoch {manifest.number}"
