"""The gRPC methods of the mesh port, by their paths."""

ACTIVATE = "/rpc.Marble/Activate"
ENROL = "/sealmesh.mesh.v1.Enrolment/Activate"
CHALLENGE = "/sealmesh.mesh.v1.Enrolment/Challenge"
RENEW = "/sealmesh.mesh.v1.Enrolment/Renew"

#: Offered in the handshake (RFC 7301) beside `h2` by Marbles of ours, never chosen: it says that the server
#: may show the certificate of `pki.server_leaf`.
OWN_ALPN = "sealmesh/1"

#: Trailing metadata with a serialized `ErrorDetail`; base64 without padding on the wire, as gRPC wants it.
ERROR_DETAIL_KEY = "sealmesh-error-bin"
