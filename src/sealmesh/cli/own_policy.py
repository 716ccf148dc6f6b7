"""The policy by which others recognize the Coordinator that this machine would run."""

from typing import TYPE_CHECKING, Any

from sealmesh.errors.cli import UsageError

if TYPE_CHECKING:
    from sealmesh.adapters.attester.choice import SimulatedChoice
    from sealmesh.adapters.attester.device_choice import RealChoice
    from sealmesh.attestation import TrustRoot
    from sealmesh.server.configuration import ServerConfiguration


def own_policy(configuration: "ServerConfiguration") -> dict[str, Any]:
    """Return the policy for relying parties and for the packages of Marbles.

    Of an enclave it names the key that signed the Coordinator, so it outlives updates of sealmesh on this
    machine; of other TEEs the measurements.

    Raises:
        UsageError: The Coordinator would have no Evidence of itself.
        AttestationError: The TEE gives no Evidence.
    """
    from sealmesh.adapters.attester.choice import SimulatedChoice

    match configuration.attester:
        case None:
            raise UsageError(
                "a Coordinator without Evidence cannot be recognized by a policy",
                wanted="--attester simulated",
            )
        case SimulatedChoice() as choice:
            return _simulated(choice)
        case choice:
            return _real(choice)


def _simulated(choice: "SimulatedChoice") -> dict[str, Any]:
    from sealmesh.adapters.attester import SimulatedAttester
    from sealmesh.adapters.attester.package import coordinator_package
    from sealmesh.adapters.attester.platform import open_or_create
    from sealmesh.attestation import Family

    platform = open_or_create(choice.platform.path)
    package = coordinator_package(platform)
    attester = SimulatedAttester(choice.platform.path, package, family=choice.family)
    root = attester.trust_root()
    if choice.family is not Family.SGX:
        return {
            "Coordinator": {"Evidence": [_form(attester.evidence(b""))]},
            "TrustRoots": [{**_root(root), "Family": str(root.family)}],
        }
    enclave = package.verify_signed()
    return {
        "Coordinator": {
            "SignerID": enclave.signer_id.hex(),
            "ProductID": enclave.product_id,
            "SecurityVersion": enclave.security_version,
        },
        "TrustRoots": [_root(root)],
    }


def _real(choice: "RealChoice") -> dict[str, Any]:
    """Return the policy for this machine's Evidence; without roots, those of the family's vendors count."""
    from sealmesh.adapters.attester.device import open_device
    from sealmesh.attestation import parse_evidence
    from sealmesh.attestation.tpm import TpmEvidence

    raw = open_device(choice).evidence(b"")
    policy: dict[str, Any] = {"Coordinator": {"Evidence": [_form(raw)]}}
    quote = parse_evidence(raw).quote
    if isinstance(quote, TpmEvidence) and quote.key is not None:
        policy["TrustRoots"] = [{"Name": "this-tpm", "SHA256": _fingerprint(quote.key.key), "Family": "tpm"}]
    return policy


def _form(raw: bytes) -> dict[str, Any]:
    from sealmesh.attestation import parse_evidence
    from sealmesh.attestation.explanation import accepting_form

    return accepting_form(parse_evidence(raw))


def _root(root: "TrustRoot") -> dict[str, Any]:
    return {"Name": root.name, "SHA256": root.sha256.hex(), "Simulated": root.simulated}


def _fingerprint(key: Any) -> str:
    from hashlib import sha256

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
