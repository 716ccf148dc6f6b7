"""Distinguished names: the CA's two sets, and what a leaf keeps of its request's subject."""

from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from sealmesh.errors.pki import CertificateRequestError, IssuingError


@dataclass(frozen=True, slots=True, kw_only=True)
class CaNames:
    """The common names of root and intermediate; the Marble root bears the intermediate's."""

    root: str
    intermediate: str


SEALMESH_NAMES: Final = CaNames(
    root="sealmesh Coordinator", intermediate="sealmesh Coordinator - Intermediate CA"
)
#: The relaxation `marblerun-names` (COMPAT, sections 6 and 15).
MARBLERUN_NAMES: Final = CaNames(
    root="MarbleRun Coordinator", intermediate="MarbleRun Coordinator - Intermediate CA"
)

#: The attributes of a subject that are known, in the order in which they are written. Others in a
#: certificate request are dropped, as MarbleRun drops them.
_ATTRIBUTES: Final = (
    NameOID.COUNTRY_NAME,
    NameOID.ORGANIZATION_NAME,
    NameOID.ORGANIZATIONAL_UNIT_NAME,
    NameOID.LOCALITY_NAME,
    NameOID.STATE_OR_PROVINCE_NAME,
    NameOID.STREET_ADDRESS,
    NameOID.POSTAL_CODE,
    NameOID.COMMON_NAME,
    NameOID.SERIAL_NUMBER,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A subject by attributes, as a manifest's `Cert.Subject` gives it."""

    common_name: str | None = None
    serial_number: str | None = None
    country: tuple[str, ...] = ()
    organization: tuple[str, ...] = ()
    organizational_unit: tuple[str, ...] = ()
    locality: tuple[str, ...] = ()
    province: tuple[str, ...] = ()
    street_address: tuple[str, ...] = ()
    postal_code: tuple[str, ...] = ()

    def to_name(self) -> x509.Name:
        """Return the distinguished name; several values of one attribute share one RDN.

        Raises:
            IssuingError: A value X.509 does not allow, such as a country of other than two letters.
        """
        values = {
            NameOID.COUNTRY_NAME: self.country,
            NameOID.ORGANIZATION_NAME: self.organization,
            NameOID.ORGANIZATIONAL_UNIT_NAME: self.organizational_unit,
            NameOID.LOCALITY_NAME: self.locality,
            NameOID.STATE_OR_PROVINCE_NAME: self.province,
            NameOID.STREET_ADDRESS: self.street_address,
            NameOID.POSTAL_CODE: self.postal_code,
            NameOID.COMMON_NAME: () if self.common_name is None else (self.common_name,),
            NameOID.SERIAL_NUMBER: () if self.serial_number is None else (self.serial_number,),
        }
        try:
            return x509.Name(
                x509.RelativeDistinguishedName([x509.NameAttribute(oid, value) for value in values[oid]])
                for oid in _ATTRIBUTES
                if values[oid]
            )
        except ValueError as error:
            raise IssuingError(
                "The subject cannot be written into a certificate", found=str(error)
            ) from error


def common_name(text: str) -> x509.Name:
    """Return the distinguished name that has nothing but this common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def leaf_subject(requested: x509.Name, *, cn: str) -> x509.Name:
    """Return the subject of a Marble's certificate: the requested one without organization, with our CN.

    Raises:
        CertificateRequestError: The requested subject cannot be written again.
    """
    asked: dict[x509.ObjectIdentifier, list[x509.NameAttribute[str | bytes]]] = {}
    for attribute in requested:
        asked.setdefault(attribute.oid, []).append(attribute)
    asked.pop(NameOID.ORGANIZATION_NAME, None)
    asked[NameOID.COMMON_NAME] = [x509.NameAttribute(NameOID.COMMON_NAME, cn)]
    try:
        return x509.Name(
            x509.RelativeDistinguishedName(dict.fromkeys(asked[oid])) for oid in _ATTRIBUTES if oid in asked
        )
    except ValueError as error:
        raise CertificateRequestError("The request's subject cannot be used", found=str(error)) from error
