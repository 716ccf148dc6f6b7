"""RIMs as NVIDIA would sign them, or as somebody would forge them. Canonical XML is written by hand here."""

from base64 import b64encode
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256, sha384
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)
ROOT_KEY, CA_KEY, SIGNER_KEY = (ec.derive_private_key(scalar, ec.SECP384R1()) for scalar in (109, 113, 127))
SWID = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
HASHES = "http://www.w3.org/2001/04/xmlenc#sha384"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
C14N = "http://www.w3.org/2006/12/xml-c14n11"
ENVELOPED = f"{DSIG}enveloped-signature"
ECDSA = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
DIGEST = "http://www.w3.org/2001/04/xmldsig-more#sha384"


def certificate(
    key: Any, name: str, issuer: str, issuer_key: Any, *, ca: bool, days: int = 700
) -> x509.Certificate:
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, n)]) for n in (name, issuer)]
    return (
        x509.CertificateBuilder()
        .subject_name(names[0])
        .issuer_name(names[1])
        .public_key(key.public_key())
        .serial_number(len(name))
        .not_valid_before(NOW - timedelta(days=60))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False), critical=True)
        .sign(issuer_key, SHA384())
    )


ROOT = certificate(ROOT_KEY, "RIM Root", "RIM Root", ROOT_KEY, ca=True)
CA = certificate(CA_KEY, "RIM CA", "RIM Root", ROOT_KEY, ca=True)
SIGNER = certificate(SIGNER_KEY, "RIM Signer", "RIM CA", CA_KEY, ca=False)
ROOT_SHA256 = sha256(ROOT.public_bytes(Encoding.DER)).digest()


def resource(
    index: int, *values: bytes, active: str = "True", alternatives: int | None = None, size: int = 48
) -> str:
    """One measurement, its attributes in canonical order: those without a namespace first, by name."""
    count = len(values) if alternatives is None else alternatives
    hashes = "".join(f' ns2:Hash{number}="{value.hex()}"' for number, value in enumerate(values))
    return (
        f'<ns0:Resource active="{active}" alternatives="{count}" index="{index}" size="{size}"'
        f' type="Measurement"{hashes}></ns0:Resource>'
    )


@dataclass(frozen=True, kw_only=True)
class Rim:
    """What goes into a RIM; `but` forges a part."""

    version: str = "96.00.5E.00.01"
    resources: tuple[str, ...] = (
        resource(1, b"\1" * 48),
        resource(2, b"\2" * 48, b"\3" * 48),
        resource(7, bytes(48), active="False"),
    )
    key: Any = SIGNER_KEY
    certificates: tuple[x509.Certificate, ...] = (SIGNER, CA, ROOT)
    algorithms: dict[str, str] = field(default_factory=dict)
    uri: str = ""
    root: str = "SoftwareIdentity"
    extra: str = ""

    def but(self, **changes: Any) -> "Rim":
        return replace(self, **changes)

    @property
    def scope(self) -> str:
        return f'xmlns="{SWID}" xmlns:ns0="{SWID}" xmlns:ns2="{HASHES}"'

    def body(self, signature: str) -> str:
        """The document around a signature; without one, its canonical form."""
        return (
            f'<{self.root} {self.scope} name="GH100">\n'
            f'<ns0:Meta colloquialVersion="{self.version}" product="GH100"></ns0:Meta>\n'
            f"<ns0:Payload>\n{''.join(self.resources)}\n</ns0:Payload>\n{self.extra}{signature}</{self.root}>"
        )

    def signed_info(self, declared: str) -> str:
        """`declared`: the namespaces in scope; none but `ds` where it stands in the document."""
        names = {"c14n": C14N, "method": ECDSA, "enveloped": ENVELOPED, "transform": C14N, "digest": DIGEST}
        use = {**names, **self.algorithms}
        digest = b64encode(sha384(self.body("").encode()).digest()).decode()
        return (
            f"<ds:SignedInfo{declared}>"
            f'<ds:CanonicalizationMethod Algorithm="{use["c14n"]}"></ds:CanonicalizationMethod>'
            f'<ds:SignatureMethod Algorithm="{use["method"]}"></ds:SignatureMethod>'
            f'<ds:Reference URI="{self.uri}"><ds:Transforms>'
            f'<ds:Transform Algorithm="{use["enveloped"]}"></ds:Transform>'
            f'<ds:Transform Algorithm="{use["transform"]}"></ds:Transform></ds:Transforms>'
            f'<ds:DigestMethod Algorithm="{use["digest"]}"></ds:DigestMethod>'
            f"<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
        )

    def signature(self) -> str:
        canonical = self.signed_info(f' xmlns="{SWID}" xmlns:ds="{DSIG}" {self.scope.split(" ", 1)[1]}')
        r, s = decode_dss_signature(self.key.sign(canonical.encode(), ec.ECDSA(SHA384())))
        value = b64encode(r.to_bytes(48, "big") + s.to_bytes(48, "big")).decode()
        certificates = "".join(
            f"<ds:X509Certificate>{b64encode(one.public_bytes(Encoding.DER)).decode()}</ds:X509Certificate>"
            for one in self.certificates
        )
        return (
            f'<ds:Signature xmlns:ds="{DSIG}">{self.signed_info("")}'
            f"<ds:SignatureValue>{value}</ds:SignatureValue>"
            f"<ds:KeyInfo><ds:X509Data>{certificates}</ds:X509Data></ds:KeyInfo></ds:Signature>"
        )

    def encode(self) -> bytes:
        return self.body(self.signature()).encode()


VBIOS = Rim()
DRIVER = Rim(version="590.12", resources=(resource(8, b"\x08" * 48), resource(21, b"\x15" * 48)))
