"""Files, environment and arguments for one Marble: the secrets its templates name, then the templates.

A secret that no template and no TLS tag of this Marble names is neither read nor derived nor made.
"""

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sealmesh.coordinator.candidate import Candidate
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.secret_values import Owner, has_previous, previous_secret_for, secret_for
from sealmesh.coordinator.state import State
from sealmesh.errors.coordinator import ParametersRefused
from sealmesh.errors.provisioning import ProvisioningError
from sealmesh.pki import Authority, subject_public_key
from sealmesh.provisioning import (
    MarbleRunSecrets,
    RenderedParameters,
    Secret,
    own_ttls,
    render_parameters,
    ttls_config,
)


def legacy_parameters(
    candidate: Candidate,
    state: State,
    context: Context,
    *,
    leaf: x509.Certificate,
    key: EllipticCurvePrivateKey,
) -> RenderedParameters:
    """Return what a Marble gets over MarbleRun's call, its private key included.

    Raises:
        ParametersRefused: A secret, the TTLS document or a template cannot be made.
    """
    special = _special(state.authority, leaf, key)
    try:
        secrets, previous = _secrets(candidate, state, context)
        ttls = ttls_config(state.running.manifest, candidate.marble_type, special=special, secrets=secrets)
        return _rendered(candidate, state, secrets, previous, special, ttls)
    except ProvisioningError as error:
        raise _refused(error) from error


def own_parameters(
    candidate: Candidate, state: State, context: Context, *, leaf: x509.Certificate
) -> tuple[RenderedParameters, bytes | None]:
    """Return what a Marble with its own key gets, and its TLS document (None without TLS tags).

    Raises:
        ParametersRefused: A secret, the TLS document or a template cannot be made.
    """
    special = _special(state.authority, leaf, None)
    try:
        secrets, previous = _secrets(candidate, state, context)
        ttls = own_ttls(state.running.manifest, candidate.marble_type, secrets=secrets)
        return _rendered(candidate, state, secrets, previous, special, None), ttls
    except ProvisioningError as error:
        raise _refused(error) from error


def own_tls_document(candidate: Candidate, state: State, context: Context) -> bytes | None:
    """Return the TLS document alone, for a renewal.

    Raises:
        ParametersRefused: A certificate that a tag names has no value.
    """
    manifest = state.running.manifest
    served = {item.cert for tag in candidate.marble.tls for item in manifest.tls[tag].incoming if item.cert}
    owner = _owner(candidate)
    try:
        secrets = {name: secret_for(name, owner, state, context) for name in served}
        return own_ttls(manifest, candidate.marble_type, secrets=secrets)
    except ProvisioningError as error:
        raise _refused(error) from error


def _rendered(
    candidate: Candidate,
    state: State,
    secrets: dict[str, Secret],
    previous: dict[str, Secret],
    special: MarbleRunSecrets,
    ttls: bytes | None,
) -> RenderedParameters:
    return render_parameters(
        state.running.compiled.marble(candidate.marble_type),
        secrets=secrets,
        previous=previous,
        special=special,
        ttls=ttls,
    )


def _secrets(
    candidate: Candidate, state: State, context: Context
) -> tuple[dict[str, Secret], dict[str, Secret]]:
    owner = _owner(candidate)
    secrets: dict[str, Secret] = {}
    previous: dict[str, Secret] = {}
    for name in state.running.compiled.marble(candidate.marble_type).needed:
        secrets[name] = secret_for(name, owner, state, context)
        previous[name] = (
            previous_secret_for(name, owner, state, context)
            if has_previous(name, state)
            else secrets[name]  # a certificate that is made at every activation is as good as any
        )
    return secrets, previous


def _owner(candidate: Candidate) -> Owner:
    return Owner(
        marble_type=candidate.marble_type,
        uuid=candidate.uuid,
        disable_binding=candidate.marble.disable_secret_binding,
    )


def _special(
    authority: Authority, leaf: x509.Certificate, key: EllipticCurvePrivateKey | None
) -> MarbleRunSecrets:
    private = b"" if key is None else key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    certificate = leaf.public_bytes(Encoding.DER)
    return MarbleRunSecrets(
        root_ca=authority.marble_root_der,
        marble_cert=certificate,
        marble_private=private,
        marble_public=subject_public_key(certificate),
        coordinator_root=authority.root_der,
        coordinator_intermediate=authority.intermediate_der,
    )


def _refused(error: ProvisioningError) -> ParametersRefused:
    return ParametersRefused(
        error.message, code=error.code, found=error.found, wanted=error.wanted, remedy=error.remedy
    )
