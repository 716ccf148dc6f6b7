"""Uploading user-defined secrets: every rule of COMPAT section 9."""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealmesh.errors.provisioning import TemplateRefused, UploadProblem, UploadRefused
from sealmesh.provisioning import Upload, check_uploads, generate_certificate, try_templates


@pytest.fixture(scope="module")
def cert(authority, keys, now, definitions):
    return generate_certificate(definitions["front"], "x", authority=authority, keys=keys, now=now, serial=3)


REFUSED = [
    ({}, UploadProblem.EMPTY),
    ({"nope": Upload(key=b"x" * 16)}, UploadProblem.UNKNOWN),
    ({"k": Upload(key=b"x" * 16)}, UploadProblem.GENERATED),
    ({"front": Upload(cert=b"x")}, UploadProblem.GENERATED),
    ({"pin": Upload(key=b"x" * 15)}, UploadProblem.KEY_LENGTH),
    ({"pin": Upload(key=b"x" * 17)}, UploadProblem.KEY_LENGTH),
    ({"pin": Upload()}, UploadProblem.KEY_LENGTH),
    ({"pin": Upload(key=b"x" * 16, private=b"x")}, UploadProblem.UNEXPECTED_FIELD),
    ({"pin": Upload(key=b"x" * 16, cert=b"x")}, UploadProblem.UNEXPECTED_FIELD),
    ({"word": Upload(key=b"a", private=b"b")}, UploadProblem.UNEXPECTED_FIELD),
    ({"shop": Upload()}, UploadProblem.CERTIFICATE_MISSING),
    ({"shop": Upload(private=b"x")}, UploadProblem.CERTIFICATE_MISSING),
    ({"shop": Upload(cert=b"0\x03abc")}, UploadProblem.CERTIFICATE_BROKEN),
    ({"shop": Upload(cert=b"x", key=b"a")}, UploadProblem.UNEXPECTED_FIELD),
    ({"pin": Upload(key=b"x" * 16), "word": Upload(private=b"x")}, UploadProblem.UNEXPECTED_FIELD),
]


@pytest.mark.parametrize(("uploads", "problem"), REFUSED)
def test_upload_is_refused(make_manifest, uploads, problem):
    with pytest.raises(UploadRefused) as caught:
        check_uploads(make_manifest(), uploads)
    assert caught.value.code == problem


@pytest.mark.parametrize("value", [b"butter", b"", b"a\0b"])
def test_plain_secret_may_be_anything(make_manifest, value):
    assert check_uploads(make_manifest(), {"word": Upload(key=value)})["word"].public == value


def test_symmetric_key_of_the_right_length_is_taken(make_manifest):
    secret = check_uploads(make_manifest(), {"pin": Upload(key=b"p" * 16)})["pin"]
    assert secret.private == secret.public == b"p" * 16


def test_certificate_may_be_of_another_algorithm_and_without_its_key(make_manifest, cert):
    secret = check_uploads(make_manifest(), {"shop": Upload(cert=cert.cert)})["shop"]
    assert (secret.cert, secret.private, secret.public) == (cert.cert, b"", cert.public)


def test_private_key_is_not_compared_with_the_certificate(make_manifest, cert, leaf_key):
    other = leaf_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    secret = check_uploads(make_manifest(), {"shop": Upload(cert=cert.cert, private=other)})["shop"]
    assert secret.private == other


@pytest.mark.parametrize(
    ("place", "template", "value"),
    [("files", "{{ hex .Secrets.word }}", b""), ("env", "{{ string .Secrets.word }}", b"a\0b")],
)
def test_value_that_a_template_cannot_use_refuses_the_upload(make_manifest, place, template, value):
    manifest = make_manifest(**{place: {"x": template}})
    try_templates(manifest)
    secrets = check_uploads(manifest, {"word": Upload(key=value)})
    with pytest.raises(TemplateRefused):
        try_templates(manifest, secrets)


def test_value_that_all_templates_can_use_passes(make_manifest):
    manifest = make_manifest(files={"x": "{{ raw .Secrets.word }}"}, env={"y": "{{ string .Secrets.word }}"})
    try_templates(manifest, check_uploads(manifest, {"word": Upload(key=b"butter")}))


def test_contents_stay_out_of_messages(make_manifest):
    with pytest.raises(UploadRefused) as caught:
        check_uploads(make_manifest(), {"pin": Upload(key=b"show-not")})
    assert "show-not" not in str(caught.value)
    assert "show-not" not in repr(Upload(key=b"show-not"))
