"""OCSP responses about a GPU's certificates, as files: what they say counts, and only if its CA says it."""

import importlib.util
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sealmesh.adapters.endorser import FamilyFilesEndorser
from sealmesh.adapters.endorser.contents import contents_of
from sealmesh.attestation import (
    Family,
    GpuCollateral,
    TrustRoot,
    Unchecked,
    VerificationCache,
    VerifiedEvidence,
    encode_gpu_evidence,
    parse_endorsements,
    parse_evidence,
    verify,
)
from sealmesh.errors.attestation import AttestationError, EndorserError


def _load(name: str) -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "evidence" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"evidence_{name}_ocsp", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


maker = _load("gpu")
NOW = maker.NOW
RAW = encode_gpu_evidence(exchange=maker.Exchange().encode(), chain=maker.CHAIN)
RESPONDER_KEY = ec.derive_private_key(103, ec.SECP384R1())
STRANGER = ec.derive_private_key(107, ec.SECP384R1())
NOBODY = maker.certificate(STRANGER, "Family", "Family", STRANGER, ca=True)
GOOD, REVOKED, UNKNOWN = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED, ocsp.OCSPCertStatus.UNKNOWN


def responder(
    issuer_key: Any = maker.CA_KEY,
    issuer: str = "Family",
    *,
    purpose: Any = ExtendedKeyUsageOID.OCSP_SIGNING,
    days: int = 20,
) -> x509.Certificate:
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("Responder", issuer)]
    builder = (
        x509.CertificateBuilder()
        .subject_name(names[0])
        .issuer_name(names[1])
        .public_key(RESPONDER_KEY.public_key())
        .serial_number(77)
        .not_valid_before(NOW - timedelta(days=60))
        .not_valid_after(NOW + timedelta(days=days))
    )
    if purpose is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    return builder.sign(issuer_key, SHA384())


def response(
    certificate: x509.Certificate = maker.DEVICE,
    issuer: x509.Certificate = maker.CA,
    *,
    key: Any = maker.CA_KEY,
    status: ocsp.OCSPCertStatus = GOOD,
    made: datetime = NOW - timedelta(hours=1),
    until: datetime | None = NOW + timedelta(days=1),
    brings: x509.Certificate | None = None,
    answers: x509.Certificate | None = None,
    naming: Any = None,
) -> bytes:
    """A response; `answers` is who it says it is from, where that is not who should."""
    revoked = status is REVOKED
    builder = ocsp.OCSPResponseBuilder().add_response(
        certificate,
        issuer,
        naming or SHA1(),
        status,
        made,
        until,
        made if revoked else None,
        x509.ReasonFlags.key_compromise if revoked else None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, answers or brings or issuer)
    if brings is not None:
        builder = builder.certificates([brings])
    return builder.sign(key, SHA384()).public_bytes(Encoding.DER)


def checked(*responses: bytes, cache: VerificationCache | None = None) -> VerifiedEvidence:
    collateral = GpuCollateral(chain=None, crls=Unchecked(), nonce=Unchecked(), ocsp=responses)
    roots = [TrustRoot(name="lab", family=Family.GPU, sha256=maker.ROOT_SHA256)]
    return verify(parse_evidence(RAW), collateral, roots=roots, now=NOW, cache=cache)


def refusal(*responses: bytes) -> str:
    with pytest.raises(AttestationError) as caught:
        checked(*responses)
    return caught.value.code


@pytest.mark.parametrize("naming", [SHA1(), SHA256(), SHA384()], ids=["sha1", "sha256", "sha384"])
def test_a_good_device_is_admitted_for_as_long_as_the_response_holds(naming: Any) -> None:
    assert checked(response(naming=naming)).expires == NOW + timedelta(days=1)


def test_a_response_of_a_responder_that_the_ca_named_counts() -> None:
    own = response(key=RESPONDER_KEY, brings=responder())
    assert checked(own).expires == NOW + timedelta(days=1)


def test_each_certificate_of_the_chain_may_have_its_response() -> None:
    of_ca = response(maker.CA, maker.ROOT, key=maker.ROOT_KEY, until=NOW + timedelta(hours=5))
    assert checked(response(), of_ca).expires == NOW + timedelta(hours=5)


ATTACKS: list[tuple[str, Callable[[], bytes], str]] = [
    ("a revoked device", lambda: response(status=REVOKED), "revoked:gpu device"),
    ("a device that the CA does not know", lambda: response(status=UNKNOWN), "ocsp status:gpu device"),
    ("a revoked CA", lambda: response(maker.CA, maker.ROOT, key=maker.ROOT_KEY, status=REVOKED),
     "revoked:gpu ca 1"),
    ("signed by a stranger", lambda: response(key=STRANGER, answers=NOBODY), "ocsp sig:gpu device"),
    ("signed by the CA of the CA", lambda: response(key=maker.ROOT_KEY, answers=maker.ROOT),
     "ocsp sig:gpu device"),
    ("signed by the device itself", lambda: response(key=maker.DEVICE_KEY, brings=maker.DEVICE),
     "ocsp sig:gpu device"),
    ("a responder without the purpose", lambda: response(key=RESPONDER_KEY, brings=responder(purpose=None)),
     "ocsp sig:gpu device"),
    ("a responder for another purpose",
     lambda: response(key=RESPONDER_KEY, brings=responder(purpose=ExtendedKeyUsageOID.SERVER_AUTH)),
     "ocsp sig:gpu device"),
    ("a responder of another CA",
     lambda: response(key=RESPONDER_KEY, brings=responder(maker.ROOT_KEY, "Root")), "ocsp sig:gpu device"),
    ("a responder that a stranger certified in the CA's name",
     lambda: response(key=RESPONDER_KEY, brings=responder(STRANGER)), "ocsp sig:gpu device"),
    ("another key than the responder's", lambda: response(key=STRANGER, answers=NOBODY, brings=responder()),
     "ocsp sig:gpu device"),
    ("a responder whose certificate expired", lambda: response(key=RESPONDER_KEY, brings=responder(days=-1)),
     "expired:ocsp responder"),
    ("an old response", lambda: response(made=NOW - timedelta(days=9), until=NOW - timedelta(days=1)),
     "expired:ocsp"),
    ("a response of the future", lambda: response(made=NOW + timedelta(hours=1)), "expired:ocsp"),
    ("a response without an end", lambda: response(until=None), "ocsp scope:gpu device"),
    ("about another certificate", lambda: response(maker.ROOT, maker.ROOT, key=maker.ROOT_KEY),
     "ocsp certificate:gpu ca 1"),
    ("cut", lambda: response()[:-1], "format:ocsp"),
    ("nothing", lambda: b"", "format:ocsp"),
    ("a responder that is busy",
     lambda: ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(
         Encoding.DER), "format:ocsp"),
    ("too long", lambda: bytes(40_000), "limit:ocsp"),
]  # fmt: skip


@pytest.mark.parametrize(("attack", "make", "code"), ATTACKS, ids=[attack for attack, _, _ in ATTACKS])
def test_attack_is_refused(attack: str, make: Callable[[], bytes], code: str) -> None:
    assert refusal(make()) == code


def test_one_bad_response_among_good_ones_refuses() -> None:
    assert refusal(response(), response(maker.CA, maker.ROOT, key=maker.ROOT_KEY, status=REVOKED)) == (
        "revoked:gpu ca 1"
    )


def test_more_responses_than_a_chain_has_certificates_are_refused() -> None:
    assert refusal(*[response()] * 9) == "limit:gpu ocsp"


def test_no_flipped_bit_changes_what_a_response_says() -> None:
    raw = response()
    for position in range(len(raw)):
        forged = bytearray(raw)
        forged[position] ^= 1 << position % 8
        try:
            assert checked(bytes(forged)).expires == NOW + timedelta(days=1)
        except AttestationError:
            pass


def test_a_remembered_device_is_judged_anew_by_another_response() -> None:
    cache = VerificationCache()
    assert checked(response(), cache=cache)
    with pytest.raises(AttestationError) as caught:
        checked(response(status=REVOKED), cache=cache)
    assert caught.value.code == "revoked:gpu device"


# From files


def by_files(directory: Path) -> VerifiedEvidence:
    evidence = parse_evidence(RAW)
    raw = FamilyFilesEndorser(directory).collateral_for(evidence)
    roots = [TrustRoot(name="lab", family=Family.GPU, sha256=maker.ROOT_SHA256)]
    return verify(evidence, parse_endorsements(evidence, raw), roots=roots, now=NOW)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gpu-ocsp").mkdir()
    (tmp_path / "gpu-ocsp" / "a.der").write_bytes(response())
    return tmp_path


def test_a_device_gets_the_responses_about_its_chain_from_a_folder(folder: Path) -> None:
    """And not those about other devices, of which there may be hundreds."""
    other = maker.certificate(STRANGER, "Another device", "Family", maker.CA_KEY, ca=False)
    for number in range(50):
        (folder / "gpu-ocsp" / f"other-{number}.der").write_bytes(response(other, status=REVOKED))
    assert by_files(folder).expires == NOW + timedelta(days=1)


def test_a_revoked_device_is_refused_by_its_file(folder: Path) -> None:
    (folder / "gpu-ocsp" / "a.der").write_bytes(response(status=REVOKED))
    with pytest.raises(AttestationError) as caught:
        by_files(folder)
    assert caught.value.code == "revoked:gpu device"


def test_lists_and_responses_stand_beside_each_other(folder: Path) -> None:
    (folder / "gpu.pem").write_bytes(_pem_of(maker.crl()))
    assert by_files(folder).expires == NOW + timedelta(days=1)
    (folder / "gpu.pem").write_bytes(_pem_of(maker.crl(maker.CA.serial_number)))
    with pytest.raises(AttestationError) as caught:
        by_files(folder)
    assert caught.value.code == "revoked:gpu ca 1"


def test_a_file_that_is_no_response_is_said_at_the_start(folder: Path) -> None:
    (folder / "gpu-ocsp" / "b.der").write_bytes(b"no")
    with pytest.raises(EndorserError, match="OCSP response cannot be read"):
        FamilyFilesEndorser(folder)


def test_the_dates_of_a_response_can_be_shown() -> None:
    (part,) = contents_of(response())
    assert (part.name, part.validity.not_after) == ("OCSP response", NOW + timedelta(days=1))


def _pem_of(der: bytes) -> bytes:
    return x509.load_der_x509_crl(der).public_bytes(Encoding.PEM)
