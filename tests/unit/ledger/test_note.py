import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from sealmesh.errors.ledger import NoteError
from sealmesh.ledger import (
    EMPTY,
    NoteKey,
    derive_signing_key,
    note_key,
    parse_note_key,
    sign_checkpoint,
    sign_note,
    verify_checkpoint,
    verify_note,
)

KEY = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
DOMAIN = "mesh-0123"
ORIGIN = f"{DOMAIN}/ledger"


def test_the_example_of_gos_note_package_is_read_and_verified() -> None:
    # From the documentation of golang.org/x/mod/sumdb/note.
    key = parse_note_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    signature = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    assert verify_note(f"{text}\n\u2014 PeterNeumann {signature}\n", key) == text


def test_a_key_survives_its_text_form() -> None:
    key = note_key(ORIGIN, KEY)
    assert parse_note_key(key.text()) == key


def test_a_checkpoint_carries_the_logs_size_and_root() -> None:
    frontier = EMPTY.extend([b"a", b"b", b"c"])
    found = verify_checkpoint(sign_checkpoint(DOMAIN, frontier, KEY), note_key(ORIGIN, KEY))
    assert (found.origin, found.size, found.root) == (ORIGIN, 3, frontier.root())


def test_other_signatures_on_a_note_are_passed_over() -> None:
    note = sign_note("text\n", name="other", signing_key=ed25519.Ed25519PrivateKey.generate())
    both = note + sign_note("text\n", name="mine", signing_key=KEY).split("\n\n")[1]
    assert verify_note(both, note_key("mine", KEY)) == "text\n"


def test_the_same_root_key_gives_every_worker_the_same_signing_key() -> None:
    root = ec.generate_private_key(ec.SECP384R1())
    assert note_key("x", derive_signing_key(root)) == note_key("x", derive_signing_key(root))
    assert note_key("x", derive_signing_key(root)) != note_key(
        "x", derive_signing_key(ec.generate_private_key(ec.SECP384R1()))
    )


GOOD = sign_checkpoint(DOMAIN, EMPTY.append(b"a"), KEY)


@pytest.mark.parametrize(
    ("attack", "note"),
    [
        ("a larger size", GOOD.replace("\n1\n", "\n2\n")),
        ("another origin", GOOD.replace(f"{ORIGIN}\n1", "mesh-9999/ledger\n1")),
        ("signature cut off", GOOD.split("\n\n")[0] + "\n"),
        ("signature of another text", GOOD.replace("\n1\n", "\n1\nextension\n", 1)),
        ("signature line without a dash", GOOD.replace("\u2014 ", "- ")),
        ("signature that is not base64", GOOD[:-3] + "*\n"),
        ("another signer", sign_checkpoint(DOMAIN, EMPTY.append(b"a"), ed25519.Ed25519PrivateKey.generate())),
        ("no newline at the end", GOOD.rstrip()),
        ("signed, but no checkpoint", sign_note("text\n", name=ORIGIN, signing_key=KEY)),
        (
            "signed, size with a leading zero",
            sign_note(f"{ORIGIN}\n01\nAAAA\n", name=ORIGIN, signing_key=KEY),
        ),
        ("signed, root too short", sign_note(f"{ORIGIN}\n1\nAAAA\n", name=ORIGIN, signing_key=KEY)),
        ("signed, root not base64", sign_note(f"{ORIGIN}\n1\n*\n", name=ORIGIN, signing_key=KEY)),
        ("signed, of another log", sign_note(f"x/ledger\n1\n{'A' * 43}=\n", name=ORIGIN, signing_key=KEY)),
    ],
)
def test_a_false_checkpoint_is_refused(attack: str, note: str) -> None:
    with pytest.raises(NoteError):
        verify_checkpoint(note, note_key(ORIGIN, KEY))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000+AQ==",
        "name+00000000+" + base64.b64encode(b"\x02" + bytes(32)).decode(),
        "name+00000000+" + base64.b64encode(b"\x01" + bytes(32)).decode(),
        "a b+00000000+" + base64.b64encode(b"\x01" + bytes(32)).decode(),
    ],
)
def test_a_text_that_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        parse_note_key(text)


def test_a_note_without_a_newline_at_its_end_is_not_signed() -> None:
    with pytest.raises(NoteError):
        sign_note("text", name="x", signing_key=KEY)


def test_a_name_with_a_plus_sign_is_refused() -> None:
    with pytest.raises(NoteError):
        NoteKey(name="a+b", public_key=bytes(32))
