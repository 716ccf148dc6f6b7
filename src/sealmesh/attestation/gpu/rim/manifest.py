"""NVIDIA's reference integrity manifests (RIM): which measurements a driver or a VBIOS should have.

Plan:

 1. Read the document strictly.
 2. Its signature holds (`signature`).
 3. The signer's certificates lead to an accepted root, and were valid at the time.
 4. Read the measurements. The number of one is that of the SPDM block less one.

A RIM's signer lives about two years and the RIM longer: `at` is the time to judge at. Whether a certificate
was revoked is not looked at.

Source: TCG, Reference Integrity Manifest Information Model 1.01; ISO/IEC 19770-2:2015 (SWID tags); NVIDIA,
"RIM Guide".
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sealmesh.attestation.certification import verify_path
from sealmesh.attestation.family import Family
from sealmesh.attestation.gpu.rim.signature import verify_enveloped
from sealmesh.attestation.gpu.rim.tree import Element, parse_document
from sealmesh.attestation.roots import TrustRoot
from sealmesh.attestation.validity import Validity
from sealmesh.errors.attestation import EndorsementFormatError

NVIDIA_RIM: Final = TrustRoot(
    name="nvidia-rim",
    family=Family.GPU,
    sha256=bytes.fromhex("12977b5115acb0381179279fffeb5a8c4d264971ebb32298023a465fa41df5d1"),
)
"""NVIDIA CoRIM signing Root CA. Signs RIMs only: no Evidence is accepted under it."""

_SWID: Final = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
_HASHES: Final = "http://www.w3.org/2001/04/xmlenc#sha384"
_HASH: Final = re.compile(r"Hash([0-9]{1,2})")
_VBIOS: Final = re.compile(r"[0-9A-F]{2}(?:\.[0-9A-F]{2}){4}")
_DRIVER: Final = re.compile(r"[0-9]{3}(?:\.[0-9]{1,4}){1,3}")
_FIRST_BLOCK: Final = 1
_MAX_INDEX: Final = 253


class Component(StrEnum):
    """What a RIM is about."""

    DRIVER = "driver"
    VBIOS = "vbios"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedRim:
    """A RIM that NVIDIA signed.

    Attributes:
        component: What it is about.
        version: As `nvidia-smi` shows it.
        product: For which kind of device.
        measurements: Accepted values by the number of the SPDM block. What may be anything is not in it.
        validity: When the signer's certificates are valid.
    """

    component: Component
    version: str
    product: str
    measurements: Mapping[int, frozenset[bytes]]
    validity: Validity


def verify_rim(raw: bytes, *, roots: Sequence[TrustRoot], at: datetime) -> VerifiedRim:
    """Verify a RIM; the plan is the module's.

    Raises:
        EndorsementFormatError: `format:rim`, `limit:rim` or a certificate's.
        VerificationError: `signature:rim`, or a certificate's (`rim signer`, `rim ca <n>`, `rim root`).
    """
    # 1. Document.
    root = parse_document(raw)
    # 2. Signature.
    certificates = verify_enveloped(root)
    # 3. Signer.
    between = [f"rim ca {depth}" for depth in range(len(certificates) - 2, 0, -1)]
    subjects = ("rim signer", *between, "rim root")[: len(certificates)]
    path = verify_path(certificates, subjects=subjects, roots=roots, now=at)
    # 4. Measurements.
    meta, payload = _only(root, "Meta"), _only(root, "Payload")
    component, version = _version(meta)
    return VerifiedRim(
        component=component,
        version=version,
        product=meta.attribute("product") or "",
        measurements=_measurements(payload),
        validity=path.validity,
    )


def accepting_rims(rims: Iterable[VerifiedRim]) -> dict[str, object]:
    """Return the form in a manifest's `Evidence` list that accepts a device with these drivers and VBIOSes.

    Raises:
        EndorsementFormatError: `format:rim`, two components that claim the same measurement, or none.
    """
    versions: dict[Component, set[str]] = {component: set() for component in Component}
    claimed: dict[int, Component] = {}
    measurements: dict[int, frozenset[bytes]] = {}
    for rim in rims:
        versions[rim.component].add(rim.version)
        for index, values in rim.measurements.items():
            if claimed.setdefault(index, rim.component) is not rim.component:
                raise EndorsementFormatError(
                    "the driver's and the VBIOS's RIM both say what a measurement is",
                    code="format:rim",
                    found=f"measurement {index}",
                )
            measurements[index] = measurements.get(index, frozenset()) | values
    if not all(versions.values()):
        raise EndorsementFormatError(
            "a device is told by its driver and its VBIOS",
            code="format:rim",
            found=", ".join(component for component, found in versions.items() if found) or "no RIM",
            wanted="the RIM of a driver and the RIM of a VBIOS",
        )
    return {
        "GPU": {
            "Drivers": sorted(versions[Component.DRIVER]),
            "VBIOSes": sorted(versions[Component.VBIOS]),
            "Measurements": {
                str(index): sorted(value.hex() for value in values)
                for index, values in sorted(measurements.items())
            },
        }
    }


def _only(root: Element, local: str) -> Element:
    found = [child for child in root.elements if child.is_named(_SWID, local)]
    if not root.is_named(_SWID, "SoftwareIdentity") or len(found) != 1:
        raise _malformed(f"SoftwareIdentity with one {local}")
    return found[0]


def _version(meta: Element) -> tuple[Component, str]:
    version = meta.attribute("colloquialVersion") or ""
    if _VBIOS.fullmatch(version):
        return Component.VBIOS, version
    if _DRIVER.fullmatch(version):
        return Component.DRIVER, version
    raise _malformed("colloquialVersion with the version of a driver or of a VBIOS", found=version[:40])


def _measurements(payload: Element) -> dict[int, frozenset[bytes]]:
    found: dict[int, frozenset[bytes]] = {}
    for resource in payload.elements:
        if not resource.is_named(_SWID, "Resource") or resource.attribute("type") != "Measurement":
            raise _malformed("measurements and nothing else in the payload", found=resource.name.local)
        index = _number(resource, "index")
        if index in found or not 0 <= index <= _MAX_INDEX:
            raise _malformed("each measurement once", found=f"index {index}")
        active, values = resource.attribute("active"), _values(resource)
        if active not in ("True", "False"):
            raise _malformed('active="True" or "False"', found=active)
        found[index] = values if active == "True" else frozenset()
    return {index + _FIRST_BLOCK: values for index, values in found.items() if values}


def _values(resource: Element) -> frozenset[bytes]:
    numbered: dict[int, str] = {}
    for name, value in resource.attributes:
        match = _HASH.fullmatch(name.local)
        if match is not None and name.namespace == _HASHES:
            numbered[int(match[1])] = value
    count, size = _number(resource, "alternatives"), _number(resource, "size")
    if not numbered or sorted(numbered) != list(range(count)):
        raise _malformed("as many hashes as alternatives", found=f"{len(numbered)} of {count}")
    try:
        values = frozenset(map(bytes.fromhex, numbered.values()))
    except ValueError as error:
        raise _malformed("hashes in hexadecimal") from error
    if any(len(value) != size for value in values):
        raise _malformed(f"hashes of {size} bytes")
    return values


def _number(element: Element, name: str) -> int:
    text = element.attribute(name) or ""
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise _malformed(f"{name} with a number", found=text[:40])
    return int(text)


def _malformed(wanted: str, *, found: str | None = None) -> EndorsementFormatError:
    return EndorsementFormatError(
        "the RIM is not as NVIDIA's are", code="format:rim", found=found, wanted=wanted
    )
