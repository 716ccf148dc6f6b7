"""Advice on a manifest that is in order: what is allowed and yet seldom meant."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sealmesh.manifest.model import GovernedAct, Manifest, Marble
from sealmesh.manifest.reach import unreachable_rules
from sealmesh.manifest.report import Path, listing, path_text, quoted

_HEX_32 = re.compile(r"[0-9a-fA-F]{64}\Z")
_TCB_STATUSES = frozenset(
    {
        "UpToDate",
        "SWHardeningNeeded",
        "ConfigurationNeeded",
        "ConfigurationAndSWHardeningNeeded",
        "OutOfDate",
        "OutOfDateConfigurationNeeded",
        "Revoked",
    }
)
_UNSAFE_STATUSES = frozenset({"OutOfDate", "OutOfDateConfigurationNeeded", "Revoked"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Warning:
    """One piece of advice: stable code, place, sentence."""

    code: str
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message} [{self.code}]"


def lint(manifest: Manifest) -> tuple[Warning, ...]:
    """Return what a careful reader would ask about, in no order of weight; empty if nothing."""
    checks = (_packages, _marbles, _secrets, _tls, _people, _names, _access, _governance, _whole)
    return tuple(
        Warning(code=f"lint.{code}", path=path_text(path), message=message)
        for check in checks
        for code, path, message in check(manifest)
    )


Findings = Iterator[tuple[str, Path, str]]


def _whole(manifest: Manifest) -> Findings:
    if manifest.simulation:
        yield "simulation", ("Simulation",), "Simulated hardware is accepted: nothing is protected."
    if not manifest.recovery_keys:
        yield (
            "no-recovery-keys",
            (),
            "Without RecoveryKeys the state is lost when this machine is lost.",
        )


def _packages(manifest: Manifest) -> Findings:
    used = {marble.package for marble in manifest.marbles.values()}
    for name, package in manifest.packages.items():
        path: Path = ("Packages", name)
        if name not in used:
            yield "unused-package", path, "No Marble runs this package; its values are not checked."
        if package.debug or any(getattr(form, "debug", False) for form in package.evidence or ()):
            yield "debug-package", path, "A debug enclave can be read and changed by the host."
        for field, value in (("UniqueID", package.unique_id), ("SignerID", package.signer_id)):
            if value and not _HEX_32.match(value):
                yield "id-not-hex", (*path, field), "This is not 64 hex digits: no program will ever match."
        statuses = package.accepted_tcb_statuses or ()
        for index, status in enumerate(statuses):
            at = (*path, "AcceptedTCBStatuses", index)
            if status not in _TCB_STATUSES:
                yield "unknown-tcb-status", at, f"{quoted(status)} is a TCB status that no platform has."
            elif status in _UNSAFE_STATUSES:
                yield "unsafe-tcb-status", at, f"Platforms that are {status} have known weaknesses."


def _marbles(manifest: Manifest) -> Findings:
    private = {
        name: name.encode()
        for name, secret in manifest.secrets.items()
        if not secret.shared and not secret.user_defined
    }
    for name, marble in manifest.marbles.items():
        if marble.max_activations or not private:
            continue
        mentioned = _mentioned(marble, private)
        if mentioned:
            yield (
                "unlimited-private-secrets",
                ("Marbles", name, "MaxActivations"),
                f"Any number of instances get own values of {listing(mentioned, limit=3)}; "
                "whoever starts one chooses its UUID, and so whose.",
            )


def _mentioned(marble: Marble, names: dict[str, bytes]) -> list[str]:
    contents = b"\n".join(
        parameter.data
        for group in (marble.parameters.files, marble.parameters.env)
        for parameter in group.values()
        if not parameter.no_templates and b"{{" in parameter.data
    )
    words = set(re.findall(rb"[^\s\"`.(){}|]+", contents)) if contents else set()
    return [name for name, encoded in names.items() if encoded in words]


def _secrets(manifest: Manifest) -> Findings:
    for name, secret in manifest.secrets.items():
        if secret.certificate is not None and secret.certificate.is_ca:
            yield (
                "ca-secret",
                ("Secrets", name, "Cert", "IsCA"),
                "Whoever gets this key can issue certificates below the mesh's own authority.",
            )


def _tls(manifest: Manifest) -> Findings:
    used = {tag for marble in manifest.marbles.values() for tag in marble.tls}
    for name, tag in manifest.tls.items():
        if name not in used:
            yield "unused-tls-tag", ("TLS", name), "No Marble has this tag."
        entries = [("Incoming", index, entry.port) for index, entry in enumerate(tag.incoming)]
        entries += [("Outgoing", index, entry.port) for index, entry in enumerate(tag.outgoing)]
        for kind, index, port in entries:
            if not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= 65535):
                yield (
                    "port-not-a-number",
                    ("TLS", name, kind, index, "Port"),
                    f"{quoted(port)} is no port number.",
                )


def _people(manifest: Manifest) -> Findings:
    used = {role for user in manifest.users.values() for role in user.roles}
    for name, role in manifest.roles.items():
        if name not in used:
            yield "unused-role", ("Roles", name), "No user has this role."
        if not role.actions:
            yield "role-without-actions", ("Roles", name), "This role permits nothing."
    for name, user in manifest.users.items():
        if not user.roles:
            yield "user-without-roles", ("Users", name), "This user may do nothing."


def _names(manifest: Manifest) -> Findings:
    owners: dict[str, str] = {}
    for marble_type, marble in manifest.marbles.items():
        if marble.names is None:
            continue
        addresses = [str(address) for address in marble.names.ips if not address.is_loopback]
        for name in (*marble.names.dns, *addresses):
            first = owners.setdefault(name, marble_type)
            if first != marble_type and name != "localhost":
                yield (
                    "shared-name",
                    ("Marbles", marble_type, "Names"),
                    f"{quoted(first)} may call itself {quoted(name)} too.",
                )


def _access(manifest: Manifest) -> Findings:
    for index, reason in unreachable_rules(manifest):
        yield "unreachable-rule", ("Access", index), reason


def _governance(manifest: Manifest) -> Findings:
    if manifest.governance is None:
        return
    rules = manifest.governance.rules
    for act, rule in rules.items():
        if 1 < rule.threshold == len(rule.approvers):
            yield (
                "no-spare-approver",
                ("Governance", "Rules", str(act), "Threshold"),
                f"All of {len(rule.approvers)} have to approve: when one key is lost, nobody ever can.",
            )
    if GovernedAct.RECOVER in rules and not manifest.recovery_keys:
        yield (
            "recovery-reserved-to-nobody",
            ("Governance", "Rules", str(GovernedAct.RECOVER)),
            "Without RecoveryKeys there is nothing to approve: nobody can recover.",
        )
