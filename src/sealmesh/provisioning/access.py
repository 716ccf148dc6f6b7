"""The manifest's access rules as a policy that Marbles enforce."""

from collections.abc import Iterator

from sealmesh.manifest import AccessRule, Manifest
from sealmesh.policy import ANYONE, UNRESTRICTED_MESH, AccessPolicy, PortRange, PortSet, Rule

__all__ = ["compile_access"]


def compile_access(manifest: Manifest) -> AccessPolicy:
    """Return who may call whom.

    With `Access` in the manifest: its rules and nothing else. Without it, MarbleRun's behaviour: any Marble
    of the mesh may call any, and everybody the ports whose TLS tag disables client authentication.

    Raises:
        PolicyError: There are more rules than a policy holds.
    """
    if manifest.access is not None:
        return AccessPolicy(tuple(_rule(rule) for rule in manifest.access))
    return AccessPolicy((*UNRESTRICTED_MESH.rules, *_open_ports(manifest)))


def _rule(rule: AccessRule) -> Rule:
    ranges = tuple(PortRange(ports.first, ports.last) for ports in rule.ports)
    return Rule(from_=frozenset(rule.from_), to=rule.to, ports=PortSet(ranges))


def _open_ports(manifest: Manifest) -> Iterator[Rule]:
    for marble_type, marble in manifest.marbles.items():
        ports = {
            int(item.port)
            for tag in marble.tls
            for item in manifest.tls[tag].incoming
            if item.disable_client_auth and _is_port(item.port)
        }
        if ports and not marble_type.startswith("@"):
            yield Rule(from_=frozenset((ANYONE,)), to=marble_type, ports=PortSet.of(*sorted(ports)))


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535
