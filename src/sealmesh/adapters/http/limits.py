"""What one server lets its peers have. Every cap is here, with its reason; none can be left out."""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The caps of one server process.

    The peers of both servers are strangers: anybody can make a certificate. So the rule for slots is the same
    everywhere: the newest gets in, and the one that has done nothing for longest goes. An honest peer is done
    in milliseconds, a stalling one is always the oldest. Refusing the newest would lock honest peers out.

    Attributes:
        handshake_seconds: From accept to the end of the handshake. A handshake is two round trips and about
            2 ms of computing; this leaves room for a slow line and a busy machine.
        handshakes: At once, all peers together. Each costs about 60 kB while it lasts.
        handshakes_per_peer: At once from one address (IPv6: one /64), so that one host cannot push out all
            others. Large, because a cluster may come through one translated address.
        connections: At once, with the handshake done. An idle one costs about 50 kB.
        linger_seconds: After a failed handshake, for the peer to read the alert and hang up.
        idle_seconds: Without a request in the making before the server hangs up.
        request_seconds: From the head of a request to its last byte: ends slow senders. Answering takes what
            it takes.
        response_seconds: Without progress in sending a finished answer: ends slow readers.
        header_bytes: Of one request's header section. gRPC and our REST routes need less than 1 kB.
        header_count: Of fields in one request; each costs more than its bytes.
        body_bytes: Of one request.
        body_bytes_total: Of all requests in the making on this server, so that many large ones at once do
            not fill the memory; what comes beyond is answered as overload.
        drain_bytes: That a peer may go on sending after its request was refused. A peer that is cut off in
            the middle of sending often does not read the refusal.
        streams: At once on one HTTP/2 connection.
        resets: Streams that a peer may abandon on one connection ("rapid reset", CVE-2023-44487).
        backlog: Connections that the kernel keeps waiting for us to accept them.
    """

    handshake_seconds: float = 10.0
    linger_seconds: float = 2.0
    handshakes: int = 1024
    handshakes_per_peer: int = 512
    connections: int = 8192
    idle_seconds: float = 300.0
    request_seconds: float = 60.0
    response_seconds: float = 60.0
    header_bytes: int = 16 * KIB
    header_count: int = 64
    body_bytes: int
    body_bytes_total: int = 256 * MIB
    drain_bytes: int = 8 * MIB
    streams: int = 32
    resets: int = 200
    backlog: int = 1024
