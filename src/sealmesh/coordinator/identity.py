"""What the two servers show in TLS (COMPAT section 2, and `pki.server_leaf` for Marbles of ours)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Final

from sealmesh.coordinator.api import EnrolmentIdentity, ServerIdentity
from sealmesh.coordinator.context import Context
from sealmesh.coordinator.state import State
from sealmesh.errors.pki import IssuingError
from sealmesh.pki import Authority, issue_server_leaf

#: In our own enrolment (DESIGN, section 6); MarbleRun's contract has P-384.
_KEY_BITS: Final = 256
_LIFETIME: Final = timedelta(hours=24)
#: Renewed long before a Marble's clock that goes wrong could call it expired.
_RENEW_AFTER: Final = timedelta(hours=8)
#: An authority that cannot issue now, because it has expired, is asked again after this.
_ASK_AGAIN_AFTER: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    authority: Authority
    until: datetime
    identity: ServerIdentity


class ShownIdentities:
    """Keeps what is shown until the authority is another one, or the certificate has to be renewed.

    The key of `enrolment` is made here and stays in this process; no other worker and no state has it.

    Args:
        context: Returns the time, entropy and keys for one certificate.
    """

    def __init__(self, context: Callable[[], Context], clock: Callable[[], datetime]) -> None:
        self._context = context
        self._clock = clock
        self._generations = count()
        self._shown: _Shown | None = None

    def of(self, state: State) -> ServerIdentity:
        """Return the root for the client API, for the mesh API the Marble root and its alternative."""
        shown = self._shown
        if shown is None or shown.authority is not state.authority or shown.until <= self._clock():
            shown = self._shown = self._make(state.authority)
        return shown.identity

    def _make(self, authority: Authority) -> _Shown:
        context = self._context()
        enrolment = _enrolment(authority, context)
        return _Shown(
            authority=authority,
            until=context.now + (_ASK_AGAIN_AFTER if enrolment is None else _RENEW_AFTER),
            identity=ServerIdentity(
                client_chain=(authority.root_cert,),
                client_key=authority.root_key,
                mesh_chain=(authority.marble_root_cert,),
                mesh_key=authority.intermediate_key,
                generation=next(self._generations),
                enrolment=enrolment,
            ),
        )


def _enrolment(authority: Authority, context: Context) -> EnrolmentIdentity | None:
    key = context.keys.ec(_KEY_BITS)
    try:
        leaf = issue_server_leaf(
            authority,
            public_key=key.public_key(),
            now=context.now,
            lifetime=_LIFETIME,
            serial=context.serial(),
            simulation=context.settings.simulation,
        )
    except IssuingError:
        return None  # the Marble root is shown to all, as a Marble that cannot be admitted may see too
    return EnrolmentIdentity(chain=(leaf,), key=key)
