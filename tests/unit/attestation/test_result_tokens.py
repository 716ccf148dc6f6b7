"""Signed Attestation Results: read by others' libraries, and refused when anything is not as it must be."""

import hmac
import json
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
import cwt
import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from sealmesh.attestation.results import (
    PROFILE,
    Aspect,
    Ear,
    Form,
    Signer,
    Submodule,
    Tier,
    issue_ear,
    parse_token,
    sign_ear,
    verify_token,
)
from sealmesh.errors.results import (
    ResultError,
    ResultFormatError,
    ResultUnknown,
    ResultVerificationError,
)

#: The libraries of others look at the real clock.
NOW = datetime.now(UTC).replace(microsecond=0)
KEY = ec.generate_private_key(ec.SECP384R1())
NONCE = bytes(range(16))


def certificate(name: str) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, KEY.public_key(), 7, NOW, NOW + timedelta(days=1))
    return builder.sign(KEY, hashes.SHA384()).public_bytes(Encoding.DER)


CHAIN = (certificate("intermediate"), certificate("root"))
SIGNER = Signer(key=KEY, chain=CHAIN)
EAR = issue_ear(
    {
        "sgx": Submodule(
            status=Tier.WARNING,
            vector={Aspect.EXECUTABLES: 3, Aspect.HARDWARE: 32, Aspect.RUNTIME_OPAQUE: 2},
            policies=("sealmesh-manifest:sha256:00",),
            attester_claims={"unique_id": "aa", "debug": False, "product_id": 7},
            verifier_claims={"trust_root": "intel", "advisories": ("INTEL-SA-1", "INTEL-SA-2")},
        ),
        "gpu": Submodule(status=Tier.AFFIRMING, vector={Aspect.HARDWARE: 2}),
    },
    now=NOW,
    nonce=NONCE,
)


def read(token: bytes, **how: Any) -> Ear:
    return verify_token(parse_token(token), how.pop("key", KEY.public_key()), **({"now": NOW} | how))


def refused(token: bytes, kind: type[ResultError] = ResultFormatError, **how: Any) -> ResultError:
    with pytest.raises(kind) as caught:
        read(token, **how)
    return caught.value


def encoded(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def raw_signature(message: bytes, key: Any = KEY) -> bytes:
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA384())))
    return r.to_bytes(48, "big") + s.to_bytes(48, "big")


def jws(claims: bytes, header: bytes = b'{"alg":"ES384"}') -> bytes:
    """A JWT that our key signed, whatever stands in it; made here, not by the code under test."""
    message = encoded(header) + b"." + encoded(claims)
    return message + b"." + encoded(raw_signature(message))


def sign1(claims: bytes, header: bytes = cbor2.dumps({1: -35})) -> bytes:
    """The same as CWT."""
    message = cbor2.dumps(["Signature1", header, b"", claims])
    return cbor2.dumps(cbor2.CBORTag(61, cbor2.CBORTag(18, [header, {}, claims, raw_signature(message)])))


def json_claims(**changes: Any) -> dict[str, Any]:
    claims = {
        "eat_profile": PROFILE,
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 60,
        "ear_verifier_id": {"developer": "d", "build": "b"},
        "submods": {"x": {"ear_status": "affirming", "ear_trustworthiness_vector": {"hardware": 2}}},
    }
    return {name: value for name, value in (claims | changes).items() if value is not None}


def cbor_claims(changes: dict[Any, Any]) -> dict[Any, Any]:
    claims = {
        265: PROFILE,
        6: int(NOW.timestamp()),
        4: int(NOW.timestamp()) + 60,
        1004: {0: "d", 1: "b"},
        266: {"x": {1000: 2, 1001: {4: 2}}},
    }
    return {name: value for name, value in (claims | changes).items() if value is not None}


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("ear", [EAR, replace(EAR, nonce=None)], ids=["nonce", "no nonce"])
def test_what_is_signed_is_read_back_as_it_was(form: Form, ear: Ear) -> None:
    token = parse_token(sign_ear(ear, form, SIGNER))
    assert (token.form, token.chain) == (form, CHAIN)
    assert verify_token(token, KEY.public_key(), now=NOW, nonce=ear.nonce) == ear


def test_pyjwt_verifies_the_jwt_and_reads_the_claims_of_the_draft() -> None:
    token = sign_ear(EAR, Form.JWT, SIGNER).decode()
    claims = jwt.decode(token, KEY.public_key(), algorithms=["ES384"])
    assert claims == {
        "eat_profile": "tag:ietf.org,2026:rats/ear#04",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 3600,
        "eat_nonce": b64encode(NONCE).decode(),
        "ear_status": "warning",
        "ear_verifier_id": {"developer": "sealmesh", "build": claims["ear_verifier_id"]["build"]},
        "submods": {
            "sgx": {
                "ear_status": "warning",
                "ear_trustworthiness_vector": {"executables": 3, "hardware": 32, "runtime-opaque": 2},
                "ear_appraisal_policy_ids": ["sealmesh-manifest:sha256:00"],
                "ear_attester_claims": {"unique_id": "aa", "debug": False, "product_id": 7},
                "ear_verifier_claims": {"trust_root": "intel", "advisories": ["INTEL-SA-1", "INTEL-SA-2"]},
            },
            "gpu": {"ear_status": "affirming", "ear_trustworthiness_vector": {"hardware": 2}},
        },
    }
    header = jwt.get_unverified_header(token)
    assert (header["alg"], header["typ"]) == ("ES384", "eat+jwt")
    first = x509.load_der_x509_certificate(urlsafe_b64decode(header["x5c"][0].translate({43: 45, 47: 95})))
    assert first.public_key() == KEY.public_key()


def test_pyjwt_refuses_the_jwt_under_another_key() -> None:
    token = sign_ear(EAR, Form.JWT, SIGNER).decode()
    other = ec.generate_private_key(ec.SECP384R1()).public_key()
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, other, algorithms=["ES384"])


def cose_key(key: Any, kid: bytes) -> Any:
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return cwt.COSEKey.from_pem(pem.decode(), alg="ES384", kid=kid)


def test_python_cwt_verifies_the_cwt_and_reads_the_claims_of_the_draft() -> None:
    token = sign_ear(EAR, Form.CWT, SIGNER)
    header = cbor2.loads(cbor2.loads(token).value.value[0])
    assert (header[1], header[16], header[33]) == (-35, "application/eat+cwt", list(CHAIN))
    claims = cwt.decode(token, cose_key(KEY, header[4]))
    assert claims == {
        265: "tag:ietf.org,2026:rats/ear#04",
        6: int(NOW.timestamp()),
        4: int(NOW.timestamp()) + 3600,
        10: NONCE,
        1000: 32,
        1004: {0: "sealmesh", 1: claims[1004][1]},
        266: {
            "sgx": {
                1000: 32,
                1001: {2: 3, 4: 32, 5: 2},
                1003: ["sealmesh-manifest:sha256:00"],
                1005: {"unique_id": "aa", "debug": False, "product_id": 7},
                1006: {"trust_root": "intel", "advisories": ["INTEL-SA-1", "INTEL-SA-2"]},
            },
            "gpu": {1000: 2, 1001: {4: 2}},
        },
    }


def test_python_cwt_refuses_the_cwt_under_another_key() -> None:
    token = sign_ear(EAR, Form.CWT, SIGNER)
    kid = cbor2.loads(cbor2.loads(token).value.value[0])[4]
    with pytest.raises(cwt.VerifyError):
        cwt.decode(token, cose_key(ec.generate_private_key(ec.SECP384R1()), kid))


def test_what_others_sign_with_our_key_is_read() -> None:
    token = jwt.encode(json_claims(), KEY, algorithm="ES384").encode()
    assert read(token + b"\n").status is Tier.AFFIRMING
    assert read(jws(json.dumps(json_claims()).encode())).verifier.build == "b"
    assert read(sign1(cbor2.dumps(cbor_claims({})))).status is Tier.AFFIRMING
    assert read(sign1(cbor2.dumps(cbor_claims({})))[2:]).status is Tier.AFFIRMING  # tag 18 alone


def test_claims_that_are_not_known_are_passed_over() -> None:
    claims = json_claims(ear_raw_evidence="AA", iss="who", anything={"a": [None, 1.5]})
    claims["submods"]["x"] |= {"eat_profile": "tag:example.org,2031:x", "mine": [[]]}
    claims["submods"]["x"]["ear_trustworthiness_vector"]["a-new-aspect"] = 96
    assert read(jws(json.dumps(claims).encode())).submodules["x"].vector == {Aspect.HARDWARE: 2}
    assert read(sign1(cbor2.dumps(cbor_claims({1002: b"e", -70000: {"x": 1}})))).status is Tier.AFFIRMING


def test_algorithm_none_is_refused() -> None:
    token = jwt.encode(json_claims(), None, algorithm="none").encode()
    assert refused(token + b"AAAA").code == "result-algorithm"
    assert refused(token).code == "result-format"  # no third part at all


def test_other_algorithms_are_refused_before_any_key_is_used() -> None:
    # The public key as the secret of a MAC: what fools readers that let the header choose.
    secret = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    message = encoded(b'{"alg":"HS384"}') + b"." + encoded(json.dumps(json_claims()).encode())
    token = message + b"." + encoded(hmac.digest(secret, message, "sha384"))
    assert refused(token).code == "result-algorithm"
    p256 = ec.generate_private_key(ec.SECP256R1())
    assert refused(jwt.encode(json_claims(), p256, algorithm="ES256").encode()).code == "result-algorithm"
    assert refused(sign1(b"", cbor2.dumps({1: -7}))).code == "result-algorithm"
    assert refused(sign1(b"", cbor2.dumps({}))).code == "result-algorithm"
    assert refused(jws(b"{}", b'{"alg":["ES384"]}')).code == "result-algorithm"


def test_header_that_must_be_understood_is_refused() -> None:
    claims = json.dumps(json_claims()).encode()
    assert refused(jws(claims, b'{"alg":"ES384","crit":["b64"],"b64":false}')).code == "result-algorithm"
    assert refused(sign1(b"", cbor2.dumps({1: -35, 2: [99], 99: 1}))).code == "result-algorithm"


def test_another_kind_of_token_is_refused() -> None:
    claims = json.dumps(json_claims()).encode()
    assert "another kind" in refused(jws(claims, b'{"alg":"ES384","typ":"at+jwt"}')).message
    assert "another kind" in refused(sign1(b"", cbor2.dumps({1: -35, 16: "application/other"}))).message


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256R1()).public_key(),
        rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key(),
        b"a secret",
    ],
    ids=["P-256", "RSA", "bytes"],
)
@pytest.mark.parametrize("form", Form)
def test_key_of_another_kind_is_refused(form: Form, key: object) -> None:
    assert refused(sign_ear(EAR, form, SIGNER), ResultVerificationError, key=key).code == "result-key"


def test_signer_on_another_curve_is_refused() -> None:
    with pytest.raises(ResultFormatError, match="P-384"):
        Signer(key=ec.generate_private_key(ec.SECP256R1()))


@pytest.mark.parametrize("form", Form)
def test_signature_of_another_key_is_refused(form: Form) -> None:
    token = sign_ear(EAR, form, Signer(key=ec.generate_private_key(ec.SECP384R1()), chain=CHAIN))
    assert refused(token, ResultVerificationError).code == "result-signature"


def test_key_that_comes_in_a_header_is_not_used() -> None:
    other = ec.generate_private_key(ec.SECP384R1())
    jwk = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(other.public_key()))
    token = jwt.encode(json_claims(), other, algorithm="ES384", headers={"jwk": jwk}).encode()
    assert refused(token, ResultVerificationError).code == "result-signature"


def test_expired_result_is_refused() -> None:
    for form in Form:
        token = sign_ear(EAR, form, SIGNER)
        assert read(token, now=EAR.expires - timedelta(seconds=1)) == EAR
        assert refused(token, ResultVerificationError, now=EAR.expires).code == "result-expired"


def test_result_from_the_future_is_refused() -> None:
    token = sign_ear(EAR, Form.JWT, SIGNER)
    assert read(token, now=NOW - timedelta(seconds=60)) == EAR
    early = refused(token, ResultVerificationError, now=NOW - timedelta(seconds=61))
    assert early.code == "result-early"


def test_result_for_another_nonce_is_refused() -> None:
    for ear in (EAR, replace(EAR, nonce=None)):
        token = sign_ear(ear, Form.CWT, SIGNER)
        assert refused(token, ResultVerificationError, nonce=b"another nonce").code == "result-nonce"


PROFILES = ["tag:github.com,2023:veraison/ear", "tag:ietf.org,2026:rats/ear#05", "", 5, None]


@pytest.mark.parametrize("profile", PROFILES)
def test_another_profile_is_refused(profile: object) -> None:
    assert refused(jws(json.dumps(json_claims(eat_profile=profile)).encode())).code == "result-profile"
    assert refused(sign1(cbor2.dumps(cbor_claims({265: profile})))).code == "result-profile"


@pytest.mark.parametrize("status", ["trustworthy", "AFFIRMING", "", 2, True, None, ["affirming"]])
def test_unknown_status_is_refused(status: object) -> None:
    claims = json_claims(submods={"x": {"ear_status": status} if status is not None else {}})
    assert refused(jws(json.dumps(claims).encode())).code == "result-status-unknown"


@pytest.mark.parametrize("status", [1, 3, 97, -1, "affirming", True, b"\2"])
def test_unknown_status_of_a_cwt_is_refused(status: object) -> None:
    claims = cbor_claims({266: {"x": {1000: status}}})
    assert refused(sign1(cbor2.dumps(claims))).code == "result-status-unknown"


def test_unknown_overall_status_is_refused() -> None:
    claims = json_claims(ear_status="fine")
    assert refused(jws(json.dumps(claims).encode())).code == "result-status-unknown"


@pytest.mark.parametrize(
    ("status", "value"),
    [("affirming", 32), ("affirming", 96), ("warning", 96), ("none", 32), ("affirming", -33)],
)
def test_status_that_trusts_more_than_its_vector_is_refused(status: str, value: int) -> None:
    submodule = {"ear_status": status, "ear_trustworthiness_vector": {"hardware": value}}
    claims = json_claims(submods={"x": submodule})
    assert refused(jws(json.dumps(claims).encode())).code == "result-status-contradicts"


def test_overall_status_that_trusts_more_than_a_part_is_refused() -> None:
    claims = json_claims(submods={"x": {"ear_status": "warning"}}, ear_status="affirming")
    assert refused(jws(json.dumps(claims).encode())).code == "result-status-contradicts"


@pytest.mark.parametrize(
    "text", ['"iat":1,', '"submods":{},', '"ear_status":"affirming","ear_status":"none",']
)
def test_key_that_stands_twice_is_refused(text: str) -> None:
    document = json.dumps(json_claims()).encode()
    error = refused(jws(b"{" + text.encode() + document[1:]))
    assert (error.code, "twice" in str(error)) == ("result-format", True)


def test_header_key_that_stands_twice_is_refused() -> None:
    error = refused(jws(json.dumps(json_claims()).encode(), b'{"alg":"none","alg":"ES384"}'))
    assert "twice" in str(error)


def test_cbor_key_that_stands_twice_is_refused() -> None:
    claims = cbor2.dumps(cbor_claims({}))
    doubled = bytes([claims[0] + 1]) + claims[1:] + b"\x06\x01"
    assert "twice" in refused(sign1(doubled)).message
    assert "twice" in refused(sign1(claims, b"\xa2\x01\x38\x22\x01\x38\x22")).message


@pytest.mark.parametrize("raw", [b"a" * 65537, b"e30." + b"e" * 70000 + b".e30", b"\xd2" + bytes(70000)])
def test_token_that_is_too_long_is_refused(raw: bytes) -> None:
    assert refused(raw).code == "result-size"


@pytest.mark.parametrize(
    "raw",
    [b"", b".", b"..", b"a.b", b"a.b.c.d", b"a.b.c\n\n", b"\xd8\x3d", b"{}", b"e30=.e30.e30", b"e31.e30.AA"],
)
def test_what_is_no_token_is_refused(raw: bytes) -> None:
    assert refused(raw).code == "result-format"


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iat", 1.5),
        ("iat", True),
        ("iat", "1"),
        ("iat", None),
        ("iat", -1),
        ("iat", 10**18),
        ("exp", None),
        ("exp", 4e9),
        ("exp", 1),
        ("submods", {}),
        ("submods", []),
        ("submods", None),
        ("submods", {"": {"ear_status": "none"}}),
        ("submods", {"\x1b[2J": {"ear_status": "none"}}),
        ("submods", {"x": {"ear_status": "none"}, "y": 5}),
        ("submods", {str(n): {"ear_status": "none"} for n in range(17)}),
        ("ear_verifier_id", None),
        ("ear_verifier_id", {"developer": "d"}),
        ("ear_verifier_id", {"developer": "d", "build": "\x1b"}),
        ("eat_nonce", "short"),
        ("eat_nonce", "*" * 16),
        ("eat_nonce", b64encode(bytes(7)).decode()),
        ("eat_nonce", b64encode(bytes(65)).decode()),
        ("eat_nonce", ["AAAAAAAAAAA="]),
    ],
)
def test_claim_of_another_form_is_refused(claim: str, value: object) -> None:
    assert refused(jws(json.dumps(json_claims(**{claim: value})).encode())).code == "result-format"


@pytest.mark.parametrize(
    "vector", [{"hardware": 128}, {"hardware": -129}, {"hardware": 2.0}, {"hardware": "2"}, []]
)
def test_vector_of_another_form_is_refused(vector: object) -> None:
    claims = json_claims(submods={"x": {"ear_status": "none", "ear_trustworthiness_vector": vector}})
    assert refused(jws(json.dumps(claims).encode())).code == "result-format"


@pytest.mark.parametrize("policies", [[], "p", [5], ["x"] * 17, [""]])
def test_policies_of_another_form_are_refused(policies: object) -> None:
    claims = json_claims(submods={"x": {"ear_status": "none", "ear_appraisal_policy_ids": policies}})
    assert refused(jws(json.dumps(claims).encode())).code == "result-format"


@pytest.mark.parametrize("chain", ["x", ["*"], [5], [b64encode(CHAIN[0]).decode()] * 5])
def test_chain_of_another_form_is_refused(chain: object) -> None:
    header = json.dumps({"alg": "ES384", "x5c": chain}).encode()
    assert refused(jws(json.dumps(json_claims()).encode(), header)).code == "result-format"


@pytest.mark.parametrize("chain", ["x", [], [5], [CHAIN[0]] * 5])
def test_chain_of_another_form_in_a_cwt_is_refused(chain: object) -> None:
    assert refused(sign1(b"", cbor2.dumps({1: -35, 33: chain}))).code == "result-format"


def flipped(token: bytes) -> list[Callable[[], bytes]]:
    def at(index: int) -> Callable[[], bytes]:
        return lambda: token[:index] + bytes([token[index] ^ 1]) + token[index + 1 :]

    return [at(index) for index in range(0, len(token), 7)]


@pytest.mark.parametrize("form", Form)
def test_no_changed_byte_is_accepted(form: Form) -> None:
    token = sign_ear(EAR, form, SIGNER)
    for change in flipped(token):
        with pytest.raises(ResultError):
            read(change())


def test_result_ends_before_the_collateral_it_rests_on() -> None:
    collateral, certificate_end = NOW + timedelta(minutes=20), NOW + timedelta(minutes=30)
    ear = issue_ear(EAR.submodules, now=NOW, ends=(certificate_end, collateral))
    assert ear.expires == collateral
    assert issue_ear(EAR.submodules, now=NOW, lifetime=timedelta(minutes=5)).expires == NOW + timedelta(
        minutes=5
    )


def test_nothing_is_issued_on_collateral_that_has_ended() -> None:
    with pytest.raises(ResultUnknown) as caught:
        issue_ear(EAR.submodules, now=NOW, ends=(NOW,))
    assert caught.value.code == "result-stale"


@pytest.mark.parametrize("length", [0, 7, 65])
def test_nonce_of_another_length_is_not_issued(length: int) -> None:
    with pytest.raises(ResultFormatError) as caught:
        issue_ear(EAR.submodules, now=NOW, nonce=bytes(length))
    assert caught.value.code == "result-nonce-length"
