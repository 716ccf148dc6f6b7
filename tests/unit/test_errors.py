from sealmesh.errors import Kind, SealmeshError, grpc_status, http_status


def test_text_names_found_wanted_and_remedy() -> None:
    error = SealmeshError("MRENCLAVE differs", found="aa", wanted="bb", remedy="Sign again.")
    assert str(error) == "MRENCLAVE differs; found aa; wanted bb. Sign again."
    assert error.as_dict() == {
        "code": "error",
        "message": "MRENCLAVE differs",
        "found": "aa",
        "wanted": "bb",
        "remedy": "Sign again.",
    }


def test_every_kind_has_a_status_on_every_transport() -> None:
    for kind in Kind:
        assert 400 <= http_status(kind) < 600
        assert grpc_status(kind).isupper()
