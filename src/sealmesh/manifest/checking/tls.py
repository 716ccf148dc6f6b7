"""TLS tags: complete entries, certificates that exist."""

from sealmesh.manifest.model import Incoming, Manifest
from sealmesh.manifest.reading.view import Reading
from sealmesh.manifest.report import Path, quoted, suggest


def check_tls(reading: Reading, manifest: Manifest) -> None:
    """Check every tag, used or not (COMPAT section 8)."""
    for name, tag in manifest.tls.items():
        if not reading.sound("TLS", name):
            continue
        for index, incoming in enumerate(tag.incoming):
            _check_incoming(reading, manifest, incoming, ("TLS", name, "Incoming", index))
        for index, outgoing in enumerate(tag.outgoing):
            path = ("TLS", name, "Outgoing", index)
            if not outgoing.addr:
                reading.report.add("tls.no-address", path, "The outgoing connection has no `Addr`.")
            if not outgoing.port:
                reading.report.add("tls.no-port", path, "The outgoing connection has no `Port`.")


def _check_incoming(reading: Reading, manifest: Manifest, incoming: Incoming, path: Path) -> None:
    if not incoming.port:
        reading.report.add("tls.no-port", path, "The incoming connection has no `Port`.")
    if incoming.disable_client_auth and not incoming.cert:
        reading.report.add(
            "tls.client-auth-without-cert",
            path,
            "DisableClientAuth needs `Cert`.",
            remedy="Callers that show no certificate know the mesh's own certificates not either: name one.",
        )
    if not incoming.cert:
        return
    if not incoming.disable_client_auth:
        reading.report.add(
            "tls.cert-with-client-auth",
            path,
            "`Cert` needs DisableClientAuth.",
            remedy="With a certificate of your own, callers cannot be asked for one: set it to true.",
        )
    secret = manifest.secrets.get(incoming.cert)
    if secret is None:
        if reading.exists("Secrets", incoming.cert, ()):
            return
        reading.report.add(
            "tls.unknown-cert",
            (*path, "Cert"),
            f"There is no secret {quoted(incoming.cert)}.",
            remedy=suggest(incoming.cert, manifest.secrets),
        )
    elif not secret.type.is_certificate and not reading.lenient:
        reading.report.add(
            "tls.cert-not-a-certificate",
            (*path, "Cert"),
            f"The secret {quoted(incoming.cert)} is a {secret.type}.",
            remedy="Name a secret whose type begins with cert-.",
        )
