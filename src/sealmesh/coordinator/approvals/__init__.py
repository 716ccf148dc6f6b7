"""Approvals: what the manifest reserves to several is done only with enough of them.

An approval is a document that one approver signed, offline, for one act on one subject in one mesh under one
manifest. Rules, and where they are kept:

- `document`: the signed bytes are domain-separated and canonical; there is one reading of a file.
- `verification`: an approval counts only for the mesh, manifest, act and subject it names, before its end,
  by a key of an approver that the act's rule names. Verified when it comes in and again when it is used.
- `book`: one approver counts once for a subject. An act uses up what it rests on, in the same commit.
- `epoch`: every change of the manifest ends all approvals, used and unused, for good.
- `guard`: the rules for a state that cannot be read, kept in plain beside it.
"""

from sealmesh.coordinator.approvals.book import Authorized, Standing, standing, use_approvals
from sealmesh.coordinator.approvals.document import (
    Approval,
    SignedApproval,
    encode_approval,
    parse_approval,
    signed_message,
)
from sealmesh.coordinator.approvals.epoch import epoch_ended
from sealmesh.coordinator.approvals.mesh import ManifestEpoch, Mesh
from sealmesh.coordinator.approvals.signature import verify_signature
from sealmesh.coordinator.approvals.subject import (
    reading_subject,
    recovery_subject,
    reset_subject,
    update_subject,
    writing_subject,
)
from sealmesh.coordinator.approvals.unapproved import refuse_unapproved

__all__ = [
    "Approval",
    "Authorized",
    "ManifestEpoch",
    "Mesh",
    "SignedApproval",
    "Standing",
    "encode_approval",
    "epoch_ended",
    "parse_approval",
    "reading_subject",
    "recovery_subject",
    "refuse_unapproved",
    "reset_subject",
    "signed_message",
    "standing",
    "update_subject",
    "use_approvals",
    "verify_signature",
    "writing_subject",
]
