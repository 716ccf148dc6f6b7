"""Rebuild what the reference pages take from the code: `make docs`, or `python -m docs.generate --check`.

`manifest.schema.json` and `openapi.json` are generated as a whole. The other pages are written by hand, but
for what stands between `<!-- BEGIN name -->` and `<!-- END name -->`.
`tests/unit/test_docs.py` fails when a page is not current.
"""

import ast
import importlib
import pkgutil
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

import sealmesh.errors
from sealmesh.coordinator.phase import MOVES, Act, Phase, describe
from sealmesh.errors import SealmeshError
from sealmesh.manifest import schema_text
from sealmesh.provisioning import gotemplate
from sealmesh.server.configuration import SETTINGS
from sealmesh.wire.openapi import openapi_text

REFERENCE = Path(__file__).parent / "reference"
_GO = "https://pkg.go.dev/text/template#hdr-"
_INVISIBLE = {"\n": "\\n", "\t": "\\t"}
_REFUSED = {"syntax": "refused: not a template", "execution": "refused over this data"}
SOURCES = Path(sealmesh.errors.__file__).parents[1]


def main() -> int:
    """Write the pages that changed; with `--check` only name them and return 1."""
    changed = [path for path, text in pages().items() if not path.is_file() or path.read_text() != text]
    if "--check" in sys.argv[1:]:
        for path in changed:
            print(f"not current: {path}")
        return 1 if changed else 0
    for path, text in pages().items():
        path.write_text(text)
    print("docs/reference: " + (", ".join(path.name for path in changed) or "nothing to do"))
    return 0


def pages() -> dict[Path, str]:
    """Return every generated page as it should be, by its path."""
    return {
        REFERENCE / "manifest.schema.json": schema_text(),
        REFERENCE / "openapi.json": openapi_text(),
        REFERENCE / "configuration.md": _filled("configuration.md", "settings", settings_table()),
        REFERENCE / "phases.md": _filled("phases.md", "phases", f"{phase_table()}\n{phase_diagram()}"),
        REFERENCE / "templates.md": _filled("templates.md", "conformance", conformance_tables()),
        REFERENCE / "errors.md": _filled("errors.md", "errors", error_tables()),
    }


def settings_table() -> str:
    """Return every setting of a Coordinator process; what has a variable of ours has an option too."""
    rows = [
        (
            f"`--{setting.name}`" if any(name.startswith("SEALMESH_") for name in setting.variables) else "",
            "<br>".join(f"`{variable}`" for variable in setting.variables),
            f"`{setting.default}`" if setting.default else "",
            setting.about,
        )
        for setting in SETTINGS
    ]
    return _table(("option", "variables", "default", "meaning"), rows)


def phase_table() -> str:
    """Return which act is possible in which phase, and the phase after it."""
    head = ("act", *(f"{phase.value} {_name(phase)}" for phase in Phase))
    rows = [(act.value, *(_after(phase, act) for phase in Phase)) for act in Act]
    meanings = "".join(f"- **{phase.value} {_name(phase)}**: {describe(phase)}\n" for phase in Phase)
    return f"{meanings}\n{_table(head, rows)}"


def phase_diagram() -> str:
    """Return the moves as a Mermaid diagram."""
    arrows: dict[tuple[Phase, Phase], list[str]] = {}
    for (before, act), after in MOVES.items():
        arrows.setdefault((before, after), []).append(act.value)
    lines = [f'    state "{phase.value} {_name(phase)}" as {phase.name}' for phase in Phase]
    lines += [f"    {a.name} --> {b.name}: {'<br/>'.join(acts)}" for (a, b), acts in arrows.items()]
    return "```mermaid\nstateDiagram-v2\n" + "\n".join(lines) + "\n```\n"


def error_tables() -> str:
    """Return every error type with its code, by area."""
    variants = _variant_codes()
    return "\n".join(
        f"### {module.__name__.rpartition('.')[2]}\n\n{_summary(module)}\n\n"
        + _table(
            ("code", "kind", "meaning", "what to do"),
            [_error_row(error, variants.get(error.__name__, [])) for error in errors],
        )
        for module, errors in _errors_by_module()
    )


def conformance_tables() -> str:
    """Return what templates can say, by feature, as the template engine's conformance table has it."""
    table = tomllib.loads(Path(gotemplate.__file__).with_name("conformance.toml").read_text())
    shared = f"Data, unless a row has its own:\n\n```json\n{table['data'].strip()}\n```\n"
    features = [
        f"### {feature['name']}\n\n[{feature['section']}]({_GO}{feature['section'].replace(' ', '_')})\n\n"
        + _table(("template", "gives"), [_conformance_row(row) for row in feature["row"]])
        for feature in table["feature"]
    ]
    return "\n".join((shared, *features))


def _conformance_row(row: Mapping[str, str]) -> tuple[str, str]:
    over = f" over {_code(row['data'])}" if "data" in row else ""
    gives = _code(row["result"]) if "result" in row else _REFUSED[row["error"]]
    return _code(row["template"]) + over, gives


def _code(text: str) -> str:
    """Return a text as code in a table: what cannot be seen as Go spells it, with enough backticks."""
    shown = "".join(c if c.isprintable() else _INVISIBLE.get(c, f"\\u{ord(c):04x}") for c in text)
    if not shown:
        return "(empty)"
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    blank = " " if longest or shown != shown.strip() else ""
    return f"{fence}{blank}{shown}{blank}{fence}"


def _error_row(error: type[SealmeshError], variants: list[str]) -> tuple[str, ...]:
    codes = "<br>".join(f"`{code}`" for code in dict.fromkeys((error.code, *variants)))
    return codes, error.kind.value, _summary(error), error.remedy


def _errors_by_module() -> Iterator[tuple[ModuleType, list[type[SealmeshError]]]]:
    for found in pkgutil.iter_modules(sealmesh.errors.__path__):
        module = importlib.import_module(f"sealmesh.errors.{found.name}")
        errors = [
            item
            for item in vars(module).values()
            if isinstance(item, type)
            and issubclass(item, SealmeshError)
            and item.__module__ == module.__name__
        ]
        if errors:
            yield module, errors


def _variant_codes() -> dict[str, list[str]]:
    """Return the further codes that an error type is raised with, by its name, as the sources spell them."""
    found: dict[str, set[str]] = {}
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                codes = (word.value for word in node.keywords if word.arg == "code")
                texts = {c.value for c in codes if isinstance(c, ast.Constant) and isinstance(c.value, str)}
                found.setdefault(node.func.id, set()).update(texts)
    return {name: sorted(codes) for name, codes in found.items()}


def _after(phase: Phase, act: Act) -> str:
    after = MOVES.get((phase, act))
    return "" if after is None else ("yes" if after is phase else f"→ {after.value}")


def _name(phase: Phase) -> str:
    return phase.name.lower().replace("_", " ")


def _summary(item: object) -> str:
    """Return the first paragraph of a docstring, in one line."""
    return " ".join((item.__doc__ or "").split("\n\n")[0].split())


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _filled(page: str, name: str, text: str) -> str:
    begin, end = f"<!-- BEGIN {name} -->\n", f"<!-- END {name} -->"
    before = (REFERENCE / page).read_text()
    parts = re.split(f"({re.escape(begin)}).*({re.escape(end)})", before, flags=re.DOTALL)
    if len(parts) != 4:
        raise RuntimeError(f"{page} needs {begin.strip()} and {end}, once each")
    return f"{parts[0]}{begin}\n{text}\n{end}{parts[3]}"


if __name__ == "__main__":
    sys.exit(main())
