"""What can be wrong with certificates, certificate requests and identities."""

from sealmesh.errors.base import Kind, SealmeshError


class PkiError(SealmeshError):
    """Base of everything that concerns certificates and the names in them."""

    code = "pki"


class IdentityError(PkiError):
    """A SPIFFE ID, Marble type, UUID or trust domain that is not well-formed."""

    code = "identity-malformed"


class CertificateRequestError(PkiError):
    """A certificate request (PKCS #10) that is malformed, oversize or not signed by its own key."""

    code = "csr-refused"
    remedy = "Send a DER certificate request signed by the key it names, with DNS names and IP addresses only"


class IssuingError(PkiError):
    """A certificate that may not be issued, or one that did not come out as asked for and was withheld."""

    code = "certificate-not-issued"
    kind = Kind.CONFIGURATION


class AuthorityError(PkiError):
    """Stored keys and certificates of the mesh's authority do not fit together."""

    code = "authority-broken"
    kind = Kind.CONFIGURATION
    remedy = "Restore the seal directory from a copy; the stored authority is damaged"


class MarbleChainError(PkiError):
    """A peer's certificate does not show a Marble of this mesh at this time."""

    code = "marble-chain-refused"
    kind = Kind.DENIED
    remedy = (
        "Check that the peer was activated by the Coordinator whose root is pinned, and the clocks of both"
    )
