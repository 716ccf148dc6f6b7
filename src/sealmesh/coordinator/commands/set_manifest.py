"""Set the first manifest, or a new one in place of a state that cannot be recovered.

Order: phase; the operator's word where an old state would go; the document; what this Coordinator can serve;
all templates, with placeholder values. Only then secrets are made. A refusal leaves the state as it is.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from sealmesh.coordinator import acts, places
from sealmesh.coordinator.acts import certificate_digest
from sealmesh.coordinator.approvals import Approval, SignedApproval, reset_subject
from sealmesh.coordinator.approvals.guard import Guard
from sealmesh.coordinator.context import Context, Settings
from sealmesh.coordinator.phase import Act, Phase, move
from sealmesh.coordinator.ports import Change, SealPlan
from sealmesh.coordinator.relaxation import Relaxation
from sealmesh.coordinator.secret_values import new_shared_secrets
from sealmesh.coordinator.state import State
from sealmesh.coordinator.succession import seal_plan
from sealmesh.coordinator.update_log import log_line
from sealmesh.errors.coordinator import ManifestRefused, ResetRefused
from sealmesh.manifest import FeatureGate, GovernedAct, Manifest, SealMode, fingerprint, parse_manifest
from sealmesh.provisioning import try_templates

_ROOT_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SetManifest:
    """Put these bytes in force.

    Attributes:
        waiting: What a state that waits for recovery asks of those who give it up; None where there is none
            or it asks nothing.
        approvals: Those that were handed in.
    """

    raw: bytes
    waiting: Guard | None = None
    approvals: tuple[SignedApproval, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Founding:
    """The first commit of a new state, and how it is to be sealed."""

    change: Change
    plan: SealPlan


def decide(command: SetManifest, state: State, context: Context) -> Founding:
    """Return the whole new state under the manifest.

    Raises:
        PhaseError: A manifest is in force.
        ResetRefused: A state waits for recovery and nobody gave it up.
        ApprovalsMissing: That state's manifest reserves giving it up to several.
        ManifestError: The document breaks a rule; all violations are named.
        ManifestRefused: This Coordinator cannot serve it.
        TemplateError: A template fails with placeholder values.
    """
    move(state.phase, Act.SET_MANIFEST)
    _check_reset(state, context.settings)
    approved = _check_approved(command, state, context)
    manifest = parse_manifest(command.raw, lenient=context.settings.relaxed(Relaxation.LENIENT_MANIFEST))
    _check_servable(manifest, context.settings)
    try_templates(manifest)
    return Founding(
        change=Change(
            puts=_records(command.raw, manifest, state, context),
            appends=(_leaf(command.raw, manifest, state, context), *_approvals(approved, context)),
        ),
        plan=seal_plan(manifest, state.authority.root_cert),
    )


def _check_reset(state: State, settings: Settings) -> None:
    if state.phase is not Phase.RECOVERY:
        return
    if not (settings.reset_state or settings.relaxed(Relaxation.INSECURE_RECOVERY_RESET)):
        raise ResetRefused("a sealed state waits for recovery, and a new manifest would destroy it")


def _check_approved(command: SetManifest, state: State, context: Context) -> tuple[Approval, ...]:
    if state.phase is not Phase.RECOVERY or command.waiting is None:
        return ()
    coordinator = certificate_digest(state.authority.root_cert)
    subject = reset_subject(coordinator, command.raw)
    return command.waiting.approved(GovernedAct.RESET, subject, command.approvals, context.now)


def _approvals(approved: tuple[Approval, ...], context: Context) -> tuple[bytes, ...]:
    if not approved:
        return ()
    names, ids = [one.approver for one in approved], [one.id for one in approved]
    act = str(GovernedAct.RESET)
    return (acts.act_approved(context.now, act, user="", approvers=names, approvals=ids),)


def _check_servable(manifest: Manifest, settings: Settings) -> None:
    if FeatureGate.AZURE_HSM_SEALING in manifest.config.feature_gates and not settings.azure_hsm:
        raise ManifestRefused(
            "the manifest wants its key sealed by an Azure HSM, which this Coordinator has no access to",
            code="azure-hsm-not-configured",
            remedy="Set the EDG_AZURE_HSM_* variables of the Coordinator, or remove the feature gate.",
        )
    if manifest.config.seal_mode is SealMode.DISABLED and settings.workers > 1:
        raise ManifestRefused(
            "without sealing the state lives in the memory of one process",
            code="disabled-sealing-with-workers",
            found=f"SealMode `Disabled` and {settings.workers} workers",
            wanted="one worker",
            remedy="Start the Coordinator with --workers 1, or choose another SealMode.",
        )


def _records(raw: bytes, manifest: Manifest, state: State, context: Context) -> dict[str, bytes | None]:
    return {
        places.AUTHORITY: state.authority.to_bytes(),
        places.MANIFEST: raw,
        places.SIGNATURE: state.authority.root_key.sign(raw, ec.ECDSA(hashes.SHA256())),
        places.ROOT_SECRET: context.entropy(_ROOT_SECRET_BYTES),
        places.log_line(0): log_line(context.now, "initial manifest set"),
        **new_shared_secrets(manifest, state.authority, context),
    }


def _leaf(raw: bytes, manifest: Manifest, state: State, context: Context) -> bytes:
    return acts.manifest_set(
        context.now,
        fingerprint=fingerprint(raw),
        root=state.authority.root_cert,
        simulation=manifest.simulation or context.settings.simulation,
        relaxations=context.settings.relaxation_names,
    )
