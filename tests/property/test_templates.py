"""Whatever stands in a manifest's templates: bytes or our own error, in bounded time, with bounded output."""

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from sealmesh.errors.provisioning import SecretCorrupt, TemplateRefused
from sealmesh.manifest import Manifest, Marble, Parameter, Parameters, SecretDefinition, SecretType
from sealmesh.provisioning import Secret, compile_parameters, placeholder, try_templates
from sealmesh.provisioning.data.root import data_root
from sealmesh.provisioning.gotemplate import MAX_OUTPUT, Template, TemplateError
from sealmesh.provisioning.gotemplate.format import sprint, sprintf
from sealmesh.provisioning.needed import ALL, needed_by
from sealmesh.provisioning.placeholder import placeholder_specials

DATA = {"s": "héllo", "l": [1, None, "x", {"a": True}], "m": {"k": 1.5}, "b": b"\x00\xff", "n": 3}
#: More than the engine's own bound on work takes on a slow, busy machine.
SECONDS = 10.0

_PIECES = """
{{ }} {{-_ _-}} /* */ _ ( ) | := = , $ $x . .s .l .m.k .n " ` ' "%d" 'a' 1 - 0x 1e9
99999999999999999999 i true nil if else end range with define template block break continue "T" hex pem
print printf index slice len eq lt and or html js call .Secrets.k é
"""
_pieces = st.sampled_from([piece.replace("_", " ") for piece in _PIECES.split()] + ["\n"])
token_soup = st.lists(_pieces, max_size=40).map("".join)
spaced_soup = st.lists(_pieces, max_size=40).map(" ".join)
actions = st.lists(st.lists(_pieces, max_size=6).map(" ".join).map("{{{{ {} }}}}".format), max_size=8).map(
    "".join
)
anything = st.one_of(token_soup, spaced_soup, actions, st.text(max_size=200)).map(
    lambda text: text.encode("utf-8", "surrogatepass")
)
templates = st.one_of(anything, st.binary(max_size=200))


def assert_placed(error: TemplateError) -> None:
    assert error.line >= 1
    assert error.column >= 1
    assert error.message


@settings(max_examples=600, deadline=None)
@given(text=templates)
def test_any_text_gives_bytes_or_our_error_in_bounded_time(text):
    begin = time.monotonic()
    try:
        output = Template.parse(text).execute(DATA)
    except TemplateError as error:
        assert_placed(error)
    else:
        assert len(output) <= MAX_OUTPUT
    assert time.monotonic() - begin < SECONDS


@given(text=st.binary(max_size=300).filter(lambda text: b"{{" not in text))
def test_text_without_actions_comes_out_as_it_went_in(text):
    assert Template.parse(text).execute(None) == text


@given(value=st.text(max_size=100))
def test_quoted_text_reads_back(value):
    try:
        raw = value.encode()
    except UnicodeEncodeError:
        return
    literal = sprintf(b"%q", [raw], MAX_OUTPUT)
    assert Template.parse(b"{{ " + literal + b" }}").execute(None) == raw


_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.binary(max_size=20)
    ),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None)
@given(
    form=st.one_of(st.binary(max_size=40), st.text("%vdsqxXobcUeEfgGtTwz+-# 0123456789.*[]", max_size=30)),
    data=_values,
)
def test_printf_gives_text_or_our_error(form, data):
    text = form.encode() if isinstance(form, str) else form
    try:
        output = Template.parse("{{ printf .f .v .v }}").execute(
            {"f": text.decode("utf-8", "surrogateescape"), "v": data}
        )
    except TemplateError:
        return
    assert len(output) <= MAX_OUTPUT


@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_shortest_float_reads_back(number):
    assert float(sprint([number], MAX_OUTPUT)) == number


@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_hexadecimal_float_reads_back(number):
    assert float.fromhex(sprintf(b"%x", [number], MAX_OUTPUT).decode()) == number


_SECRETS = {
    "k": SecretDefinition(type=SecretType.SYMMETRIC_KEY, size=128),
    "word": SecretDefinition(type=SecretType.PLAIN, user_defined=True),
    "c": SecretDefinition(type=SecretType.CERT_ED25519),
    "h": SecretDefinition(type=SecretType.SYMMETRIC_KEY, size=8),
    "x": SecretDefinition(type=SecretType.SYMMETRIC_KEY, size=8),
    "other": SecretDefinition(type=SecretType.SYMMETRIC_KEY, size=8),
}
_PATHS = """
. $ $x .Secrets .Secrets.k .Secrets.c.Cert .Previous .Previous.Secrets .Previous.Secrets.k $.Secrets.word
.SecretsWrapper $.SecretsWrapper.Secrets.c .MarbleRun.RootCA .missing $x.Secrets.k $x.k .k .Type 1 nil
"""
_paths = st.sampled_from(_PATHS.split())
_expressions = st.recursive(
    _paths,
    lambda inner: st.one_of(
        st.builds('index {} "{}"'.format, _paths, st.sampled_from(["k", "c", "word", "none"])),
        st.builds(
            "({}).{}".format,
            inner,
            st.sampled_from(["Secrets.k", "Secrets", "Previous.Secrets.c", "k", "Type"]),
        ),
        st.builds(
            "{} ({}) ({})".format, st.sampled_from(["and", "or", "print", "eq", "index"]), inner, inner
        ),
        st.builds(
            "{} | {}".format, inner, st.sampled_from(["hex", "print", "len", "not", 'index .Secrets "c"'])
        ),
    ),
    max_leaves=3,
)
_nodes = st.recursive(
    st.one_of(
        st.builds("{{{{ {} }}}}".format, _expressions),
        st.builds("{{{{ $x = {} }}}}{{{{ $x.Secrets.x.Type }}}}".format, _expressions),
        st.builds('{{{{ template "T" {} }}}}'.format, _expressions),
    ),
    lambda inner: st.builds(
        "{{{{ {} {} }}}}{}{{{{ else }}}}{}{{{{ end }}}}".format,
        st.sampled_from(["with", "with $x =", "range", "range $_, $x :=", "if"]),
        _expressions,
        inner,
        inner,
    ),
    max_leaves=4,
)
_HELPER = (
    '{{ define "T" }}{{ .Secrets.h.Type }}{{ .c.Type }}{{ $.Previous.Secrets.h.Type }}{{ end }}{{ $x := 1 }}'
)
_manifest_templates = st.lists(_nodes, max_size=4).map(lambda parts: (_HELPER + "".join(parts)).encode())


def _manifest(text: bytes) -> Manifest:
    parameters = Parameters(files={"f": Parameter(data=text)}, env={"V": Parameter(data=text)})
    return Manifest(packages={}, marbles={"m": Marble(package="p", parameters=parameters)}, secrets=_SECRETS)


def assert_names_the_parameter(error: TemplateRefused) -> None:
    assert (error.marble, error.name) in (("m", "f"), ("m", "V"))
    assert error.remedy


@settings(max_examples=500, deadline=None)
@given(text=st.one_of(_manifest_templates, templates))
def test_any_template_of_a_manifest_passes_the_trial_or_is_refused_with_its_place(text):
    try:
        try_templates(_manifest(text))
    except TemplateRefused as error:
        assert_names_the_parameter(error)


class Watched(dict):
    """Remembers which secrets a template looked at."""

    def __init__(self, values):
        super().__init__(values)
        self.seen = set()

    def __getitem__(self, name):
        self.seen.add(name)
        return super().__getitem__(name)

    def __iter__(self):
        self.seen.update(self.keys())
        return super().__iter__()


@settings(max_examples=500, deadline=None)
@given(text=_manifest_templates)
def test_template_never_looks_at_a_secret_that_was_not_announced(text):
    try:
        marble = compile_parameters(_manifest(text)).marble("m")
    except TemplateRefused:
        return
    values = Watched({name: placeholder(item) for name, item in _SECRETS.items()})
    data = data_root(placeholder_specials(), secrets=values, previous=values)
    for parameter in marble.files:
        try:
            parameter.render(data)
        except TemplateRefused:
            pass
        if not isinstance(parameter.content, bytes):
            announced = needed_by(parameter.content)
            assert announced is ALL or values.seen & _SECRETS.keys() <= announced


@given(stored=st.one_of(st.binary(max_size=300), st.text(max_size=100).map(str.encode)))
def test_any_stored_secret_is_read_or_refused(stored):
    try:
        assert Secret.from_bytes(stored).to_bytes() == stored
    except SecretCorrupt:
        pass


@given(flip=st.integers(min_value=0), bit=st.integers(0, 7))
def test_stored_secret_with_a_flipped_bit_is_another_or_none(flip, bit):
    stored = bytearray(placeholder(_SECRETS["k"]).to_bytes())
    stored[flip % len(stored)] ^= 1 << bit
    try:
        assert Secret.from_bytes(bytes(stored)) != placeholder(_SECRETS["k"])
    except SecretCorrupt:
        pass
