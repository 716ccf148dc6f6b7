"""Who may sign an Attestation Result of a mesh: its Coordinator, and nobody that it ever certified."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.adapters.clock import system_entropy
from sealmesh.adapters.keys import OsKeyFactory
from sealmesh.attestation.results import Aspect, Form, Signer, Submodule, Tier, issue_ear, sign_ear
from sealmesh.client import verify_result, verify_result_of_key
from sealmesh.client.exchange import Answer
from sealmesh.client.result import public_key_in, read_result, root_in
from sealmesh.errors.client import NotServed
from sealmesh.errors.results import ResultFormatError, ResultVerificationError
from sealmesh.pki import Authority, issue_authority, renew_intermediate

NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)
EAR = issue_ear({"sgx": Submodule(status=Tier.AFFIRMING, vector={Aspect.HARDWARE: 2})}, now=NOW)


def authority() -> Authority:
    return issue_authority(
        OsKeyFactory(),
        dns_names=("localhost",),
        now=NOW,
        lifetime=timedelta(days=9),
        entropy=system_entropy,
        simulation=False,
    )


MESH, OTHER = authority(), authority()


def der(*certificates: x509.Certificate) -> tuple[bytes, ...]:
    return tuple(item.public_bytes(Encoding.DER) for item in certificates)


def token(key: Any, *chain: x509.Certificate, form: Form = Form.JWT) -> bytes:
    return sign_ear(EAR, form, Signer(key=key, chain=der(*chain)))


def refused(raw: bytes, root: x509.Certificate = MESH.root_cert, **how: Any) -> ResultVerificationError:
    with pytest.raises(ResultVerificationError) as caught:
        verify_result(raw, root=root, **({"now": NOW} | how))
    return caught.value


def issued(name: str, issuer: x509.Certificate, key: Any, own: Any, *extensions: Any) -> x509.Certificate:
    """Return any certificate that `issuer` could have signed."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer.subject)
        .public_key(own.public_key())
        .serial_number(77)
        .not_valid_before(NOW - timedelta(hours=1))
        .not_valid_after(NOW + timedelta(days=1))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, SHA384())


OWN_KEY = ec.generate_private_key(ec.SECP384R1())
USAGE = MESH.intermediate_cert.extensions.get_extension_for_class(x509.KeyUsage).value
NAMES = MESH.intermediate_cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
LEAF_NAMES = x509.SubjectAlternativeName([x509.UniformResourceIdentifier("spiffe://mesh-00/marble/web/x")])
CA, NO_CA = x509.BasicConstraints(True, None), x509.BasicConstraints(False, None)


@pytest.mark.parametrize("form", Form)
def test_coordinator_s_intermediate_and_root_may_sign(form: Form) -> None:
    for key, chain in (
        (MESH.intermediate_key, (MESH.intermediate_cert, MESH.root_cert)),
        (MESH.intermediate_key, (MESH.intermediate_cert,)),
        (MESH.root_key, (MESH.root_cert,)),
    ):
        found = verify_result(token(key, *chain, form=form), root=MESH.root_cert, now=NOW)
        assert (found.ear, found.form, found.signer) == (EAR, form, MESH.trust_domain)


def test_intermediate_of_a_later_update_may_sign() -> None:
    renewed = renew_intermediate(
        MESH,
        OsKeyFactory(),
        dns_names=("localhost",),
        now=NOW,
        lifetime=timedelta(days=1),
        entropy=system_entropy,
        simulation=False,
    )
    raw = token(renewed.intermediate_key, renewed.intermediate_cert)
    assert verify_result(raw, root=MESH.root_cert, now=NOW).ear == EAR


def test_marble_may_not_sign() -> None:
    leaf = issued("m", MESH.intermediate_cert, MESH.intermediate_key, OWN_KEY, NO_CA, USAGE, LEAF_NAMES)
    assert refused(token(OWN_KEY, leaf, MESH.intermediate_cert, MESH.root_cert)).code == "result-chain"
    assert refused(token(OWN_KEY, MESH.intermediate_cert, leaf)).code == "result-signature"


def test_ca_that_a_manifest_defines_may_not_sign() -> None:
    """Such a CA is the intermediate's, and its key is in Marbles."""
    secret = issued("ca", MESH.intermediate_cert, MESH.intermediate_key, OWN_KEY, CA, USAGE, NAMES)
    assert refused(token(OWN_KEY, secret, MESH.intermediate_cert, MESH.root_cert)).code == "result-chain"
    assert refused(token(OWN_KEY, secret), MESH.marble_root_cert).code == "result-chain"


def test_what_the_root_issued_for_something_else_may_not_sign() -> None:
    for extensions in ((NO_CA, USAGE, NAMES), (CA, USAGE, LEAF_NAMES), (CA, NAMES), (CA, USAGE)):
        other = issued("x", MESH.root_cert, MESH.root_key, OWN_KEY, *extensions)
        assert refused(token(OWN_KEY, other, MESH.root_cert)).code == "result-chain"


def test_another_mesh_may_not_sign() -> None:
    raw = token(OTHER.intermediate_key, OTHER.intermediate_cert, OTHER.root_cert)
    assert refused(raw).code == "result-chain"
    swapped = token(OTHER.intermediate_key, MESH.intermediate_cert, MESH.root_cert)
    assert refused(swapped).code == "result-signature"


def test_stranger_with_a_chain_of_his_own_may_not_sign() -> None:
    for chain in ((), (OTHER.root_cert, MESH.root_cert)):
        assert refused(token(OTHER.root_key, *chain)).code == "result-chain"
    garbage = sign_ear(EAR, Form.CWT, Signer(key=OWN_KEY, chain=(b"no certificate",)))
    assert refused(garbage).code == "result-chain"


def test_signer_has_to_be_valid_now() -> None:
    raw = token(MESH.intermediate_key, MESH.intermediate_cert)
    later = NOW + timedelta(days=10)
    assert refused(raw, now=later).code == "result-chain"
    assert refused(raw, now=NOW + timedelta(hours=1)).code == "result-expired"


def test_given_key_takes_the_place_of_a_root() -> None:
    raw = token(OWN_KEY)
    assert verify_result_of_key(raw, key=OWN_KEY.public_key(), now=NOW).signer == ""
    with pytest.raises(ResultVerificationError):
        verify_result_of_key(raw, key=MESH.root_key.public_key(), now=NOW)


def test_root_is_found_in_a_chain_and_nothing_is_guessed() -> None:
    pem = lambda *items: b"".join(item.public_bytes(Encoding.PEM) for item in items)  # noqa: E731
    assert root_in(pem(MESH.intermediate_cert, MESH.root_cert)) == MESH.root_cert
    for wrong in (b"", b"x", pem(MESH.intermediate_cert), pem(MESH.root_cert, OTHER.root_cert)):
        with pytest.raises(ResultFormatError) as caught:
            root_in(wrong)
        assert caught.value.code == "result-root"
    with pytest.raises(ResultFormatError):
        public_key_in(b"no key")


def test_result_is_asked_for_in_one_request() -> None:
    exchange = read_result(Form.CWT, marble_type="web", uuid="u", nonce=b"\xff\xef")
    request = next(exchange)
    assert (request.method, request.path) == ("GET", "/api/sealmesh/v1/results")
    assert request.query == (("form", "cwt"), ("marble", "web"), ("uuid", "u"), ("nonce", "_-8="))
    with pytest.raises(StopIteration) as done:
        exchange.send(Answer(status=200, content=b"\xd8"))
    assert done.value.value == b"\xd8"
    assert next(read_result(Form.JWT)).query == (("form", "jwt"),)


def test_coordinator_without_results_says_so() -> None:
    exchange = read_result(Form.JWT)
    next(exchange)
    with pytest.raises(NotServed):
        exchange.send(Answer(status=405, content=b""))
