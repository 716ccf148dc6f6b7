"""The template engine by itself: the value protocol, errors with their place, and every bound."""

import ast
import inspect
import sys
import threading
import time
from pathlib import Path

import pytest

from sealmesh.provisioning import gotemplate
from sealmesh.provisioning.gotemplate import (
    MAX_DEPTH,
    MAX_NESTING,
    MAX_OUTPUT,
    NO_VALUE,
    ByteSlice,
    Function,
    FunctionError,
    Integer,
    MapOf,
    Parameter,
    Slice,
    StructOf,
    Template,
    TemplateError,
    TemplateExecutionError,
    TemplateLimitError,
    TemplateSyntaxError,
    from_python,
)


def run(text, data=None, **functions):
    return Template.parse(text, functions=functions).execute(data)


def test_python_data_reads_as_go_data():
    data = {"list": ["a", 1, None], "raw": b"\x01\xff", "deep": {"x": True}, "f": 1.5}
    assert run("{{ .list }} {{ .raw }} {{ .deep.x }} {{ .f }}", data) == b"[a 1 <nil>] [1 255] true 1.5"


def test_python_data_that_go_has_no_form_for_is_our_own_fault():
    with pytest.raises(TypeError):
        from_python({"x": object()})


def test_own_functions_come_beside_and_before_the_builtins():
    twice = Function(lambda value: value * 2, (Parameter.STRING,))
    assert (
        run(
            '{{ twice "ab" | len }}{{ print 1 }}',
            twice=twice,
            print=Function(lambda *_: b"!", (), Parameter.ANY),
        )
        == b"4!"
    )


def refuse(*_):
    raise FunctionError("not today")


def test_function_refuses_with_its_name_and_place():
    with pytest.raises(TemplateExecutionError, match="error calling never: not today") as caught:
        run("\n {{ never }}", never=Function(refuse))
    assert (caught.value.line, caught.value.column) == (2, 5)


@pytest.mark.parametrize(
    "call", ["{{ two 1 }}", "{{ two 1 2 3 }}", "{{ 1 | two }}", "{{ two 1 2 | two 3 4 }}"]
)
def test_function_with_another_number_of_arguments_is_refused(call):
    with pytest.raises(TemplateExecutionError, match="wrong number of args for two"):
        run(call, two=Function(lambda one, two: one, (Parameter.ANY, Parameter.ANY)))


@pytest.mark.parametrize("argument", ["5", "nil", ".missing", "(index .m `x`)"])
def test_function_that_takes_a_string_takes_nothing_else(argument):
    with pytest.raises(TemplateExecutionError):
        run(f"{{{{ show {argument} }}}}", {"m": {}}, show=Function(lambda text: text, (Parameter.STRING,)))


def test_function_gets_nil_for_a_key_that_is_not_there():
    seen = []
    run("{{ look .missing }}", {}, look=Function(lambda value: seen.append(value) or b"", (Parameter.ANY,)))
    assert seen == [None]


def test_functions_are_values_that_call_calls():
    add = Function(lambda one, two: one + two, (Parameter.INT, Parameter.INT))
    data = MapOf({b"add": add})
    assert run("{{ call .add 1 2 }}", data) == b"3"
    for wrong in ("{{ call .add 1 }}", "{{ call .add `a` 2 }}", "{{ .add }}", "{{ call .none }}"):
        with pytest.raises(TemplateExecutionError):
            run(wrong, data)


def test_structs_have_fields_methods_and_a_text():
    greet = Function(lambda name: b"hello " + name, (Parameter.STRING,))
    person = StructOf(
        {"Name": b"Ada", "Age": Integer(36, "uint", unsigned=True)}, "main.Person", None, {"Greet": greet}
    )
    data = {"p": person, "s": StructOf({}, "main.Shown", b"shown")}
    assert (
        run("{{ .p.Greet `Bob` }}, {{ `Eve` | .p.Greet }}, {{ .p }}, {{ .s }}", data)
        == b"hello Bob, hello Eve, {Ada 36}, shown"
    )
    assert run("{{ printf `%+v %T %d` .p .p .p.Age }}", data) == b"{Name:Ada Age:36} main.Person 36"
    assert run("{{ printf `%s %q %d` .s .s .s }}", data) == b'shown "shown" {}'
    for wrong in (
        "{{ .p.name }}",
        "{{ .p.Name.X }}",
        "{{ .p.Name 1 }}",
        "{{ .p.Greet }}",
        "{{ .p.Greet 1 }}",
    ):
        with pytest.raises(TemplateExecutionError):
            run(wrong, data)


def test_structs_compare_by_their_fields():
    one, same = StructOf({"A": 1}, "main.T"), StructOf({"A": 1}, "main.T")
    other, foreign = StructOf({"A": 2}, "main.T"), StructOf({"A": 1}, "main.U")
    data = {"one": one, "same": same, "other": other, "foreign": foreign}
    assert run("{{ eq .one .same }}{{ eq .one .other }}{{ ne .one .same }}", data) == b"truefalsefalse"
    with pytest.raises(TemplateExecutionError):
        run("{{ eq .one .foreign }}", data)


def test_named_slices_keep_their_type_and_elements_print_by_their_own_text():
    address = ByteSlice(b"\x7f\0\0\1", "net.IP", b"127.0.0.1")
    data = {"ips": Slice((address,), "[]net.IP")}
    assert (
        run("{{ .ips }} {{ index .ips 0 }} {{ printf `%T` (slice (index .ips 0) 1) }}", data)
        == b"[127.0.0.1] 127.0.0.1 net.IP"
    )


def test_maps_with_int_keys_are_ranged_in_order():
    data = {"m": MapOf({3: b"c", 1: b"a"}, "map[int]string", b"")}
    assert (
        run("{{ range $k, $v := .m }}{{ $k }}{{ $v }}{{ end }}{{ index .m 3 }}[{{ index .m 9 }}]", data)
        == b"1a3cc[]"
    )
    with pytest.raises(TemplateExecutionError):
        run("{{ index .m `3` }}", data)


def test_no_value_has_a_name():
    assert repr(NO_VALUE) == "NO_VALUE"


def test_one_template_serves_many_threads():
    template = Template.parse("{{ $x := .n }}{{ range 50 }}{{ $x = $ }}{{ end }}{{ $x.n }}")
    wrong = []

    def work(number):
        wrong.extend(1 for _ in range(20) if template.execute({"n": number}) != str(number).encode())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_template_without_actions_is_known_to_be_constant():
    assert Template.parse("a{{/* b */}}c").constant == b"ac"
    assert Template.parse("a{{ 1 }}").constant is None


PLACES = [
    ("{{", 1, 3),
    ("a\n{{ nope }}", 2, 4),
    ("ü {{ $x }}", 1, 6),
    ("{{ 1 }}\n\n{{ end }}", 3, 4),
    ('{{ "a" }', 1, 8),
    ("{{ .a-b }}", 1, 6),
    ("{{ if 1 }}x", 1, 12),
    ("{{ define `x` }}{{ end }}{{ break }}", 1, 29),
]


@pytest.mark.parametrize(("text", "line", "column"), PLACES)
def test_mistake_is_named_with_line_and_column(text, line, column):
    with pytest.raises(TemplateSyntaxError) as caught:
        Template.parse(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert str(caught.value).startswith(f"{line}:{column}: ")


_TWICE = '{{ define "%d" }}{{ template "%d" }}{{ template "%d" }}{{ end }}'
EXPONENTIAL = (
    "".join(_TWICE % (n, n + 1, n + 1) for n in range(60)) + '{{ define "60" }}{{ end }}{{ template "0" }}'
)
_MANY_WIDE = '{{ printf "' + "%999999d" * 50 + '"' + " 1" * 50 + " }}"
_MANY_LARGE = "{{ range 100000 }}{{ if eq $x (html $x) }}{{ end }}{{ end }}"

#: What an attacker of the Coordinator would write into a manifest.
BOMBS = {
    "endless recursion": '{{ define "r" }}{{ template "r" . }}{{ end }}{{ template "r" . }}',
    "recursion of itself": '{{ template "data" . }}',
    "wide recursion": '{{ define "r" }}{{ template "r" . }}{{ template "r" . }}{{ end }}{{ template "r" }}',
    "exponential calls": EXPONENTIAL,
    "long loop": "{{ range 9223372036854775807 }}{{ end }}",
    "loops in loops": "{{ range 10000 }}{{ range 10000 }}{{ range 10000 }}{{ end }}{{ end }}{{ end }}",
    "large output": "{{ range 100000 }}" + "x" * 1000 + "{{ end }}",
    "wide field": '{{ range 100 }}{{ printf "%1000000d" 1 }}{{ end }}',
    "many wide fields": _MANY_WIDE,
    "impossible width": '{{ printf "%9999999d" 1 }}',
    "impossible precision": '{{ printf "%.9999999f" 1.5 }}',
    "doubling": '{{ $x := "abcdefgh" }}{{ range 64 }}{{ $x = print $x $x }}{{ end }}',
    "much work on large values": '{{ $x := printf "%1000000d" 1 }}' + _MANY_LARGE,
    "precise floats": '{{ range 1000 }}{{ printf "%.1000000f" 1.5 }}{{ end }}',
}  # fmt: skip


@pytest.mark.parametrize("attack", BOMBS)
def test_template_bomb_is_stopped_in_time(attack):
    begin = time.monotonic()
    with pytest.raises(TemplateLimitError):
        run(BOMBS[attack])
    assert time.monotonic() - begin < 10


@pytest.mark.parametrize(
    "text",
    [
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "{{ if 1 }}" * 5000 + "{{ end }}" * 5000,
        "{{ range 1 }}" * 5000,
    ],
)
def test_deep_nesting_is_refused_when_parsed(text):
    with pytest.raises(TemplateSyntaxError, match="deep"):
        Template.parse(text)


def test_nesting_up_to_the_bound_works():
    depth = MAX_NESTING - 2
    assert run("{{ if 1 }}" * depth + "x" + "{{ end }}" * depth) == b"x"
    assert run("{{ " + "(" * depth + "`x`" + ")" * depth + " }}") == b"x"


def test_many_branches_are_not_deep():
    assert run("{{ if false }}" + "{{ else if false }}" * 3000 + "{{ else }}x{{ end }}") == b"x"


def test_recursion_up_to_the_bound_works():
    text = '{{ define "r" }}{{ if . }}x{{ template "r" (slice . 1) }}{{ end }}{{ end }}{{ template "r" . }}'
    letters = "a" * (MAX_DEPTH // 3 - 2)
    assert run(text, letters) == b"x" * len(letters)


def test_output_up_to_the_bound_works():
    assert len(run("{{ . }}", "x" * MAX_OUTPUT)) == MAX_OUTPUT
    with pytest.raises(TemplateLimitError):
        run("{{ . }}y", "x" * MAX_OUTPUT)


def test_deep_python_stack_gives_our_error():
    template = Template.parse('{{ define "r" }}{{ template "r" . }}{{ end }}{{ template "r" . }}')

    def descend(levels):
        return template.execute(None) if levels == 0 else descend(levels - 1)

    with pytest.raises(TemplateLimitError):
        descend(sys.getrecursionlimit() - len(inspect.stack(0)) - 60)


def test_address_is_not_printed():
    with pytest.raises(TemplateExecutionError, match="address"):
        run("{{ printf `%p` .x }}", {"x": [1]})


def test_text_with_surrogates_is_no_crash():
    with pytest.raises(TemplateError):
        Template.parse("{{ \ud800 }}")


def test_engine_stands_alone_on_the_standard_library():
    folder = Path(gotemplate.__file__).parent
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                own = name.startswith("sealmesh.provisioning.gotemplate")
                assert own or name.split(".")[0] in sys.stdlib_module_names, (file.name, name)
