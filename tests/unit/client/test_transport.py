import httpx
import pytest

from sealmesh.client import async_marble_transport, marble_transport, verify_statement
from sealmesh.errors.client import PeerError


@pytest.fixture
def application(bench):
    return verify_statement(bench.statement(), bench.policy(), now=bench.now, nonce=None)


def hello(path: str, query: dict[str, str]) -> tuple[int, bytes]:
    return 200, b"hello"


def get(application, marble_type: str, address: str) -> bytes:
    with httpx.Client(transport=marble_transport(application, marble_type), trust_env=False) as client:
        return client.get(f"https://{address}/").content


@pytest.mark.parametrize("whole_chain", [True, False], ids=["whole chain", "leaf alone"])
def test_a_marble_of_the_wanted_type_is_reached(application, serve, marble, whole_chain: bool) -> None:
    with serve(hello, marble("cashier", whole_chain=whole_chain)) as address:
        assert get(application, "cashier", address) == b"hello"


async def test_a_marble_of_the_wanted_type_is_reached_asynchronously(application, serve, marble) -> None:
    with serve(hello, marble("cashier")) as address:
        transport = async_marble_transport(application, "cashier")
        async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
            assert (await client.get(f"https://{address}/")).content == b"hello"


def test_a_marble_of_another_type_gets_no_byte(application, serve, marble) -> None:
    asked: list[str] = []

    def answer(path: str, query: dict[str, str]) -> tuple[int, bytes]:
        asked.append(path)
        return 200, b""

    with serve(answer, marble("baker")) as address, pytest.raises(PeerError):
        get(application, "cashier", address)
    assert asked == []


async def test_a_marble_of_another_type_gets_no_byte_asynchronously(application, serve, marble) -> None:
    with serve(hello, marble("baker")) as address:
        transport = async_marble_transport(application, "cashier")
        async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
            with pytest.raises(PeerError):
                await client.get(f"https://{address}/")


def test_a_marble_of_another_mesh_is_refused(application, serve, marble, other_bench) -> None:
    with serve(hello, marble("cashier", of=other_bench)) as address, pytest.raises(httpx.ConnectError):
        get(application, "cashier", address)


def test_the_coordinator_itself_is_no_marble(application, serve, credentials) -> None:
    with serve(hello, credentials) as address, pytest.raises(PeerError):
        get(application, "cashier", address)


def test_a_type_that_the_manifest_does_not_have_is_our_own_fault(application) -> None:
    with pytest.raises(ValueError, match="has no Marble type"):
        marble_transport(application, "florist")
