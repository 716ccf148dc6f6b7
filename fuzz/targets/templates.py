"""The template engine alone, over values of every kind."""

from fuzz.target import Target
from sealmesh.provisioning.gotemplate import MAX_OUTPUT, Template, TemplateError

_DATA = {"s": "h\u00e9llo", "l": [1, None, "x", {"a": True}], "m": {"k": 1.5}, "b": b"\x00\xff", "n": 3}
_SEEDS = {
    "values": "{{ .s }}{{ .m.k }}{{ $ }}{{ .missing }}",
    "range": "{{ range $i, $v := .l }}{{ $i }}{{ else }}none{{ end }}{{ range 3 }}x{{ break }}{{ end }}",
    "define": '{{ define "T" }}{{ . }}{{ end }}{{ template "T" .n }}{{ block "B" . }}{{ end }}',
    "functions": '{{ printf "%5.2f|%-8q|%x" .m.k .s .b }}{{ and .n (or false .s) | print }}',
    "compare": "{{ if and (eq .n 3) (lt 1 2) }}a{{ else if not .s }}b{{ end }}",
    "index": '{{ index .l 0 }}{{ index .m "k" }}{{ slice .s 1 2 }}{{ len .l }}{{ html .s }}{{ js .s }}',
    "with": "{{- with $x := .n -}} {{ $x }} {{- else with .s }}{{ . }}{{ end -}} {{/* no */}}",
}
_WORDS = b"""
{{ }} {{- -}} /* */ range with define template block break continue end else if index slice
printf html js urlquery call %[2]*.[1]*d %#+q 0x1p-2 nil := | $ ` 'a'
"""


def _execute(text: bytes) -> None:
    try:
        output = Template.parse(text).execute(_DATA)
    except TemplateError as error:
        assert error.line >= 1
        assert error.column >= 1
        return
    assert len(output) <= MAX_OUTPUT


TARGET = Target(
    run=_execute,
    seeds=lambda: {name: text.encode() for name, text in _SEEDS.items()},
    words=tuple(_WORDS.split()),
    longest=2048,
    milliseconds=2000,
    megabytes=64,
)
