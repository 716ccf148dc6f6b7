"""What one server lets its peers have. Every cap is here, with its reason; none can be left out."""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The caps of one server process.

    The peers of both servers are strangers: anybody can make a certificate. Among handshakes every address
    has its turn and everybody a fair time (`waiting_room`). Among open connections the one that has done
    nothing for longest makes room: refusing the newest would lock honest peers out.

    Attributes:
        handshake_seconds: From accept to the end of the handshake. A handshake is two round trips and about
            2 ms of computing; this leaves room for a slow line and a busy machine.
        handshakes: At once. Each costs about 60 kB and 1 ms of computing while it lasts.
        handshakes_per_peer: At once from one address (IPv6: one /64). Large, because a cluster may come
            through one translated address.
        patience_seconds: That a handshake has for sure, while others wait for its slot: four times the way
            around the world. `handshakes` over this is the rate at which a flood is worked off.
        waiting: Connections that wait for a slot, as sockets only, about 4 kB each.
        waiting_per_peer: Of them from one address.
        connections: At once, with the handshake done. An idle one costs about 50 kB.
        linger_seconds: After a failed handshake, for the peer to read the alert and hang up.
        idle_seconds: Without a request in the making before the server hangs up.
        request_seconds: From the head of a request to its last byte: ends slow senders. Answering takes what
            it takes.
        response_seconds: Without progress in sending a finished answer: ends slow readers.
        header_bytes: Of one request's header section. gRPC and our REST routes need less than 1 kB.
        header_count: Of fields in one request; each costs more than its bytes.
        body_bytes: Of one request, which is held in memory as a whole; each server says why so much.
        body_bytes_total: Of all requests in the making on this server, so that many large ones at once do
            not fill the memory; what comes beyond is answered as overload.
        drain_bytes: That a peer may go on sending after its request was refused. A peer that is cut off in
            the middle of sending often does not read the refusal.
        streams: At once on one HTTP/2 connection; one more ends it. No smaller than the 100 that RFC 9113
            section 6.5.2 recommends, because clients open that many before they have read our settings.
        resets: Streams that a peer may abandon on one connection ("rapid reset", CVE-2023-44487).
        backlog: Connections that the kernel keeps waiting for us to accept them.
    """

    handshake_seconds: float = 10.0
    linger_seconds: float = 2.0
    handshakes: int = 512
    handshakes_per_peer: int = 384
    patience_seconds: float = 1.0
    waiting: int = 4096
    waiting_per_peer: int = 3072
    connections: int = 8192
    idle_seconds: float = 300.0
    request_seconds: float = 60.0
    response_seconds: float = 60.0
    header_bytes: int = 16 * KIB
    header_count: int = 64
    body_bytes: int
    body_bytes_total: int = 256 * MIB
    drain_bytes: int = 8 * MIB
    streams: int = 128
    resets: int = 200
    backlog: int = 1024
