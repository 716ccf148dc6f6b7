"""Sign the verdict on a quote with the root key, for those who cannot verify quotes (COMPAT section 4)."""

from base64 import b64encode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from sealmesh.coordinator.admission import Verdict
from sealmesh.coordinator.api import SignQuoteReply
from sealmesh.coordinator.gates import check_gate
from sealmesh.coordinator.phase import Act, move
from sealmesh.coordinator.state import State
from sealmesh.errors import SealmeshError
from sealmesh.errors.coordinator import QuoteNotVerified


def sign_quote(quote: bytes, verdict: Verdict, state: State) -> SignQuoteReply:
    """Return the TCB status of a genuine quote, signed together with the quote.

    What the quote says (measurements, report data) is not appraised; that is the reader's business.

    Raises:
        GateClosed: The manifest does not switch this on.
        QuoteNotVerified: The quote is not genuine, or of a simulated TEE that the manifest does not allow.
    """
    check_gate(Act.SIGN_QUOTE, state)
    move(state.phase, Act.SIGN_QUOTE)
    if isinstance(verdict, SealmeshError):
        raise QuoteNotVerified(verdict.message, found=verdict.found, wanted=verdict.wanted) from verdict
    if verdict.root.simulated and not state.running.manifest.simulation:
        raise QuoteNotVerified("the quote is of a simulated TEE", found=verdict.root.name)
    status = verdict.tcb.status.value
    signature = state.authority.root_key.sign(b64encode(quote) + status.encode(), ec.ECDSA(hashes.SHA256()))
    return SignQuoteReply(tcb_status=status, signature=signature)
