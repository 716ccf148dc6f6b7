"""Forged quotes, certificates and collateral: each is refused for its own reason."""

import json
from base64 import encodebytes
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.attestation import INTEL, Family
from sealmesh.attestation.dcap.ecdsa import encode_point, sign_raw
from sealmesh.attestation.simulated import EndorsementPlan, QuotingEnclave, create_platform, create_vendor
from sealmesh.attestation.simulated.endorsements import issue_crl, qe_identity, tcb_info
from sealmesh.attestation.simulated.pck_extension import encode_pck_extension
from sealmesh.attestation.simulated.vendor import KeyWithCertificate, generate_key, issue_pck
from sealmesh.errors.attestation import AttestationError

Scene = Any
Attack = Callable[[Scene], Scene]

entropy = Random(1).randbytes
BODY, SIGNATURE = 48, 48 + 384 + 4  # where body and signature data begin in a quote of version 3
KEY, QE_REPORT = SIGNATURE + 64, SIGNATURE + 128
QE_SIGNATURE, AUTH_DATA = QE_REPORT + 384, QE_REPORT + 384 + 64 + 2


def flip(quote: bytes, offset: int) -> bytes:
    return quote[:offset] + bytes((quote[offset] ^ 1,)) + quote[offset + 1 :]


def flipped(offset: int) -> Attack:
    return lambda scene: scene.but(quote=flip(scene.quote, offset))


def quote_by(scene: Scene, **changes: object) -> Scene:
    return scene.but(quote=replace(scene.platform, **changes).quote(scene.enclave, scene.report_data))


def other_vendor(scene: Scene) -> Any:
    return create_vendor(now=scene.now, entropy=entropy)


# --- the quote ---


def body_of_another_enclave(scene: Scene) -> Scene:
    other = scene.platform.quote(replace(scene.enclave, security_version=99), scene.report_data)
    return scene.but(quote=other[:SIGNATURE] + scene.quote[SIGNATURE:])


def attestation_key_of_the_attacker(scene: Scene) -> Scene:
    key = generate_key(entropy)
    signed = scene.quote[: SIGNATURE - 4]
    forged = sign_raw(key, signed) + encode_point(key.public_key())
    return scene.but(quote=scene.quote[:SIGNATURE] + forged + scene.quote[QE_REPORT:])


def quoting_enclave(**changes: object) -> Attack:
    return lambda scene: quote_by(scene, quoting_enclave=QuotingEnclave(**changes))  # type: ignore[arg-type]


def qe_report_signed_by_the_attacker(scene: Scene) -> Scene:
    forged = KeyWithCertificate(key=generate_key(entropy), certificate=scene.platform.pck.certificate)
    return quote_by(scene, pck=forged)


# --- the PCK chain ---


def pck_by_another_ca_of_the_same_name(scene: Scene) -> Scene:
    key = generate_key(entropy)
    extension = encode_pck_extension(scene.platform.identity, instance_id=bytes(16))
    certificate = issue_pck(other_vendor(scene), key.public_key(), extension, now=scene.now, entropy=entropy)
    return quote_by(scene, pck=KeyWithCertificate(key=key, certificate=certificate))


def pck_without_sgx_extension(scene: Scene) -> Scene:
    certificate = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    key = scene.platform.pck.key
    bare = issue_pck(scene.vendor, key.public_key(), certificate, now=scene.now, entropy=entropy)
    return quote_by(scene, pck=KeyWithCertificate(key=key, certificate=bare))


def pck_extension(mutate: Callable[[bytes], bytes]) -> Attack:
    def attack(scene: Scene) -> Scene:
        extension = encode_pck_extension(scene.platform.identity, instance_id=bytes(16))
        forged = x509.UnrecognizedExtension(extension.oid, mutate(extension.value))
        key = scene.platform.pck.key
        certificate = issue_pck(scene.vendor, key.public_key(), forged, now=scene.now, entropy=entropy)
        return quote_by(scene, pck=KeyWithCertificate(key=key, certificate=certificate))

    return attack


def ca_as_pck(scene: Scene) -> Scene:
    return with_chain(scene, scene.vendor.pck_ca.pem + scene.vendor.pck_ca.pem + scene.vendor.root.pem)


def with_chain(scene: Scene, chain: bytes) -> Scene:
    start = AUTH_DATA + 32 + 2
    head = scene.quote[: SIGNATURE - 4]
    signature = scene.quote[SIGNATURE:start] + len(chain).to_bytes(4, "little") + chain
    return scene.but(quote=head + len(signature).to_bytes(4, "little") + signature)


def signature_with_an_unused_bit(scene: Scene) -> Scene:
    """No signature covers the octet that says how many bits of the signature are unused."""
    certificate = scene.platform.pck.certificate
    der, signature = certificate.public_bytes(Encoding.DER), certificate.signature
    forged = der[: -len(signature) - 1] + b"\1" + signature
    pem = b"-----BEGIN CERTIFICATE-----\n" + encodebytes(forged) + b"-----END CERTIFICATE-----\n"
    return with_chain(scene, pem + scene.vendor.pck_ca.pem + scene.vendor.root.pem)


def chain_in_another_order(scene: Scene) -> Scene:
    platform, vendor = scene.platform, scene.vendor
    return with_chain(scene, vendor.pck_ca.pem + platform.pck.pem + vendor.root.pem)


def chain_of_four(scene: Scene) -> Scene:
    return with_chain(scene, scene.platform.pck_chain + scene.vendor.root.pem)


def chain_with_junk(scene: Scene) -> Scene:
    return with_chain(scene, scene.platform.pck_chain + b"junk")


def chain_too_long(scene: Scene) -> Scene:
    return with_chain(scene, scene.platform.pck.pem * 40)


def platform_of_another_vendor(scene: Scene) -> Scene:
    other = create_platform(other_vendor(scene), now=scene.now, entropy=entropy)
    return scene.but(quote=other.quote(scene.enclave, scene.report_data))


def pck_past_its_end(scene: Scene) -> Scene:
    extension = encode_pck_extension(scene.platform.identity, instance_id=bytes(16))
    key = scene.platform.pck.key
    certificate = issue_pck(
        scene.vendor,
        key.public_key(),
        extension,
        now=scene.now,
        entropy=entropy,
        lifetime=timedelta(hours=-1),
    )
    return quote_by(scene, pck=KeyWithCertificate(key=key, certificate=certificate))


# --- collateral ---


def revoked(place: str, who: Callable[[Scene], x509.Certificate]) -> Attack:
    return lambda scene: scene.endorsed(**{place: frozenset({who(scene).serial_number})})


def crl(name: str, issuer: Callable[[Scene], KeyWithCertificate]) -> Attack:
    def attack(scene: Scene) -> Scene:
        forged = issue_crl(issuer(scene), EndorsementPlan(issued=scene.now), frozenset())
        return scene.with_collateral(**{name: forged.hex()})

    return attack


def partial_crl(scene: Scene) -> Scene:
    ca = scene.vendor.pck_ca
    point = x509.IssuingDistributionPoint(
        full_name=[x509.UniformResourceIdentifier("http://example.org/part.crl")],
        relative_name=None,
        only_contains_user_certs=True,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )
    builder = x509.CertificateRevocationListBuilder().issuer_name(ca.certificate.subject)
    builder = builder.last_update(scene.now).next_update(scene.now + timedelta(days=1))
    made = builder.add_extension(point, critical=True).sign(ca.key, SHA256())
    return scene.with_collateral(pck_crl=made.public_bytes(Encoding.DER).hex())


def crl_by_the_ca_under_another_name(scene: Scene) -> Scene:
    impostor = KeyWithCertificate(key=scene.vendor.pck_ca.key, certificate=scene.vendor.root.certificate)
    return crl("pck_crl", lambda _: impostor)(scene)


def stale(*names: str, days: int) -> Attack:
    """Take parts of the collateral that were issued `days` before (or after) now."""

    def attack(scene: Scene) -> Scene:
        old = scene.endorsed(issued=scene.now + timedelta(days=days)).collateral
        return scene.with_collateral(**{name: old[name] for name in names})

    return attack


TCB_INFO = ("tcb_info", "tcb_info_signature")
QE_IDENTITY = ("qe_identity", "qe_identity_signature")


def signed_document(kind: str, change: Callable[[dict[str, Any]], object] | bytes) -> Attack:
    """Have the vendor sign a document that is not as it should be."""

    def attack(scene: Scene) -> Scene:
        text = change
        if not isinstance(text, bytes):
            document = json.loads(scene.collateral[kind])
            text(document)
            text = json.dumps(document).encode()
        signature = sign_raw(scene.vendor.tcb_signer.key, text).hex()
        return scene.with_collateral(**{kind: text.decode(), f"{kind}_signature": signature})

    return attack


def unsigned_document(kind: str) -> Attack:
    def attack(scene: Scene) -> Scene:
        return scene.with_collateral(**{kind: scene.collateral[kind].replace("UpToDate", "UpToDatE")})

    return attack


def qe_identity_as_tcb_info(scene: Scene) -> Scene:
    identity = scene.collateral
    return scene.with_collateral(
        tcb_info=identity["qe_identity"], tcb_info_signature=identity["qe_identity_signature"]
    )


def tcb_info_as_qe_identity(scene: Scene) -> Scene:
    info = scene.collateral
    return scene.with_collateral(
        qe_identity=info["tcb_info"], qe_identity_signature=info["tcb_info_signature"]
    )


def tcb_info_signed_by_the_pck_key(scene: Scene) -> Scene:
    text = json.dumps(tcb_info(EndorsementPlan(issued=scene.now)), separators=(",", ":")).encode()
    chain = scene.platform.pck.pem + scene.vendor.root.pem
    return scene.with_collateral(
        tcb_info_issuer_chain=chain.decode(),
        tcb_info=text.decode(),
        tcb_info_signature=sign_raw(scene.platform.pck.key, text).hex(),
    )


def qe_identity_signed_by_the_pck_ca(scene: Scene) -> Scene:
    text = json.dumps(qe_identity(EndorsementPlan(issued=scene.now)), separators=(",", ":")).encode()
    chain = scene.vendor.pck_ca.pem + scene.vendor.root.pem
    return scene.with_collateral(
        qe_identity_issuer_chain=chain.decode(),
        qe_identity=text.decode(),
        qe_identity_signature=sign_raw(scene.vendor.pck_ca.key, text).hex(),
    )


def tcb_info_of_another_vendor(scene: Scene) -> Scene:
    other = scene.endorsed(other_vendor(scene)).collateral
    names = ("tcb_info_issuer_chain", "tcb_info", "tcb_info_signature")
    return scene.with_collateral(**{name: other[name] for name in names})


def set_to(name: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda document: document.__setitem__(name, value)


ATTACKS: dict[str, tuple[Attack, str]] = {
    "bit in the header": (flipped(30), "signature:quote"),
    "bit in MRENCLAVE": (flipped(BODY + 64), "signature:quote"),
    "bit in the report data": (flipped(BODY + 330), "signature:quote"),
    "bit in a reserved field": (flipped(BODY + 100), "signature:quote"),
    "bit in the quote signature": (flipped(SIGNATURE + 5), "signature:quote"),
    "body of another enclave": (body_of_another_enclave, "signature:quote"),
    "bit in the attestation key": (flipped(KEY + 3), "binding:attestation key"),
    "attestation key of the attacker": (attestation_key_of_the_attacker, "binding:attestation key"),
    "bit in the QE authentication data": (flipped(AUTH_DATA), "binding:attestation key"),
    "bit in the QE report": (flipped(QE_REPORT + 320), "signature:qe report"),
    "bit in the QE report signature": (flipped(QE_SIGNATURE), "signature:qe report"),
    "QE report signed by the attacker": (qe_report_signed_by_the_attacker, "signature:qe report"),
    "QE of another signer": (quoting_enclave(mr_signer=bytes(32)), "qe identity:mrsigner"),
    "QE of another product": (quoting_enclave(isv_prod_id=2), "qe identity:isvprodid"),
    "debug QE": (quoting_enclave(flags=0x13), "qe identity:attributes"),
    "QE with other MISCSELECT": (quoting_enclave(misc_select=b"\1\0\0\0"), "qe identity:miscselect"),
    "PCK of another CA of the same name": (pck_by_another_ca_of_the_same_name, "signature:pck"),
    "PCK without SGX extension": (pck_without_sgx_extension, "profile:pck"),
    "PCK extension with an entry twice": (
        pck_extension(lambda raw: raw[:1] + b"\x82" + (len(raw) - 4 + 20).to_bytes(2, "big") + raw[4:]
                      + raw[4:24]),
        "profile:pck",
    ),
    "PCK extension cut short": (pck_extension(lambda raw: raw[:-1]), "profile:pck"),
    "PCK extension with a byte too many": (pck_extension(lambda raw: raw + b"\0"), "profile:pck"),
    "CA certificate in the place of the PCK": (ca_as_pck, "chain:pck"),
    "PCK signature with an unused bit": (signature_with_an_unused_bit, "format:pck certificate"),
    "PCK past its end": (pck_past_its_end, "expired:pck"),
    "platform of another vendor": (platform_of_another_vendor, "root:pck"),
    "chain in another order": (chain_in_another_order, "chain:ca"),
    "chain of four": (chain_of_four, "format:pck chain"),
    "chain with junk": (chain_with_junk, "format:pck chain"),
    "chain too long": (chain_too_long, "limit:pck chain"),
    "revoked PCK": (revoked("revoked_by_ca", lambda s: s.platform.pck.certificate), "revoked:pck"),
    "revoked CA": (revoked("revoked_by_root", lambda s: s.vendor.pck_ca.certificate), "revoked:ca"),
    "revoked TCB signer": (
        revoked("revoked_by_root", lambda s: s.vendor.tcb_signer.certificate),
        "revoked:tcb signing",
    ),
    "root CRL of the PCK CA": (crl("root_ca_crl", lambda s: s.vendor.pck_ca), "crl sig:root"),
    "root CRL of another root": (crl("root_ca_crl", lambda s: other_vendor(s).root), "crl sig:root"),
    "PCK CRL of the root": (crl("pck_crl", lambda s: s.vendor.root), "crl sig:pck"),
    "PCK CRL of a namesake CA": (crl("pck_crl", lambda s: other_vendor(s).pck_ca), "crl sig:pck"),
    "PCK CRL under another name": (crl_by_the_ca_under_another_name, "crl issuer:pck"),
    "PCK CRL of a part": (partial_crl, "crl scope:pck"),
    "old root CRL": (stale("root_ca_crl", days=-31), "expired:crl"),
    "old PCK CRL": (stale("pck_crl", days=-31), "expired:crl"),
    "PCK CRL of the future": (stale("pck_crl", days=1), "expired:crl"),
    "old TCB info": (stale(*TCB_INFO, days=-31), "expired:tcb_info"),
    "TCB info of the future": (stale(*TCB_INFO, days=1), "expired:tcb_info"),
    "old QE identity": (stale(*QE_IDENTITY, days=-31), "expired:qe_identity"),
    "QE identity of the future": (stale(*QE_IDENTITY, days=1), "expired:qe_identity"),
    "changed TCB info": (unsigned_document("tcb_info"), "signature:tcb_info"),
    "changed QE identity": (unsigned_document("qe_identity"), "signature:qe_identity"),
    "TCB info of another FMSPC": (lambda s: s.endorsed(fmspc=bytes(6)), "fmspc"),
    "TCB info of another PCEID": (lambda s: s.endorsed(pce_id=b"\1\0"), "pceid"),
    "TCB info for TDX": (
        signed_document("tcb_info", lambda d: d.update(
            id="TDX", tdxModule={"mrsigner": "00" * 48, "attributes": "00" * 8, "attributesMask": "FF" * 8},
            tcbLevels=[])),
        "tcb_info:id",
    ),
    "TCB info of an unknown kind": (signed_document("tcb_info", set_to("id", "SNP")), "tcb_info:id"),
    "TCB info of version 4": (signed_document("tcb_info", set_to("version", 4)), "tcb_info:version"),
    "TCB info of another type": (signed_document("tcb_info", set_to("tcbType", 1)), "tcb_info:tcb type"),
    "TCB info with 15 components": (
        signed_document("tcb_info", lambda d: d["tcbLevels"][0]["tcb"]["sgxtcbcomponents"].pop()),
        "format:tcb_info",
    ),
    "TCB info with an unknown status": (
        signed_document("tcb_info", lambda d: d["tcbLevels"][0].update(tcbStatus="Fine")),
        "format:tcb_info",
    ),
    "TCB info with the status of no level": (
        signed_document("tcb_info", lambda d: d["tcbLevels"].append(
            {**d["tcbLevels"][0], "tcbStatus": "NotSupported"})),
        "format:tcb_info",
    ),
    "TCB info, a key twice": (signed_document("tcb_info", b'{"version":3,"version":2}'), "format:tcb_info"),
    "TCB info with too many levels": (
        signed_document("tcb_info", lambda d: d.update(tcbLevels=d["tcbLevels"] * 300)),
        "format:tcb_info",
    ),
    "TCB info that is no JSON": (signed_document("tcb_info", b"{"), "format:tcb_info"),
    "TCB info nested deep": (signed_document("tcb_info", b"[" * 100_000), "format:tcb_info"),
    "TCB info with NaN": (signed_document("tcb_info", b'{"version":NaN}'), "format:tcb_info"),
    "QE identity in the place of TCB info": (qe_identity_as_tcb_info, "format:tcb_info"),
    "TCB info in the place of QE identity": (tcb_info_as_qe_identity, "qe_identity:version"),
    "QE identity for TDX": (signed_document("qe_identity", set_to("id", "TD_QE")), "qe_identity:id"),
    "QE identity of the verification enclave": (
        signed_document("qe_identity", set_to("id", "QVE")), "qe_identity:id"),
    "TCB info signed by the PCK key": (tcb_info_signed_by_the_pck_key, "chain:tcb signing"),
    "QE identity signed by the PCK CA": (qe_identity_signed_by_the_pck_ca, "profile:tcb signing"),
    "TCB info of another vendor": (tcb_info_of_another_vendor, "root:tcb_info"),
    "everything of another vendor": (
        lambda s: platform_of_another_vendor(s).endorsed(other_vendor(s)), "crl sig:root"),
    "another root": (lambda s: s.but(roots=(INTEL,)), "crl sig:root"),
    "root of another family": (
        lambda s: s.but(roots=(replace(s.roots[0], family=Family.TDX),)), "roots:none"),
    "no roots": (lambda s: s.but(roots=()), "roots:none"),
    "years later": (lambda s: s.but(now=s.now.replace(year=2040)), "expired:crl"),
    "years before": (lambda s: s.but(now=s.now.replace(year=2020)), "expired:crl"),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_is_refused_for_its_reason(name: str, scene: Scene) -> None:
    attack, code = ATTACKS[name]
    assert scene.verify()
    with pytest.raises(AttestationError) as caught:
        attack(scene).verify()
    assert caught.value.code == code
    assert caught.value.remedy
