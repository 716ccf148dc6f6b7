from uuid import UUID

import pytest

from sealmesh.errors.pki import IdentityError
from sealmesh.pki import domain_id, marble_id, parse_domain_id, parse_marble_id, parse_uuid, trust_domain

U = UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff")
DOMAIN = "mesh-00112233445566778899aabbccddeeff"


@pytest.mark.parametrize(
    ("marble_type", "segment"),
    [
        ("baker", "baker"),
        ("Front-End.v2", "Front-End.v2"),
        ("a_b", "a_5Fb"),
        ("a/b", "a_2Fb"),
        ("", "_"),
        (".", "_2E"),
        ("..", "_2E_2E"),
        ("...", "..."),
        ("ü", "_C3_BC"),
        ("%41", "_2541"),
        ("@mesh", "_40mesh"),
    ],
)
def test_a_marble_type_becomes_one_path_segment_and_back(marble_type, segment):
    uri = marble_id(DOMAIN, marble_type, U)
    assert uri == f"spiffe://{DOMAIN}/marble/{segment}/{U}"
    found = parse_marble_id(uri)
    assert (found.trust_domain, found.marble_type, found.uuid) == (DOMAIN, marble_type, U)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "spiffe://",
        f"spiffe://{DOMAIN}",
        f"https://{DOMAIN}/marble/baker/{U}",
        f"spiffe://{DOMAIN}/marble/baker/{U}/",
        f"spiffe://{DOMAIN}/marble/baker",
        f"spiffe://{DOMAIN}/user/baker/{U}",
        f"spiffe://{DOMAIN.upper()}/marble/baker/{U}",
        f"spiffe://{DOMAIN}:80/marble/baker/{U}",
        f"spiffe://{DOMAIN}/marble//{U}",
        f"spiffe://{DOMAIN}/marble/../{U}",
        f"spiffe://{DOMAIN}/marble/_61/{U}",
        f"spiffe://{DOMAIN}/marble/_2e/{U}",
        f"spiffe://{DOMAIN}/marble/_FF/{U}",
        f"spiffe://{DOMAIN}/marble/a_b/{U}",
        f"spiffe://{DOMAIN}/marble/a%2Fb/{U}",
        f"spiffe://{DOMAIN}/marble/baker/{str(U).upper()}",
        f"spiffe://{DOMAIN}/marble/baker/{U.hex}",
        f"spiffe://{DOMAIN}/marble/baker/{U}?x",
        f"spiffe://{DOMAIN}/marble/baker/{U}\n",
    ],
)
def test_other_forms_of_a_marble_id_are_refused(uri):
    with pytest.raises(IdentityError):
        parse_marble_id(uri)


def test_a_type_too_long_for_a_spiffe_id_is_refused():
    with pytest.raises(IdentityError) as caught:
        marble_id(DOMAIN, "x" * 2048, U)
    assert "2048" in (caught.value.wanted or "")


def test_a_type_that_is_not_text_is_refused():
    with pytest.raises(IdentityError):
        marble_id(DOMAIN, "\ud800", U)


def test_the_trust_domain_names_the_root_key(authority, other_authority):
    domain = trust_domain(authority.root_key.public_key())
    assert domain == authority.trust_domain != other_authority.trust_domain
    assert len(domain) == len("mesh-") + 32
    assert parse_domain_id(domain_id(domain)) == domain


@pytest.mark.parametrize(
    "uri", ["mesh-1", "spiffe://", "spiffe://mesh-1/", "spiffe://mesh-1/marble", "spiffe://M"]
)
def test_other_forms_of_a_domain_id_are_refused(uri):
    with pytest.raises(IdentityError):
        parse_domain_id(uri)


@pytest.mark.parametrize("text", ["", "x", str(U).upper(), U.hex, "{" + str(U) + "}", f"urn:uuid:{U}"])
def test_only_the_canonical_form_of_a_uuid_is_read(text):
    with pytest.raises(IdentityError):
        parse_uuid(text)
