"""Verification of Nitro attestation documents.

Plan (AWS, attestation_process.md, section 3.2):

 1. Chain (3.2.3): certificate and CA bundle (root first) form a path to an accepted root, by
    fingerprint; CAs with key usage and path length; all valid at the given time. AWS publishes no
    revocation lists for it: the signing certificate lives three hours.
 2. Signature (3.2.2): ES384 over the document, by the key of its certificate.

Not looked at: PCRs, whether the enclave is in debug mode, user data, nonce, public key, timestamp.
Those are facts for `appraise`.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from sealmesh.attestation.cache import VerificationCache, digest_of
from sealmesh.attestation.certification import Certificate, VerifiedPath, parse_certificate, verify_path
from sealmesh.attestation.certification.names import format_name
from sealmesh.attestation.genuine import Genuine
from sealmesh.attestation.nitro.claims import NitroClaims
from sealmesh.attestation.nitro.document import NitroDocument
from sealmesh.attestation.roots import TrustRoot

_DEBUG_REGISTERS = (0, 1, 2)
_REGION = re.compile(r"(?:^|,)CN=[A-Za-z0-9-]+\.([a-z]{2}(?:-[a-z]+)+-[0-9]+)\.aws(?:,|$)")


def verify_nitro(
    document: NitroDocument,
    *,
    roots: Sequence[TrustRoot],
    now: datetime,
    cache: VerificationCache | None = None,
) -> Genuine[NitroClaims]:
    """Verify a document; the plan is the module's. It brings its own chain: no collateral.

    Raises:
        EndorsementFormatError: A certificate cannot be read.
        VerificationError: `root:nitro root`, `signature:document`, or a certificate's (`nitro ca <n>`
            counted from the root, `nitro leaf`).
    """
    # 1. Chain.
    chain = (document.certificate, *reversed(document.ca_bundle))
    if cache is None:
        path = _verify_chain(chain, roots, now)
    else:
        key = digest_of(b"nitro", *chain)
        path = cache.recall(key, lambda: _verify_chain(chain, roots, now), roots=roots, now=now)
    # 2. Signature.
    document.sign1.verify(path.leaf.key, subject="document")
    return Genuine(root=path.root, validity=path.validity, claims=_claims(document, path.leaf))


def _verify_chain(chain: Sequence[bytes], roots: Sequence[TrustRoot], now: datetime) -> VerifiedPath:
    between = [f"nitro ca {depth}" for depth in range(len(chain) - 2, 0, -1)]
    subjects = ("nitro leaf", *between, "nitro root")
    certificates = [parse_certificate(der, subject=name) for der, name in zip(chain, subjects, strict=True)]
    return verify_path(certificates, subjects=subjects, roots=roots, now=now)


def _region(leaf: Certificate) -> str | None:
    """Return the region in the name that the leaf's issuer gave it, `<module>.<region>.aws`."""
    try:
        match = _REGION.search(format_name(leaf.subject))
    except ValueError:
        return None
    return match[1] if match else None


def _claims(document: NitroDocument, leaf: Certificate) -> NitroClaims:
    measured = (document.pcrs.get(index, b"") for index in _DEBUG_REGISTERS)
    return NitroClaims(
        module_id=document.module_id,
        timestamp=document.timestamp,
        pcrs=document.pcrs,
        debug=not any(any(register) for register in measured),
        user_data=document.user_data or b"",
        nonce=document.nonce or b"",
        public_key=document.public_key or b"",
        region=_region(leaf),
    )
