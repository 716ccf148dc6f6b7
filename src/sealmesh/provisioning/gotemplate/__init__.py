"""Go's `text/template`, standalone: the standard library of Python is all it needs.

Templates with pipelines, variables, `if with range break continue define block template`, comments, trim
markers, integer `range` and `else with`; Go's builtin functions; Go's `fmt`. Not there: channels,
range-over-func, pointers' addresses (`%p`), and more than one file of templates.

    >>> Template.parse('{{range $i, $x := .list}}{{$i}}={{$x}};{{end}}').execute({"list": ["a", "b"]})
    b'0=a;1=b;'
"""

from sealmesh.provisioning.gotemplate.budget import MAX_DEPTH, MAX_WORK
from sealmesh.provisioning.gotemplate.builtins import BUILTINS, MAX_OUTPUT
from sealmesh.provisioning.gotemplate.errors import (
    FunctionError,
    TemplateError,
    TemplateExecutionError,
    TemplateLimitError,
    TemplateSyntaxError,
)
from sealmesh.provisioning.gotemplate.parser import MAX_NESTING
from sealmesh.provisioning.gotemplate.template import Template
from sealmesh.provisioning.gotemplate.values import (
    NO_VALUE,
    ByteSlice,
    Function,
    Integer,
    Map,
    MapOf,
    NoValue,
    Parameter,
    Slice,
    Struct,
    StructOf,
    Value,
    from_python,
)

__all__ = [
    "BUILTINS",
    "MAX_DEPTH",
    "MAX_NESTING",
    "MAX_OUTPUT",
    "MAX_WORK",
    "NO_VALUE",
    "ByteSlice",
    "Function",
    "FunctionError",
    "Integer",
    "Map",
    "MapOf",
    "NoValue",
    "Parameter",
    "Slice",
    "Struct",
    "StructOf",
    "Template",
    "TemplateError",
    "TemplateExecutionError",
    "TemplateLimitError",
    "TemplateSyntaxError",
    "Value",
    "from_python",
]
