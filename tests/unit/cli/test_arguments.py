import pytest
import typer

from sealmesh.cli.app import app
from sealmesh.cli.arguments import arranged

TREE = typer.main.get_command(app)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("status ADDR", "status ADDR"),
        ("-i status ADDR", "status -i ADDR"),
        ("--nonce N status ADDR", "status --nonce N ADDR"),
        ("--nonce=N status ADDR", "status --nonce=N ADDR"),
        ("manifest -i get ADDR", "manifest get -i ADDR"),
        ("-n marbles manifest --insecure update get ADDR", "manifest update get -n marbles --insecure ADDR"),
        ("status ADDR --insecure=true", "status ADDR --insecure"),
        ("status ADDR --insecure=false", "status ADDR"),
        ("manifest get ADDR -o=FILE --signature=1", "manifest get ADDR -o FILE --signature"),
        ("certificate root ADDR --output=FILE", "certificate root ADDR --output=FILE"),
        ("-i recover-with-signature FILE ADDR", "recover-with-signature -i FILE ADDR"),
        ("secret get a=b ADDR", "secret get a=b ADDR"),
        ("nonsense -i", "nonsense -i"),
        ("help", "--help"),
        ("help manifest update apply", "manifest update apply --help"),
        ("-i", "-i"),
        ("", ""),
    ],
)
def test_marbleruns_spelling_is_read(given: str, read: str) -> None:
    assert " ".join(arranged(given.split(), TREE)) == read


@pytest.mark.parametrize(
    "words", ["run --type t prog -o=x --insecure=true", "run -- prog -i --json=true", "status ADDR -- -o=x"]
)
def test_what_belongs_to_another_program_is_left_alone(words: str) -> None:
    assert arranged(words.split(), TREE) == words.split()
