"""The Coordinator's certificates and Evidence, before anything of them is verified."""

from dataclasses import dataclass

from cryptography import x509

from sealmesh.client.answers import bytes_member, content_of, data_of, member, optional_bytes, value_of
from sealmesh.client.exchange import OWN, V2, Exchange, b64, get, nonce_query, post
from sealmesh.client.first_api import NOT_SERVED, Members, renamed
from sealmesh.errors.client import AnswerError, NotServed
from sealmesh.pki.reading import UNREADABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The Coordinator's certificates and its Evidence over the root; nothing of it is verified here.

    Attributes:
        nonce: What the Evidence has to bind besides the root: what was asked for, but nothing from a
            Coordinator that has API v1 alone, which does not look at it.
    """

    chain: tuple[x509.Certificate, ...]
    chain_pem: str
    evidence: bytes | None
    endorsements: bytes | None
    nonce: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedQuote:
    """What the Coordinator found of a quote.

    Attributes:
        tcb_status: Such as `UpToDate`.
        signature: ECDSA by the root key over SHA-256(base64 of the quote as sent + TCB status).
    """

    tcb_status: str
    signature: bytes


def read_quote(nonce: bytes) -> Exchange[Quote]:
    """Return the certificates, the Evidence over SHA-256(root || nonce) and what Endorsements it has."""
    members, bound = yield from _quoted(nonce)
    pem = member(members, "cert", str)
    try:
        chain = tuple(x509.load_pem_x509_certificates(pem.encode()))
    except UNREADABLE as error:
        raise AnswerError("the Coordinator's certificates cannot be read") from error
    return Quote(
        chain=chain,
        chain_pem=pem,
        evidence=optional_bytes(members, "quote"),
        endorsements=optional_bytes(members, "endorsements"),
        nonce=bound,
    )


def _quoted(nonce: bytes) -> Exchange[tuple[Members, bytes]]:
    """Return the answer's members, and the nonce that its Evidence has to bind."""
    query = nonce_query(nonce)
    own, second, first = get(f"{OWN}/quote", query), get(f"{V2}/quote", query), get("/quote")
    try:
        return data_of(own, (yield own)), nonce
    except NotServed:
        answer = yield second
    if answer.status != NOT_SERVED:
        return data_of(second, answer), nonce
    return renamed(Cert="cert", Quote="quote")(value_of(first, (yield first))), b""


def read_statement(nonce: bytes) -> Exchange[bytes]:
    """Return the statement made for `nonce`, unverified."""
    request = get(f"{OWN}/statement", nonce_query(nonce))
    return content_of(request, (yield request))


def sign_quote(quote: bytes) -> Exchange[SignedQuote]:
    """Have the Coordinator verify an SGX quote and sign the verdict (gate `SignQuoteEndpoint`)."""
    request = post(f"{V2}/sign-quote", {"sgxQuote": b64(quote)})
    members = data_of(request, (yield request))
    return SignedQuote(
        tcb_status=member(members, "tcbStatus", str),
        signature=bytes_member(members, "verificationSignature"),
    )
