"""TPM quotes: what a forged one is refused for (real ones are vectors, and a swtpm in tests/integration)."""

import importlib.util
from datetime import UTC, datetime, timedelta
from hashlib import sha1, sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from sealmesh.attestation import (
    ActivatedKey,
    Family,
    GivenKeys,
    TpmClaims,
    TpmCollateral,
    TrustRoot,
    Unchecked,
    VerifiedEvidence,
    parse_evidence,
    verify,
)
from sealmesh.attestation.certification import key_fingerprint
from sealmesh.attestation.tpm import Bank, parse_event_log
from sealmesh.attestation.tpm.endorsement_key import MAX_CANDIDATES
from sealmesh.errors.attestation import AttestationError


def _load(name: str) -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "evidence" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"evidence_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


maker = _load("tpm")
NOW = datetime(2031, 3, 1, tzinfo=UTC)
GENUINE = maker.Quote()
OTHER = ec.derive_private_key(67, ec.SECP256R1())
RSA_AK = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def checked(
    raw: bytes,
    *,
    keys: tuple[Any, ...] = (maker.AK,),
    nonce: bytes | Unchecked = b"challenge",
    root: bytes | None = None,
) -> VerifiedEvidence:
    publics = tuple(key.public_key() for key in keys)
    return verify(
        parse_evidence(raw),
        TpmCollateral(key=GivenKeys(keys=publics), nonce=nonce),
        roots=[TrustRoot(name="ak", family=Family.TPM, sha256=root or key_fingerprint(publics[0]))],
        now=NOW,
    )


def refusal(raw: bytes, **arguments: Any) -> str:
    with pytest.raises(AttestationError) as caught:
        checked(raw, **arguments)
    return caught.value.code


def test_genuine_quote_gives_its_claims() -> None:
    claims = checked(GENUINE.encode()).claims
    assert isinstance(claims, TpmClaims)
    assert claims.pcrs == {Bank.SHA256: {0: b"\1" * 32, 7: b"\2" * 32}}
    assert (claims.nonce, claims.clock.reset_count, claims.clock.safe) == (b"challenge", 2, True)


@pytest.mark.parametrize("scheme", [0x14, 0x16])
@pytest.mark.parametrize("digest", [0xB, 0xC, 0xD])
def test_rsa_quotes_verify_by_their_own_scheme(scheme: int, digest: int) -> None:
    quote = GENUINE.but(key=RSA_AK, scheme=scheme, hash=digest)
    assert checked(quote.encode(), keys=(RSA_AK,)).family is Family.TPM


def test_nonce_may_be_left_to_appraisal() -> None:
    assert checked(GENUINE.encode(), nonce=Unchecked()).family is Family.TPM


ATTACKS: list[tuple[str, Any, str]] = [
    ("bytes that the TPM did not make", GENUINE.but(magic=b"\xffTCH"), "format:tpm quote"),
    ("certification of a key instead of a quote", GENUINE.but(kind=0x8017), "format:tpm quote"),
    ("neither safe nor unsafe", GENUINE.but(safe=2), "format:tpm quote"),
    ("something after the quote", GENUINE.but(tail=b"\0"), "format:tpm quote"),
    ("nonce longer than a TPM takes", GENUINE.but(nonce=bytes(67)), "format:tpm quote"),
    ("another key", GENUINE.but(key=OTHER), "trust anchor:attestation key"),
    ("another key, not named", GENUINE.but(key=OTHER, with_key=False), "signature:quote"),
    ("RSA scheme with an ECDSA key", GENUINE.but(scheme=0x14), "format:tpm signature"),
    ("unknown scheme", GENUINE.but(scheme=0x1A), "format:tpm signature"),
    ("SHA-1", GENUINE.but(hash=0x4), "format:tpm signature"),
    ("another challenge", GENUINE.but(nonce=b"challengf"), "nonce"),
    ("values that were not quoted", GENUINE.but(digest=bytes(32)), "pcr digest"),
    ("digest by another hash than the signature's", GENUINE.but(digest=bytes(20)), "pcr digest"),
    (
        "register that was not quoted",
        GENUINE.but(quoted=maker.selection([(0xB, [0])])),
        "pcr selection",
    ),
    (
        "quoted register whose value is left out",
        GENUINE.but(quoted=maker.selection([(0xB, [0, 7, 8])])),
        "pcr selection",
    ),
    (
        "values of another bank",
        GENUINE.but(quoted=maker.selection([(0xC, [0, 7])])),
        "pcr selection",
    ),
    (
        "one bank twice",
        GENUINE.but(quoted=maker.selection([(0xB, [0]), (0xB, [7])])),
        "format:tpm quote",
    ),
    ("a selection of 2^32 banks", GENUINE.but(quoted=b"\xff" * 4), "format:tpm quote"),
    ("a selection of 40 registers", GENUINE.but(quoted=maker.selection([(0xB, [0])], size=5)),
     "format:tpm quote"),
    ("key that signs anything", GENUINE.but(attributes=0x00040072), "profile:attestation key"),
    ("key that may leave its TPM", GENUINE.but(attributes=0x00050070), "profile:attestation key"),
    ("key made outside of the TPM", GENUINE.but(attributes=0x00050052), "profile:attestation key"),
    ("key that also decrypts", GENUINE.but(attributes=0x00070072), "profile:attestation key"),
]  # fmt: skip


@pytest.mark.parametrize(("attack", "quote", "code"), ATTACKS, ids=[attack for attack, _, _ in ATTACKS])
def test_attack_is_refused(attack: str, quote: Any, code: str) -> None:
    assert refusal(quote.encode()) == code


def test_known_key_that_is_no_trust_root_is_refused() -> None:
    assert refusal(GENUINE.encode(), root=bytes(32)) == "root:attestation key"


def test_quote_without_a_key_among_several_known_ones_is_refused() -> None:
    raw = GENUINE.but(with_key=False).encode()
    assert refusal(raw, keys=(maker.AK, OTHER)) == "trust anchor:attestation key"


# Event logs

EVENTS = [maker.event(0, 0x8, b"v1"), maker.event(7, 0x4, bytes(4)), maker.event(4, 0x80000003, b"grub")]
LOGGED = GENUINE.but(
    log=maker.event_log(EVENTS),
    pcrs={0xB: {0: maker.extended(sha256(b"v1").digest()), 7: maker.extended(sha256(bytes(4)).digest())}},
)


def test_event_log_that_leads_to_the_quoted_registers_is_kept() -> None:
    claims = checked(LOGGED.encode()).claims
    assert isinstance(claims, TpmClaims)
    assert [(event.pcr, event.measures_its_data) for event in claims.events] == [(0, True), (7, True)]


def test_events_of_registers_that_were_not_quoted_are_left_out() -> None:
    claims = checked(LOGGED.encode()).claims
    assert isinstance(claims, TpmClaims)
    assert 4 not in {event.pcr for event in claims.events}


@pytest.mark.parametrize(
    ("attack", "events", "code"),
    [
        ("event left out", [*EVENTS[1:], maker.event(0, 0x8, b"v2")], "event log:pcr 0"),
        ("event added", [*EVENTS, maker.event(7, 0x4, bytes(4))], "event log:pcr 7"),
        ("events in another order", [EVENTS[0], maker.event(0, 0x8, b"v0")], "event log:pcr 0"),
        ("event of PCR 24", [*EVENTS, maker.event(24, 0x8, b"")], "format:event log"),
        ("event cut short", [EVENTS[0][:-1]], "format:event log"),
        ("digest of another bank", [maker.event(0, 0x8, b"v1", banks=(0xC,))], "format:event log"),
        ("digest twice", [maker.event(0, 0x8, b"v1", banks=(0xB, 0xB))], "format:event log"),
    ],
)
def test_event_log_that_leads_elsewhere_is_refused(attack: str, events: list[bytes], code: str) -> None:
    assert refusal(LOGGED.but(log=maker.event_log(events)).encode()) == code


def test_event_log_in_another_bank_is_refused() -> None:
    log = maker.event_log([maker.event(0, 0x8, b"v1", banks=(0xC,))], banks=(0xC,))
    assert refusal(LOGGED.but(log=log).encode()) == "event log:bank"


def test_log_in_the_bank_of_sha1_proves_nothing() -> None:
    log = maker.event_log([maker.event(0, 0x8, b"v1", banks=(0x4,))], banks=(0x4,))
    pcrs = {0x4: {0: bytes(20)}}
    assert refusal(GENUINE.but(log=log, pcrs=pcrs).encode()) == "event log:bank"


def test_startup_locality_is_where_register_0_begins() -> None:
    locality = maker.event(0, 0x3, b"StartupLocality\0\x03")
    log = parse_event_log(maker.event_log([locality, EVENTS[0]]))
    start = bytes(31) + b"\3"
    assert log.replay(Bank.SHA256) == {0: maker.extended(sha256(b"v1").digest(), start=start)}


def test_firmware_that_the_hardware_measured_begins_at_locality_4() -> None:
    log = parse_event_log(maker.event_log([maker.event(0, 0x80000010, b"H-CRTM")]))
    start = bytes(31) + b"\4"
    assert log.replay(Bank.SHA256) == {0: maker.extended(sha256(b"H-CRTM").digest(), start=start)}


def test_bank_that_is_not_known_is_skipped() -> None:
    sm3 = 0x12
    listed = b"".join(n.to_bytes(2, "little") + (32).to_bytes(2, "little") for n in (0xB, sm3))
    specification = b"Spec ID Event03\0" + bytes(8) + (2).to_bytes(4, "little") + listed + b"\0"
    head = bytes(4) + (3).to_bytes(4, "little") + bytes(20) + len(specification).to_bytes(4, "little")
    digests = b"\x0b\0" + sha256(b"v1").digest() + sm3.to_bytes(2, "little") + bytes(32)
    event = bytes(4) + (8).to_bytes(4, "little") + (2).to_bytes(4, "little") + digests + b"\2\0\0\0v1"
    log = parse_event_log(head + specification + event)
    assert log.banks == (Bank.SHA256,)
    assert log.replay(Bank.SHA256) == {0: maker.extended(sha256(b"v1").digest())}


def test_log_of_the_old_form_has_sha_1_only() -> None:
    event = (7).to_bytes(4, "little") + (4).to_bytes(4, "little") + sha1(bytes(4)).digest()
    log = parse_event_log(event + (4).to_bytes(4, "little") + bytes(4))
    assert log.replay(Bank.SHA1) == {7: sha1(bytes(20) + sha1(bytes(4)).digest()).digest()}
    assert log.events[0].measures_its_data


@pytest.mark.parametrize("raw", [b"", bytes(100), b"\xff" * 100])
def test_log_without_an_event_is_none(raw: bytes) -> None:
    with pytest.raises(AttestationError):
        parse_event_log(raw)


def test_event_whose_digest_is_not_of_its_data_is_not_believed_word_by_word() -> None:
    forged = maker.event(7, 0x80000001, b"SecureBoot=1", digest=sha256(b"SecureBoot=0").digest())
    (event,) = parse_event_log(maker.event_log([forged])).events
    assert not event.measures_its_data


# Endorsement keys

EK = ec.derive_private_key(71, ec.SECP256R1())
CA_KEY = ec.derive_private_key(73, ec.SECP256R1())


def certificate(
    key: Any,
    name: str,
    *,
    issuer: str = "TPM CA",
    ca: bool = False,
    usage: str = "key_agreement",
    purpose: str | None = "2.23.133.8.1",
    days: int = 10,
) -> bytes:
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, n)]) for n in (name, issuer)]
    usages = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
         "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(names[0])
        .issuer_name(names[1])
        .public_key(key.public_key())
        .serial_number(5)
        .not_valid_before(NOW - timedelta(days=20))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**{**usages, usage: True}), critical=True)
    )
    if purpose is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ObjectIdentifier(purpose)]), critical=False)
    return builder.sign(CA_KEY, SHA256()).public_bytes(Encoding.DER)


ROOT = certificate(CA_KEY, "TPM CA", ca=True, usage="key_cert_sign", purpose=None)


def activated(**changes: Any) -> str | VerifiedEvidence:
    """Verify a quote by an activated key; return the evidence, or the code of the refusal."""
    parts = {
        "public_area": maker.public_area(maker.AK),
        "certificate": certificate(EK, "EK"),
        "candidates": (ROOT,),
        "challenge": bytes(32),
        "answer": bytes(32),
        "root": sha256(ROOT).digest(),
        **changes,
    }
    root = TrustRoot(name="maker of TPMs", family=Family.TPM, sha256=parts.pop("root"))
    quote = parts.pop("quote", GENUINE)
    collateral = TpmCollateral(key=ActivatedKey(**parts), nonce=b"challenge")
    try:
        return verify(parse_evidence(quote.encode()), collateral, roots=[root], now=NOW)
    except AttestationError as error:
        return error.code


def test_key_that_answered_its_manufacturers_challenge_is_believed() -> None:
    verified = activated()
    assert isinstance(verified, VerifiedEvidence)
    assert isinstance(verified.claims, TpmClaims)
    assert verified.claims.manufacturer == "CN=TPM CA"
    assert verified.expires == NOW + timedelta(days=10)


@pytest.mark.parametrize(
    ("attack", "changes", "code"),
    [
        ("wrong answer", {"answer": bytes(31) + b"\1"}, "binding:credential"),
        ("empty challenge, empty answer", {"challenge": b"", "answer": b""}, "binding:credential"),
        ("key without its attributes", {"public_area": maker.public_area(maker.AK, 0x00040072)},
         "profile:attestation key"),
        ("another key activated", {"public_area": maker.public_area(OTHER)}, "trust anchor:attestation key"),
        ("unknown manufacturer", {"root": bytes(32)}, "root:ek root"),
        ("EK certificate that has expired", {"certificate": certificate(EK, "EK", days=-1)}, "expired:ek"),
        ("EK certificate for signing", {"certificate": certificate(EK, "EK", usage="digital_signature")},
         "profile:ek"),
        ("EK certificate for servers", {"certificate": certificate(EK, "EK", purpose="1.3.6.1.5.5.7.3.1")},
         "profile:ek"),
        ("EK certificate that is a CA", {"certificate": certificate(EK, "EK", ca=True)}, "profile:ek"),
        ("no issuer", {"candidates": ()}, "chain:issuer"),
        ("too many issuers", {"candidates": (ROOT,) * (MAX_CANDIDATES + 1)}, "limit:chain"),
    ],
)  # fmt: skip
def test_key_that_its_manufacturer_does_not_vouch_for_is_refused(
    attack: str, changes: dict[str, Any], code: str
) -> None:
    assert activated(**changes) == code
