"""The `dataplane` section of a package: who does TLS, and what may pass without. It is measured."""

import json
import signal
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self

from sealmesh.dataplane.configuration import Exposure, Options
from sealmesh.dataplane.reader import Reader
from sealmesh.errors.dataplane import DataplaneConfigurationError
from sealmesh.errors.marble import MarbleConfigurationError


class TlsBy(StrEnum):
    """Who does TLS in this Marble."""

    MESH = "mesh"
    """The wrap inside the program; a program that cannot be wrapped gets its parameters only."""
    OWN = "own"
    """The program itself, with the certificates it is given."""


class Reload(StrEnum):
    """The signal that has a program read its certificate again."""

    HUP = "SIGHUP"
    USR1 = "SIGUSR1"
    USR2 = "SIGUSR2"

    @property
    def number(self) -> signal.Signals:
        """What `kill` wants."""
        return signal.Signals[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataplaneSection:
    """What the package says about the data plane.

    Attributes:
        credentials: A directory for certificate and key of a program that does its own TLS; None: they are
            in its environment only, and it does not hear of renewals.
        reload: What the program is sent when they were renewed.
    """

    options: Options = field(default_factory=Options)
    tls: TlsBy = TlsBy.MESH
    credentials: str | None = None
    reload: Reload | None = None

    @classmethod
    def parse(cls, raw: bytes | None) -> Self:
        """Read the section's JSON; None where the package has none.

        Raises:
            MarbleConfigurationError: An unknown key or value, or `reload` without `credentials`.
        """
        if raw is None:
            return cls()
        try:
            document = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise MarbleConfigurationError("`dataplane` in the package is not JSON") from error
        try:
            section = cls._read(document)
        except DataplaneConfigurationError as error:
            raise MarbleConfigurationError(
                f"In the package: {error.message}",
                found=error.found,
                wanted=error.wanted or "tls, egress, ingress, credentials, reload",
                remedy="Correct it and sign the package again",
            ) from error
        if section.reload is not None and section.credentials is None:
            raise MarbleConfigurationError(_RELOAD_WITHOUT, wanted='`"credentials": DIRECTORY` beside it')
        return section

    @classmethod
    def _read(cls, document: object) -> Self:
        with Reader.of(document, "dataplane") as reader:
            return cls(
                options=Options(
                    egress=reader.choice("egress", Exposure, Exposure.REFUSE),
                    ingress=reader.choice("ingress", Exposure, Exposure.REFUSE),
                ),
                tls=reader.choice("tls", TlsBy, TlsBy.MESH),
                credentials=reader.text("credentials") if reader.has("credentials") else None,
                reload=reader.choice("reload", Reload, Reload.HUP) if reader.has("reload") else None,
            )


_RELOAD_WITHOUT: Final = "`dataplane.reload` in the package has nothing to reload"
