"""Who asks."""

#: Certificates of one connection, DER, leaf first; empty when the peer showed none. Unchecked.
PeerChain = tuple[bytes, ...]
