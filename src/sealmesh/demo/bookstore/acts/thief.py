"""Act 3: the thief is refused in every disguise, each time for another reason."""

import json

from sealmesh.demo.bookstore.intruder import knock_in_plaintext, knock_with_tls
from sealmesh.demo.bookstore.marbles import install, start_marble
from sealmesh.demo.bookstore.mesh import Mesh, start_coordinator
from sealmesh.demo.bookstore.packages import STRANGER, sign, write_package
from sealmesh.demo.bookstore.stage import Stage
from sealmesh.demo.bookstore.tees import measured, package_of
from sealmesh.demo.programs import Program, last_lines

NAME = "the thief is refused, each time for another reason"
ENDS_SECONDS = 20.0
NOT_ALLOWED = "'bookthief' may not call 'bookstore'"


def play(stage: Stage) -> None:
    """Try every way in."""
    _as_a_valid_marble(stage)
    _with_one_changed_byte(stage)
    _without_a_certificate(stage)
    _from_another_mesh(stage)
    unpaid = stage.services["bookstore"].output().count("NOT PAID")
    stage.narrator.check("the thief got no book", unpaid == 0, f"books stolen: {unpaid}")


def _as_a_valid_marble(stage: Stage) -> None:
    mesh = stage.the_mesh()
    folder = install(mesh.packages["bookthief"], stage.folder / "run" / "bookthief")
    thief = stage.services["bookthief"] = start_marble(stage, mesh, "bookthief", folder)
    thief.wait_for("no book:")
    stage.narrator.quote(line_with("no book:", thief))
    store = stage.services["bookstore"]
    store.wait_for(NOT_ALLOWED)
    stage.narrator.quote(line_with(NOT_ALLOWED, store))
    stage.narrator.check(
        "a valid Marble that no Access rule lets in is refused", NOT_ALLOWED in store.output(), NOT_ALLOWED
    )


def _with_one_changed_byte(stage: Stage) -> None:
    mesh = stage.the_mesh()
    folder = install(mesh.packages["bookbuyer"], stage.folder / "run" / "changed")
    program = folder / "bookbuyer.py"
    program.write_bytes(program.read_bytes().replace(b"books bought", b"books fought", 1))
    text = _refused(start_marble(stage, mesh, "bookbuyer", folder))
    stage.narrator.quote(text)
    stage.narrator.check(
        "a program with one changed byte does not start as that package", "package:changed" in text
    )
    unique_id = sign(stage, folder, "--key", folder / "thief.pem")
    text = _refused(start_marble(stage, mesh, "bookbuyer", folder))
    stage.narrator.quote(text)
    stage.narrator.check(
        "signed again by the thief, the Coordinator refuses its measurement",
        (measured(unique_id) if stage.mixed else unique_id) in text,
    )


def _without_a_certificate(stage: Stage) -> None:
    answer = knock_in_plaintext(stage.ports.store)
    stage.narrator.check("a caller without TLS gets no byte", answer == b"", repr(answer[:40]))
    reason = knock_with_tls(stage.ports.store, None)
    stage.narrator.check("a caller with no certificate is refused", "CERTIFICATE_REQUIRED" in reason, reason)


def _from_another_mesh(stage: Stage) -> None:
    mesh = stage.the_mesh()
    other = Mesh(
        folder=stage.folder / "other-coordinator",
        platform=mesh.platform,
        policy=mesh.policy,
        attester=mesh.attester,
    )
    start_coordinator(stage.programs, other)
    folder = stage.folder / "other-packages" / "bookbuyer"
    package = write_package(folder, STRANGER, policy=mesh.policy, tls="own")
    _found_mesh(stage, other, sign(stage, package))
    stranger = start_marble(stage, other, "bookbuyer", package, STRANGER[0])
    stranger.wait_for("has credentials of its mesh")
    stranger.wait(ENDS_SECONDS)
    reason = knock_with_tls(stage.ports.store, package / "credentials.pem")
    stage.narrator.check(
        "a bookbuyer with a certificate of another mesh is refused", "UNKNOWN_CA" in reason, reason
    )
    if other.coordinator is not None:
        other.coordinator.end()


def _found_mesh(stage: Stage, mesh: Mesh, unique_id: str) -> None:
    """Set a manifest that makes the thief's program a `bookbuyer`, in the thief's own mesh."""
    document = {
        "Packages": {"own": package_of("bookbuyer", unique_id, mixed=stage.mixed)},
        "Marbles": {"bookbuyer": {"Package": "own"}},
        "Simulation": True,
        "Config": {"FeatureGates": ["Simulation", *(["Evidence"] if stage.mixed else [])]},
    }
    mesh.manifest.write_text(json.dumps(document))
    cache = mesh.folder / "chain.pem"
    stage.must(
        "manifest", "set", mesh.manifest, mesh.address, "--policy", mesh.policy, "--coordinator-cert", cache
    )


def _refused(program: Program) -> str:
    """Wait for a program that must not start; return what was said."""
    code = program.wait(ENDS_SECONDS)
    return last_lines(program.output(), 6) if code != 0 else "it ran"


def line_with(text: str, program: Program) -> str:
    """Return the first line of a program's output that has `text`."""
    return next((line for line in program.output().splitlines() if text in line), "")
