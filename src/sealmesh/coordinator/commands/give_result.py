"""The Attestation Result of one Marble's admission, signed when it is asked for.

Who may read it: the Marble that was admitted, about the certificate that it shows, to pass it on to whom
it wants (RFC 9334's passport); and every user of the manifest, about any Marble. Nobody else: a TCB status
and its advisories tell an attacker which machine to try.

It is signed with the intermediate's key, which is the Coordinator's own and ends with the manifest, under the
chain to the root. Nothing is signed when a Marble comes in.
"""

from hashlib import sha256

from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.attestation.results import Facts, Signer, issue_ear, sign_ear
from sealmesh.coordinator.api import PeerChain, ResultReply, ResultRequest
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.marble_caller import authenticated_marble
from sealmesh.coordinator.marble_uuid import parse_marble_uuid
from sealmesh.coordinator.phase import Act, move
from sealmesh.coordinator.recorded_admission import RecordedAdmission, WantedAdmission
from sealmesh.coordinator.state import State
from sealmesh.coordinator.user_caller import authenticated_user


def wanted_admission(
    request: ResultRequest, chain: PeerChain, state: State, context: Context
) -> WantedAdmission:
    """Return whose admission is asked for, if the caller may ask.

    Raises:
        PhaseError: There is no manifest.
        MarbleUnauthenticated: No Marble is named, and the caller is none.
        UserUnauthenticated: A Marble is named, and the caller is no user.
        BadUuid: What is named is no UUID.
    """
    move(state.phase, Act.GIVE_RESULT)
    if request.marble_type or request.uuid:
        authenticated_user(chain, state, context.settings)
        return WantedAdmission(marble_type=request.marble_type, uuid=str(parse_marble_uuid(request.uuid)))
    marble = authenticated_marble(chain, state, context.now, present_intermediate=True)
    return WantedAdmission(
        marble_type=marble.marble_type,
        uuid=str(marble.uuid),
        certificate=sha256(chain[0]).hexdigest(),
    )


def give_result(
    request: ResultRequest, admission: RecordedAdmission, state: State, context: Context
) -> ResultReply:
    """Return the signed result. It ends before collateral and certificates do.

    Raises:
        ResultUnknown: The admission has ended, or was one without Evidence.
        ResultFormatError: The nonce has the wrong length.
    """
    authority, in_force = state.authority, state.running
    submodules = admission.submodules(
        f"sealmesh-manifest:sha256:{in_force.fingerprint}", _findings(admission, authority.trust_domain)
    )
    ear = issue_ear(
        submodules,
        now=context.now,
        ends=(admission.expires, admission.not_after, authority.validity.not_after),
        lifetime=context.settings.result_lifetime,
        nonce=request.nonce,
    )
    chain = tuple(
        certificate.public_bytes(Encoding.DER)
        for certificate in (authority.intermediate_cert, authority.root_cert)
    )
    signer = Signer(key=authority.intermediate_key, chain=chain)
    return ResultReply(token=sign_ear(ear, request.form, signer), form=request.form)


def _findings(admission: RecordedAdmission, trust_domain: str) -> Facts:
    return {
        "trust_domain": trust_domain,
        "marble_type": admission.marble_type,
        "uuid": admission.uuid,
        "package": admission.package,
        "certificate_sha256": admission.certificate,
        "appraised": f"{admission.appraised:%Y-%m-%dT%H:%M:%SZ}",
    }
