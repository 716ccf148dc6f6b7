"""Certificate and key as files, for a program that does its own TLS and reads them again when told to.

Only where the measured package names a directory for them. `identity.pem` holds the chain and then the key
in one file, so that no reader ever sees a certificate with another's key.
"""

from dataclasses import dataclass
from typing import Final

from sealmesh.marble.membership import Credentials
from sealmesh.marble.parameter_files import write_files

IDENTITY: Final = "identity.pem"
ROOT: Final = "root.pem"


@dataclass(frozen=True, slots=True)
class CredentialFiles:
    """A directory with the Marble's present credentials."""

    directory: str

    def write(self, credentials: Credentials) -> None:
        """Write or replace both files, mode 0600, each as a whole.

        Raises:
            ParameterFileError: The directory leads through a symbolic link, or cannot be written.
        """
        identity = credentials.certificate_chain_pem + credentials.key_pem
        write_files(
            {
                f"{self.directory}/{ROOT}": credentials.marble_root_pem.encode(),
                f"{self.directory}/{IDENTITY}": identity.encode(),
            }
        )
