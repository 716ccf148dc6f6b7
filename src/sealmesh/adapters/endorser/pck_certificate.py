"""The PCK certificate of a quote that names it: by encrypted PPID, or at a PCCS by the quoting enclave's ID.

Source: Intel, "API Documentation: Intel SGX and Intel TDX Provisioning Certification Service", "Get PCK
Certificate"; "Design Guide of Intel SGX Provisioning Certificate Caching Service (PCCS)", which has `qeid`.
"""

from hashlib import sha256
from typing import Final

from sealmesh.adapters.endorser.fetching import Reply
from sealmesh.adapters.endorser.intel_server import IntelServer
from sealmesh.adapters.endorser.item import Item, Published, chain_in, read_certificates, validity_of_chain
from sealmesh.attestation import Family
from sealmesh.attestation.dcap.quote import DcapQuote
from sealmesh.attestation.dcap.signature_data import PPID_RSA3072, PckName
from sealmesh.errors.attestation import EndorserError

_ISSUERS: Final = ("sgx-pck-certificate-issuer-chain",)


def pck_certificate(server: IntelServer, family: Family, quote: DcapQuote) -> Item:
    """Return the item with the PCK chain of `quote`, which names its certificate: part `pem`.

    Args:
        server: Asked for it.
        family: What the quote is of; the paths are SGX's for all.
        quote: Whose signature data has a `pck_name`.

    Raises:
        EndorserError: `endorser:pck`, a PPID in a form that Intel's server does not take.
    """
    name = quote.signature.certification.pck_name
    if name is None:
        raise ValueError("the quote carries its PCK chain")
    query = {**_platform(server, quote, name), **_versions(name)}
    digest = sha256("&".join(f"{key}={value}" for key, value in query.items()).encode()).hexdigest()
    return Item(
        key=server.key("pck", digest),
        url=server.url(Family.SGX, "pckcert", **query),
        headers=_ISSUERS,
        read=_read,
        platform=family,
    )


def _platform(server: IntelServer, quote: DcapQuote, name: PckName) -> dict[str, str]:
    """Return what the platform is found by; a PCCS has what the platform registered, by its QE's ID."""
    if server.caches:
        return {"qeid": quote.qe_id.hex()}
    if name.kind == PPID_RSA3072:
        return {"encrypted_ppid": name.ppid.hex()}
    raise EndorserError(
        f"{server.base} finds platforms by a PPID encrypted with RSA-3072 only",
        code="endorser:pck",
        found=f"certification data of type {name.kind}",
        wanted=f"type {PPID_RSA3072}",
        remedy="Ask a PCCS that the platform is registered with (--endorser pccs:URL).",
    )


def _versions(name: PckName) -> dict[str, str]:
    return {"cpusvn": name.cpu_svn.hex(), "pcesvn": name.pce_svn.hex(), "pceid": name.pce_id.hex()}


def _read(reply: Reply) -> Published:
    """Read a certificate whose issuers stand in a header."""
    issuers, leaf = chain_in(reply, _ISSUERS), read_certificates(reply)
    return Published(
        parts={"pem": leaf.parts["pem"] + issuers},
        issued=leaf.issued,
        validity=leaf.validity.intersect(validity_of_chain(issuers)),
    )
