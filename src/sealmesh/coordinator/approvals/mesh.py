"""What an approval is bound to: one mesh, and one manifest in force in it."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.pki import trust_domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Mesh:
    """A mesh by its root, which lives as long as its state.

    Attributes:
        root: SHA-256 of the root certificate's DER, in hex.
    """

    trust_domain: str
    root: str

    @classmethod
    def of(cls, root: x509.Certificate) -> "Mesh":
        """Return the mesh under this root certificate."""
        key: Any = root.public_key()
        return cls(trust_domain=trust_domain(key), root=sha256(root.public_bytes(Encoding.DER)).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestEpoch:
    """A manifest while it is in force: the same bytes, put in force again later, are another epoch.

    Attributes:
        number: 1 for the first manifest; every manifest or higher package version is one more.
    """

    fingerprint: str
    number: int
