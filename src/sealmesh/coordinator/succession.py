"""A manifest that takes the place of another: the whole change, once everybody has agreed."""

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from sealmesh.coordinator import places
from sealmesh.coordinator.approvals import epoch_ended
from sealmesh.coordinator.approvals.guard import guard_bytes, guarding_rules
from sealmesh.coordinator.context import Context, Settings
from sealmesh.coordinator.ports import SealPlan
from sealmesh.coordinator.secrets_update import Records, Succession, secrets_after
from sealmesh.coordinator.state import State
from sealmesh.errors.coordinator import UpdateRefused
from sealmesh.manifest import Manifest, SealMode
from sealmesh.pki import Authority, renew_intermediate
from sealmesh.provisioning import try_templates


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """The records of the new state, and its sealing where that changes.

    Attributes:
        rekey: None where recovery keys, threshold, seal mode and the guard stay.
    """

    records: Records
    intermediate: x509.Certificate
    rekey: SealPlan | None


def replaced(raw: bytes, after: Manifest, state: State, context: Context) -> Replacement:
    """Return what putting `raw` in force changes.

    Raises:
        UpdateRefused: It would begin or end sealing, or seal as this Coordinator cannot.
        TemplateRefused: A template fails with placeholder values.
        SecretNotGenerated: A secret cannot be made.
    """
    before, root = state.running.manifest, state.authority.root_cert
    _check_sealing(before, after, context.settings)
    try_templates(after)
    authority = new_intermediate(state.authority, context)
    succession = Succession(state=state, after=after, authority=authority, context=context)
    return Replacement(
        records={
            places.AUTHORITY: authority.to_bytes(),
            places.MANIFEST: raw,
            places.SIGNATURE: authority.root_key.sign(raw, ec.ECDSA(hashes.SHA256())),
            **dict.fromkeys(map(places.package_version, state.shelves.shelf(places.PACKAGES))),
            **epoch_ended(state),
            **secrets_after(succession),
        },
        intermediate=authority.intermediate_cert,
        rekey=seal_plan(after, root) if sealed_otherwise(before, after) else None,
    )


def new_intermediate(authority: Authority, context: Context) -> Authority:
    """Return `authority` with a new intermediate key; names as they were when the CA was made."""
    names = authority.root_cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return renew_intermediate(
        authority,
        context.keys,
        dns_names=names.get_values_for_type(x509.DNSName),
        ip_addresses=names.get_values_for_type(x509.IPAddress),  # type: ignore[arg-type]
        now=context.now,
        lifetime=context.settings.ca_lifetime,
        entropy=context.entropy,
        simulation=authority.simulation,
    )


def seal_plan(manifest: Manifest, root: x509.Certificate) -> SealPlan:
    """Return how a state under `manifest` and `root` is sealed."""
    return SealPlan(
        mode=manifest.config.seal_mode,
        recovery_keys={name: key.public_key for name, key in manifest.recovery_keys.items()},
        recovery_threshold=manifest.config.recovery_threshold,
        guard=guard_bytes(manifest, root),
    )


def _check_sealing(before: Manifest, after: Manifest, settings: Settings) -> None:
    modes = (before.config.seal_mode, after.config.seal_mode)
    if modes.count(SealMode.DISABLED) == 1:
        raise UpdateRefused(
            "an update cannot begin or end sealing",
            found=f"SealMode `{modes[0].value}`, then `{modes[1].value}`",
            remedy="Set up a new Coordinator with the other SealMode.",
        )
    if after.config.seal_mode not in (SealMode.DEFAULT, SealMode.DISABLED, *settings.seal_modes):
        raise UpdateRefused(
            "this Coordinator's sealer cannot keep the SealMode of the manifest",
            found=after.config.seal_mode.value,
            wanted=" or ".join(settings.seal_modes),
            remedy="Write one of these, or start the Coordinator with another --sealer.",
        )


def sealed_otherwise(before: Manifest, after: Manifest) -> bool:
    """Tell whether the state under `after` has another key, other owners, or another guard."""
    return _sealing(before) != _sealing(after)


def _sealing(manifest: Manifest) -> tuple[object, ...]:
    keys = {name: key.der for name, key in manifest.recovery_keys.items()}
    threshold = manifest.config.recovery_threshold or len(keys)  # 0 is another way to write "all"
    mode = manifest.config.seal_mode or SealMode.PRODUCT_KEY  # empty is another way to write the default
    return keys, threshold, mode, guarding_rules(manifest)
