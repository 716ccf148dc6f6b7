"""TDX quotes: the TDX module and the TEE_TCB_SVN, on forged platforms (the real ones are vectors)."""

import json
from dataclasses import replace
from typing import Any

import pytest

from sealmesh.attestation import Family, TcbStatus, TdClaims, VerifiedEvidence
from sealmesh.attestation.dcap.ecdsa import encode_point, sign_raw
from sealmesh.attestation.dcap.enclave_report import EnclaveReport, encode_enclave_report
from sealmesh.attestation.dcap.quote import INTEL_QE_VENDOR_ID
from sealmesh.attestation.dcap.quote_signature import qe_report_data
from sealmesh.attestation.simulated.endorsements import QE_MR_SIGNER
from sealmesh.errors.attestation import EvidenceFormatError, VerificationError

Scene = Any
S = TcbStatus
SIGNER = bytes(48)


def td_body(tee_tcb_svn: tuple[int, int, int], signer: bytes, seam: bytes, attributes: bytes) -> bytes:
    svn = bytes(tee_tcb_svn) + bytes(13)
    return (
        svn + b"\1" * 48 + signer + seam + attributes + bytes(8) + b"\2" * 48 + bytes(144)
        + b"".join(bytes((n,)) * 48 for n in (3, 4, 5, 6)) + bytes(range(64))
    )  # fmt: skip


def td_quote(scene: Scene, body: bytes, *, version: int = 4, body_type: int = 2) -> bytes:
    platform = scene.platform
    header = (
        version.to_bytes(2, "little") + b"\2\0" + b"\x81\0\0\0" + bytes(4) + INTEL_QE_VENDOR_ID + bytes(20)
    )
    descriptor = body_type.to_bytes(2, "little") + len(body).to_bytes(4, "little") if version == 5 else b""
    signed = header + descriptor + body
    point = encode_point(platform.attestation_key.public_key())
    report = encode_enclave_report(
        EnclaveReport(
            cpu_svn=platform.identity.cpu_svn, misc_select=bytes(4), attributes=b"\x11" + bytes(15),
            mr_enclave=bytes(32), mr_signer=QE_MR_SIGNER, isv_prod_id=2, isv_svn=1,
            report_data=qe_report_data(point, b""),
        )
    )  # fmt: skip
    chain = platform.pck_chain
    inner = (
        report + sign_raw(platform.pck.key, report) + b"\0\0\5\0" + len(chain).to_bytes(4, "little") + chain
    )
    data = (
        sign_raw(platform.attestation_key, signed)
        + point
        + b"\6\0"
        + len(inner).to_bytes(4, "little")
        + inner
    )
    return signed + len(data).to_bytes(4, "little") + data


def tdx_collateral(scene: Scene) -> dict[str, str]:
    zero = {"mrsigner": SIGNER.hex(), "attributes": "00" * 8, "attributesMask": "FF" * 8}
    info, identity = json.loads(scene.collateral["tcb_info"]), json.loads(scene.collateral["qe_identity"])
    info |= {
        "id": "TDX",
        "tdxModule": zero,
        "tdxModuleIdentities": [
            {
                "id": "TDX_01",
                **zero,
                "tcbLevels": [
                    {"tcb": {"isvsvn": 5}, "tcbStatus": "UpToDate"},
                    {"tcb": {"isvsvn": 3}, "tcbStatus": "OutOfDate", "advisoryIDs": ["INTEL-SA-01036"]},
                ],
            }
        ],
    }
    info["tcbLevels"][0]["tcb"]["tdxtcbcomponents"] = [{"svn": n} for n in (6, 1, 2, *[0] * 13)]
    identity |= {"id": "TD_QE", "isvprodid": 2}
    signed = {"tcb_info": json.dumps(info), "qe_identity": json.dumps(identity)}
    signatures = {
        f"{name}_signature": sign_raw(scene.vendor.tcb_signer.key, text.encode()).hex()
        for name, text in signed.items()
    }
    return {**scene.collateral, **signed, **signatures}


def verify_td(
    scene: Scene,
    tee_tcb_svn: tuple[int, int, int] = (5, 1, 2),
    *,
    signer: bytes = SIGNER,
    seam: bytes = bytes(8),
    attributes: bytes = bytes(8),
) -> VerifiedEvidence:
    roots = (replace(scene.roots[0], family=Family.TDX),)
    quote = td_quote(scene, td_body(tee_tcb_svn, signer, seam, attributes))
    return scene.but(quote=quote, collateral=tdx_collateral(scene), roots=roots).verify()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("tee_tcb_svn", "status", "platform_status", "advisories"),
    [
        ((5, 1, 2), S.UP_TO_DATE, S.UP_TO_DATE, ()),
        ((4, 1, 2), S.OUT_OF_DATE, S.UP_TO_DATE, ("INTEL-SA-01036",)),
        ((2, 1, 2), S.NOT_SUPPORTED, S.UP_TO_DATE, ()),
        ((5, 1, 1), S.NOT_SUPPORTED, S.NOT_SUPPORTED, ()),
        ((6, 0, 2), S.NOT_SUPPORTED, S.NOT_SUPPORTED, ()),
    ],
)
def test_module_is_judged_by_its_own_levels_and_the_rest_by_the_platforms(
    scene: Scene,
    tee_tcb_svn: tuple[int, int, int],
    status: TcbStatus,
    platform_status: TcbStatus,
    advisories: tuple[str, ...],
) -> None:
    tcb = verify_td(scene, tee_tcb_svn).tcb
    assert (tcb.status, tcb.platform_status, tcb.advisories) == (status, platform_status, advisories)


def test_claims_are_those_of_the_td(scene: Scene) -> None:
    claims = verify_td(scene, attributes=b"\1" + bytes(7)).claims
    assert isinstance(claims, TdClaims)
    assert claims.debug
    assert claims.mr_td == b"\2" * 48
    assert [register[0] for register in claims.rtmrs] == [3, 4, 5, 6]
    assert claims.report_data == bytes(range(64))
    assert claims.mr_service_td is None


@pytest.mark.parametrize(
    ("forged", "code"),
    [
        ({"signer": b"\1" * 48}, "tdx module:mrsigner"),
        ({"seam": b"\1" + bytes(7)}, "tdx module:attributes"),
        ({"tee_tcb_svn": (5, 2, 2)}, "tdx module:id"),
    ],
)
def test_module_that_is_not_the_vendors_is_refused(scene: Scene, forged: dict[str, Any], code: str) -> None:
    with pytest.raises(VerificationError) as caught:
        verify_td(scene, **forged)
    assert caught.value.code == code


def test_sgx_collateral_is_not_for_a_td(scene: Scene) -> None:
    roots = (replace(scene.roots[0], family=Family.TDX),)
    quote = td_quote(scene, td_body((5, 1, 2), SIGNER, bytes(8), bytes(8)))
    with pytest.raises(VerificationError) as caught:
        scene.but(quote=quote, roots=roots).verify()
    assert caught.value.code == "tcb_info:id"


def test_version_5_names_its_body(scene: Scene) -> None:
    body = td_body((5, 1, 2), SIGNER, bytes(8), bytes(8)) + bytes(16) + b"\7" * 48
    roots = (replace(scene.roots[0], family=Family.TDX),)
    quote = td_quote(scene, body, version=5, body_type=3)
    verified = scene.but(quote=quote, collateral=tdx_collateral(scene), roots=roots).verify()
    assert verified.claims.mr_service_td == b"\7" * 48
    for body_type, length in ((1, 384), (2, 648), (3, 584), (4, 584)):
        wrong = td_quote(scene, bytes(length), version=5, body_type=body_type)
        with pytest.raises(EvidenceFormatError) as caught:
            scene.but(quote=wrong).verify()
        assert caught.value.code in ("format:body type", "format:body length")
