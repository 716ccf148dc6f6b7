"""Azure's Instance Metadata Service, which has what an Azure VM's hardware cannot give by itself.

Microsoft, "Trusted Hardware Identity Management": `GET /metadata/THIM/amd/certification` gives the VCEK of
the chip below and AMD's CAs. Microsoft, "Guest attestation for confidential VMs in Azure: vTPM":
`POST /acc/tdquote` gives a quote of a TDREPORT. Plain HTTP on the VM's own link; nothing of it is believed
before it is verified.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.attestation.azure.runtime_claims import base64url_octets
from sealmesh.errors.attestation import PlatformError

_CERTIFICATION: Final = "/metadata/THIM/amd/certification"
_QUOTE: Final = "/acc/tdquote"
_PATIENCE_SECONDS: Final = 20.0
_MAX_ANSWER_BYTES: Final = 256 * 1024
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class ChipCertificates:
    """The chip's certificate (DER), and AMD's CAs above it (PEM)."""

    vcek: bytes
    authorities: bytes


class MetadataService:
    """The service; each question is a connection of its own.

    Args:
        base: `http://HOST[:PORT]`.
    """

    def __init__(self, base: str) -> None:
        self._base = base
        self._host = urlsplit(base).netloc

    def chip_certificates(self) -> ChipCertificates:
        """Return the certificates of the SNP chip below this VM.

        Raises:
            PlatformError: The service does not give them.
        """
        answer = self._ask("GET", _CERTIFICATION)
        vcek, authorities = answer.get("vcekCert"), answer.get("certificateChain")
        if not isinstance(vcek, str) or not isinstance(authorities, str):
            raise self._refusal("no vcekCert and certificateChain")
        try:
            der = x509.load_pem_x509_certificate(vcek.encode()).public_bytes(Encoding.DER)
        except ValueError as error:
            raise self._refusal("a vcekCert that is no certificate") from error
        return ChipCertificates(vcek=der, authorities=authorities.encode())

    def td_quote(self, report: bytes) -> bytes:
        """Return a quote of a TDREPORT.

        Raises:
            PlatformError: The service does not give it.
        """
        text = urlsafe_b64encode(report).rstrip(b"=").decode()
        quote = base64url_octets(self._ask("POST", _QUOTE, {"report": text}).get("quote"))
        if not quote:
            raise self._refusal("no quote in base64url")
        return quote

    def describe(self) -> str:
        """Return one phrase for people."""
        return f"Azure's metadata service at {self._base}"

    def _ask(self, method: str, path: str, document: Mapping[str, str] | None = None) -> dict[str, object]:
        """Return the JSON object that the service answers; no proxy is asked."""
        headers = {"Metadata": "true", "Accept": "application/json"}
        body = None if document is None else json.dumps(document)
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection = HTTPConnection(self._host, timeout=_PATIENCE_SECONDS)
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            raw = response.read(_MAX_ANSWER_BYTES + 1)
        except (OSError, HTTPException) as error:
            raise self._refusal(f"{path}: {error}") from error
        finally:
            connection.close()
        if response.status != _OK or len(raw) > _MAX_ANSWER_BYTES:
            raise self._refusal(f"{path}: status {response.status}, {len(raw)} bytes")
        try:
            answer = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise self._refusal(f"{path}: no JSON") from error
        if not isinstance(answer, dict):
            raise self._refusal(f"{path}: no JSON object")
        return answer

    def _refusal(self, found: str) -> PlatformError:
        return PlatformError(
            "Azure's metadata service does not give what the Evidence needs",
            found=found,
            wanted="the chip's certificate, or a TD quote",
            remedy=f"Run it in an Azure confidential VM that reaches {self._base} without a proxy.",
        )
