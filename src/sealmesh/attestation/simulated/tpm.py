"""A simulated TPM 2.0: a throw-away manufacturer, an endorsement key, an attestation key, byte-exact quotes.

Source: TCG TPM 2.0 Library, part 2, 10.12 (TPMS_ATTEST), 11.3.4 (TPMT_SIGNATURE), 12.2 (TPMT_PUBLIC).
Both keys are primary keys on P-256, as the TCG's default templates have them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.attestation.certification import key_fingerprint
from sealmesh.attestation.family import Family
from sealmesh.attestation.roots import TrustRoot
from sealmesh.attestation.simulated.credential import activate_credential
from sealmesh.attestation.simulated.tpm_boot import SimulatedBoot
from sealmesh.attestation.simulated.tpm_certificates import (
    issue_endorsement_certificate,
    issue_manufacturer,
)
from sealmesh.attestation.simulated.vendor import TRUST_ROOT_NAME, Entropy, generate_key
from sealmesh.attestation.tpm.algorithms import ECC, NULL, Bank, Scheme
from sealmesh.attestation.tpm.attest import GENERATED, MAX_NONCE, QUOTE
from sealmesh.attestation.tpm.credential import Credential
from sealmesh.attestation.tpm.evidence import PcrValues, encode_tpm_evidence
from sealmesh.attestation.tpm.public_area import Attributes

_ATTRIBUTES = (
    Attributes.FIXED_TPM
    | Attributes.FIXED_PARENT
    | Attributes.SENSITIVE_DATA_ORIGIN
    | Attributes.RESTRICTED
    | Attributes.SIGN
    | 1 << 6  # userWithAuth
)
_P256, _COORDINATE = 0x0003, 32
_ENDORSEMENT_HIERARCHY = bytes.fromhex("4000000b")
_FIRMWARE = 0x0001_0000_0000_0001
_RESETS, _RESTARTS = 1, 0
_SELECT_BYTES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedTpm:
    """A TPM.

    Attributes:
        ek_chain: The EK certificate, then the manufacturer's CA and root, DER.
        endorsement_key: Decrypts credentials; never signs.
        attestation_key: Signs quotes.
    """

    ek_chain: tuple[bytes, ...]
    endorsement_key: ec.EllipticCurvePrivateKey
    attestation_key: ec.EllipticCurvePrivateKey

    @property
    def trust_root(self) -> TrustRoot:
        """The manufacturer's root as a verifier's configuration names it."""
        return _simulated_root(Bank.SHA256.digest(self.ek_chain[-1]))

    @property
    def given_key(self) -> TrustRoot:
        """The attestation key as a verifier names it who saw it made, and who thus needs no challenge."""
        return _simulated_root(key_fingerprint(self.attestation_key.public_key()))

    @property
    def public_area(self) -> bytes:
        """The attestation key's TPMT_PUBLIC."""
        point = self.attestation_key.public_key().public_numbers()
        head = _number(ECC, 2) + _number(Bank.SHA256, 2) + _number(_ATTRIBUTES, 4) + _sized(b"")
        kind = (NULL, Scheme.ECDSA, Bank.SHA256, _P256, NULL)
        place = (_sized(_number(value, _COORDINATE)) for value in (point.x, point.y))
        return b"".join((head, *(_number(value, 2) for value in kind), *place))

    @property
    def key_name(self) -> bytes:
        """The attestation key's Name."""
        return _name(self.public_area)

    def evidence(self, boot: SimulatedBoot, nonce: bytes, *, now: datetime) -> bytes:
        """Return a quote over `nonce` (at most 66 bytes) with registers, log, key and EK certificates."""
        pcrs = boot.pcrs()
        attest = self._attest(pcrs, nonce, now)
        return encode_tpm_evidence(
            attest=attest,
            signature=self._signature(attest),
            pcrs=pcrs,
            key=self.public_area,
            log=boot.log(),
            ek_chain=self.ek_chain,
        )

    def activate(self, credential: Credential) -> bytes:
        """Return the secret in a credential for this TPM and its attestation key.

        Raises:
            PlatformError: `platform:credential`.
        """
        return activate_credential(self.endorsement_key, self.key_name, credential)

    def _attest(self, pcrs: PcrValues, nonce: bytes, now: datetime) -> bytes:
        if len(nonce) > MAX_NONCE:
            raise ValueError(f"a nonce of at most {MAX_NONCE} bytes")
        values = (value for registers in pcrs.values() for value in registers.values())
        clock = _number(int(now.timestamp() * 1000), 8) + _number(_RESETS, 4) + _number(_RESTARTS, 4) + b"\1"
        return b"".join(
            (
                _number(GENERATED, 4),
                _number(QUOTE, 2),
                _sized(_name(_ENDORSEMENT_HIERARCHY + self.key_name)),
                _sized(nonce),
                clock,
                _number(_FIRMWARE, 8),
                _number(len(pcrs), 4),
                *(_number(bank, 2) + _select(registers) for bank, registers in pcrs.items()),
                _sized(Bank.SHA256.digest(*values)),
            )
        )

    def _signature(self, attest: bytes) -> bytes:
        scalars = decode_dss_signature(self.attestation_key.sign(attest, ec.ECDSA(SHA256())))
        parts = (_sized(_number(scalar, _COORDINATE)) for scalar in scalars)
        return _number(Scheme.ECDSA, 2) + _number(Bank.SHA256, 2) + b"".join(parts)


def create_tpm(*, now: datetime, entropy: Entropy) -> SimulatedTpm:
    """Make a manufacturer and one TPM of it.

    Args:
        now: Aware UTC; certificates are valid from a day before.
        entropy: Where keys and serial numbers come from.
    """
    root_key, ca_key, endorsement_key, attestation_key = (generate_key(entropy) for _ in range(4))
    root = issue_manufacturer(
        "sealmesh simulated TPM Root CA", root_key, issuer=None, issuer_key=root_key, now=now, entropy=entropy
    )
    ca = issue_manufacturer(
        "sealmesh simulated TPM EK CA", ca_key, issuer=root, issuer_key=root_key, now=now, entropy=entropy
    )
    ek = issue_endorsement_certificate(
        endorsement_key.public_key(), issuer=ca, issuer_key=ca_key, now=now, entropy=entropy
    )
    return SimulatedTpm(
        ek_chain=(ek, *(above.public_bytes(Encoding.DER) for above in (ca, root))),
        endorsement_key=endorsement_key,
        attestation_key=attestation_key,
    )


def _simulated_root(sha256: bytes) -> TrustRoot:
    return TrustRoot(name=TRUST_ROOT_NAME, family=Family.TPM, sha256=sha256, simulated=True)


def _name(content: bytes) -> bytes:
    return _number(Bank.SHA256, 2) + Bank.SHA256.digest(content)


def _select(registers: Iterable[int]) -> bytes:
    bits = sum(1 << register for register in registers)
    return bytes((_SELECT_BYTES,)) + bits.to_bytes(_SELECT_BYTES, "little")


def _number(value: int, size: int) -> bytes:
    return value.to_bytes(size, "big")


def _sized(data: bytes) -> bytes:
    return _number(len(data), 2) + data
