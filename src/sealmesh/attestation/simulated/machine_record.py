"""A simulated SNP processor, Nitro hypervisor or TPM, private keys included: for a private file only."""

import json
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from sealmesh.attestation.simulated.nitro import SimulatedHypervisor
from sealmesh.attestation.simulated.snp import CaKey, SimulatedChip
from sealmesh.attestation.simulated.tpm import SimulatedTpm
from sealmesh.errors.attestation import PlatformError

_CHIP, _HYPERVISOR = "sealmesh-simulated-snp-v1", "sealmesh-simulated-nitro-v1"
_TPM = "sealmesh-simulated-tpm-v1"


def encode_chip(chip: SimulatedChip) -> bytes:
    """Return a JSON document that holds the processor, whose CAs have elliptic keys."""
    return _encode(
        _CHIP,
        {
            "key": _der(chip.key),
            "vcek": chip.vcek,
            "ask": chip.ask,
            "ark": chip.ark,
            "arkKey": _der(chip.ark_key),
            "chipID": chip.chip_id,
            "tcb": chip.tcb,
        },
    )


def parse_chip(raw: bytes) -> SimulatedChip:
    """Return the processor that `encode_chip` wrote.

    Raises:
        PlatformError: `platform:damaged`.
    """
    with_names = _parse(_CHIP, raw)
    try:
        return SimulatedChip(
            key=_ec_key(with_names["key"]),
            vcek=with_names["vcek"],
            ask=with_names["ask"],
            ark=with_names["ark"],
            ark_key=_ec_key(with_names["arkKey"]),
            chip_id=with_names["chipID"],
            tcb=with_names["tcb"],
        )
    except (KeyError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _damaged() from error


def encode_hypervisor(hypervisor: SimulatedHypervisor) -> bytes:
    """Return a JSON document that holds the hypervisor."""
    members = {
        "root": hypervisor.root,
        "certificate": hypervisor.certificate,
        "key": _der(hypervisor.key),
    }
    return _encode(_HYPERVISOR, members)


def parse_hypervisor(raw: bytes) -> SimulatedHypervisor:
    """Return the hypervisor that `encode_hypervisor` wrote.

    Raises:
        PlatformError: `platform:damaged`.
    """
    members = _parse(_HYPERVISOR, raw)
    try:
        key = _ec_key(members["key"])
        return SimulatedHypervisor(root=members["root"], certificate=members["certificate"], key=key)
    except (KeyError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _damaged() from error


def encode_tpm(tpm: SimulatedTpm) -> bytes:
    """Return a JSON document that holds the TPM."""
    certificate, ca, root = tpm.ek_chain
    return _encode(
        _TPM,
        {
            "root": root,
            "ca": ca,
            "ekCertificate": certificate,
            "ek": _der(tpm.endorsement_key),
            "ak": _der(tpm.attestation_key),
        },
    )


def parse_tpm(raw: bytes) -> SimulatedTpm:
    """Return the TPM that `encode_tpm` wrote.

    Raises:
        PlatformError: `platform:damaged`.
    """
    members = _parse(_TPM, raw)
    try:
        return SimulatedTpm(
            ek_chain=(members["ekCertificate"], members["ca"], members["root"]),
            endorsement_key=_ec_key(members["ek"]),
            attestation_key=_ec_key(members["ak"]),
        )
    except (KeyError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _damaged() from error


def _encode(kind: str, members: Mapping[str, bytes]) -> bytes:
    texts = {name: b2a_base64(value, newline=False).decode() for name, value in members.items()}
    warning = "simulation: whoever reads this file can make Evidence of anything"
    return json.dumps({"format": kind, "warning": warning, **texts}, indent=1).encode() + b"\n"


def _parse(kind: str, raw: bytes) -> dict[str, bytes]:
    try:
        document = json.loads(raw)
        if document.pop("format") != kind:
            raise ValueError("another format")
        document.pop("warning", None)
        return {name: a2b_base64(text, strict_mode=True) for name, text in document.items()}
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged() from error


def _der(key: CaKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _ec_key(der: bytes) -> ec.EllipticCurvePrivateKey:
    key = load_der_private_key(der, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("a key of another kind")
    return key


def _damaged() -> PlatformError:
    return PlatformError(
        "a simulated machine's file is damaged",
        code="platform:damaged",
        remedy="Restore the file, or delete it: a new machine has a new trust root.",
    )
