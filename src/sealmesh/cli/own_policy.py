"""The policy by which others recognize the Coordinator that this machine would run."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sealmesh.errors.cli import UsageError

if TYPE_CHECKING:
    from sealmesh.server.configuration import ServerConfiguration


def own_policy(configuration: "ServerConfiguration") -> dict[str, Any]:
    """Return the policy for relying parties and for the packages of Marbles.

    It names the key that signed the Coordinator, so it outlives updates of sealmesh on this machine.

    Raises:
        UsageError: The Coordinator would have no Evidence of itself.
    """
    from sealmesh.adapters.attester.package import coordinator_package
    from sealmesh.adapters.attester.platform import open_or_create
    from sealmesh.server.evidence import platform_directory

    if configuration.attester is None:
        raise UsageError(
            "a Coordinator without Evidence cannot be recognized by a policy", wanted="--attester simulated"
        )
    directory: Path = platform_directory(configuration.attester)
    platform = open_or_create(directory)
    enclave, root = coordinator_package(platform).verify_signed(), platform.trust_root
    return {
        "Coordinator": {
            "SignerID": enclave.signer_id.hex(),
            "ProductID": enclave.product_id,
            "SecurityVersion": enclave.security_version,
        },
        "TrustRoots": [{"Name": root.name, "SHA256": root.sha256.hex(), "Simulated": root.simulated}],
    }
