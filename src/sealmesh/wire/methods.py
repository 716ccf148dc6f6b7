"""The gRPC methods of the mesh port, by their paths."""

ACTIVATE = "/rpc.Marble/Activate"
ENROL = "/sealmesh.mesh.v1.Enrolment/Activate"
CHALLENGE = "/sealmesh.mesh.v1.Enrolment/Challenge"
RENEW = "/sealmesh.mesh.v1.Enrolment/Renew"

#: Trailing metadata with a serialized `ErrorDetail`; base64 without padding on the wire, as gRPC wants it.
ERROR_DETAIL_KEY = "sealmesh-error-bin"
