"""What becomes of the secrets when a manifest replaces another (the table of COMPAT section 10)."""

from dataclasses import dataclass, replace

from cryptography import x509

from sealmesh.coordinator import places
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.secret_values import shared_secret
from sealmesh.coordinator.state import State
from sealmesh.manifest import CertificateTemplate, Manifest, SecretDefinition, SecretType
from sealmesh.pki import Authority
from sealmesh.provisioning import Secret

Records = dict[str, bytes | None]
ROOT_SECRET_BYTES = 32
#: In place of a previous value of a private key: it has none, its previous is its present one.
SAME_AS_PRESENT = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """One manifest after another, under a new authority."""

    state: State
    after: Manifest
    authority: Authority
    context: Context

    @property
    def rotates(self) -> bool:
        """Whether root secret and shared keys are made anew."""
        return self.after.config.rotate_root_secret


def secrets_after(succession: Succession) -> Records:
    """Return the records of all secrets that change, and of the root secrets."""
    records: Records = {}
    before = succession.state.running.manifest.secrets
    for name in before.keys() - succession.after.secrets.keys():
        records |= _gone(name, succession.state)
    for name, definition in succession.after.secrets.items():
        old = before.get(name)
        if old is None or not old.same_definition(definition):
            records |= _new(name, definition, succession)
        else:
            records |= _same(name, definition, succession)
    if succession.rotates:
        records[places.PREVIOUS_ROOT_SECRET] = succession.state.root_secret()
        records[places.ROOT_SECRET] = succession.context.entropy(ROOT_SECRET_BYTES)
    return records


def renewed_certificates(state: State, authority: Authority, context: Context) -> Records:
    """Return the records of shared certificates made anew under `authority`: same names, same end date."""
    records: Records = {}
    for name, definition in state.running.manifest.secrets.items():
        if definition.shared and definition.type.is_certificate and not definition.user_defined:
            stored = state.shelves.value(places.secret(name)) or b""
            records[places.secret(name)] = _renewed(
                name, definition, Secret.from_bytes(stored), authority, context
            ).to_bytes()
    return records


def _renewed(
    name: str, definition: SecretDefinition, old: Secret, authority: Authority, context: Context
) -> Secret:
    end = x509.load_der_x509_certificate(old.cert or b"").not_valid_after_utc
    template = replace(definition.certificate or CertificateTemplate(), not_after=end)
    ending = replace(definition, valid_for=0, certificate=template)
    fresh = shared_secret(name, ending, authority, context)
    return replace(fresh, valid_for=old.valid_for)


def _gone(name: str, state: State) -> Records:
    keys = (places.secret(name), places.previous_secret(name))
    return {key: None for key in keys if state.shelves.value(key) is not None}


def _new(name: str, definition: SecretDefinition, succession: Succession) -> Records:
    records = _gone(name, succession.state)
    if definition.user_defined:
        return records
    if definition.shared:
        value = shared_secret(name, definition, succession.authority, succession.context)
        return records | {places.secret(name): value.to_bytes()}
    return records | {places.previous_secret(name): SAME_AS_PRESENT}


def _same(name: str, definition: SecretDefinition, succession: Succession) -> Records:
    if definition.user_defined:
        return {}
    state = succession.state
    if not definition.shared:
        marked = state.shelves.value(places.previous_secret(name)) is not None
        return {places.previous_secret(name): None} if marked and succession.rotates else {}
    is_key = definition.type is SecretType.SYMMETRIC_KEY
    if is_key and not succession.rotates:
        return {}
    value = shared_secret(name, definition, succession.authority, succession.context)
    records: Records = {places.secret(name): value.to_bytes()}
    if is_key:  # the recordings show a certificate's previous value equal to its present one
        records[places.previous_secret(name)] = state.shelves.value(places.secret(name))
    return records
