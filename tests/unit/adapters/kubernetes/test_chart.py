"""Charts: what ours does not say, others' that cannot be read, and Helm's functions."""

import pytest

from sealmesh.adapters.kubernetes import Chart, Release
from sealmesh.adapters.kubernetes.chart import OWN_CHART
from sealmesh.errors.cluster import ChartError

OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"


@pytest.fixture
def chart(tmp_path):
    """A chart of these files."""

    def write(**files: str) -> Chart:
        (tmp_path / "templates").mkdir()
        (tmp_path / "Chart.yaml").write_text("name: other\nversion: 1.0.0\n")
        for name, text in files.items():
            (tmp_path / name.replace("__", "/").replace("_dot_", ".")).write_text(text)
        return Chart(tmp_path)

    return write


def rendered(chart: Chart, **values):
    return chart.render(values, Release())


def test_our_chart_asks_for_a_word_on_simulation():
    with pytest.raises(ChartError, match="say simulation: true"):
        rendered(Chart(OWN_CHART))


def test_our_charts_version_is_the_packages():
    import sealmesh

    assert Chart(OWN_CHART).title == f"sealmesh-{sealmesh.__version__}"
    assert rendered(Chart(OWN_CHART), simulation=True).objects[0]["metadata"]["labels"][
        "app.kubernetes.io/version"
    ] == (sealmesh.__version__)


def test_values_lie_over_the_charts_own_deep_down(chart):
    made = chart(
        values_dot_yaml="a: {b: 1, c: 2}\n",
        templates__x_dot_yaml=OBJECT + "data: {b: {{ .Values.a.b }}, c: {{ .Values.a.c }}}\n",
    )
    assert rendered(made, a={"c": 3}).objects[0]["data"] == {"b": 1, "c": 3}


@pytest.mark.parametrize(
    ("action", "output"),
    [
        ('{{ "x" | default "y" }}{{ "" | default "y" }}{{ .Values.none | default "z" }}', "xyz"),
        ("{{ list 1 2 | toJson }}{{ dict `a` (list true nil) | toJson }}", '[1,2]{"a":[true,null]}'),
        ('{{ "a\\nb" | indent 2 }}', "  a\n  b"),
        ("{{ dict `a` (dict `b` 1) | toYaml }}", "a:\n  b: 1"),
        ('{{ "abc" | trunc 2 }}{{ "abc" | trunc -1 }}{{ "a-b" | replace "-" "_" }}', "abca_b"),
        (
            '{{ "x" | b64enc }}{{ join "," (list "a" 1) }}{{ "A" | lower }}{{ trimSuffix "b" "ab" }}',
            "eA==a,1aa",
        ),
        ('{{ ternary "y" "n" true }}{{ coalesce "" nil "c" }}{{ empty 0 }}{{ int "7" }}', "yctrue7"),
        ('{{ "a" | quote }}{{ 1 | quote }}{{ true | squote }}', '"a""1"\'true\''),
        ('{{ "<&>" | toJson }}', '"\\u003c\\u0026\\u003e"'),
        ("{{ .Values.missing }}.", "."),
        ("{{ .Release.Name }}/{{ .Release.Service }}/{{ .Chart.Name }}", "marblerun/sealmesh/other"),
    ],
)
def test_functions_do_as_helms(chart, action, output):
    notes = chart(templates__NOTES_dot_txt=f"|{action}|")
    assert rendered(notes).notes == f"|{output}|"


@pytest.mark.parametrize(
    ("files", "cause"),
    [
        ({"templates__x_dot_yaml": "{{ tpl `x` . }}"}, "'tpl' not defined"),
        ({"templates__x_dot_yaml": "{{ lookup `v1` `Secret` `` `` }}"}, "'lookup' not defined"),
        ({"templates__x_dot_yaml": "{{ if }}"}, r"templates/x.yaml: 1:"),
        ({"templates__x_dot_yaml": "{{ fail `no` }}"}, "no"),
        ({"templates__x_dot_yaml": "{{ required `say it` .Values.it }}"}, "say it"),
        ({"templates__x_dot_yaml": "{{ include `none` . }}"}, "none"),
        ({"templates__x_dot_yaml": "{{ join `,` 1 }}"}, "join cannot take this"),
        ({"templates__x_dot_yaml": "{{ dict `a` }}"}, "dict cannot take this"),
        ({"templates__x_dot_yaml": "{{include `r` .}}",
          "templates___h_dot_tpl": '{{define "r"}}{{include "r" .}}{{end}}'}, "error calling include"),
        ({"templates__x_dot_yaml": "a: [b"}, "no YAML"),
        ({"templates__x_dot_yaml": "a: b"}, "no Kubernetes object"),
        ({"templates__x_dot_yaml": "apiVersion: v1\nkind: Pod"}, "without a name"),
        ({"templates__x_dot_yaml": OBJECT.replace("x}", "../y}")}, "no name in Kubernetes"),
        ({"templates__x_dot_yaml": OBJECT.replace("v1", "../v1")}, "no name in Kubernetes"),
        ({"templates__x_dot_yaml": OBJECT.replace("x}", "x, annotations: {helm.sh/hook: a}}")}, "hook"),
        ({"Chart_dot_yaml": "dependencies: [{name: x}]"}, "subcharts"),
        ({"Chart_dot_yaml": "- x"}, "no mapping"),
        ({"values_dot_yaml": "a: ["}, "no YAML"),
    ],
)  # fmt: skip
def test_what_only_helm_can_do_or_nobody_is_refused(chart, files, cause):
    with pytest.raises(ChartError, match=cause):
        rendered(chart(**files))


def test_a_directory_that_is_no_chart_is_refused(tmp_path):
    with pytest.raises(ChartError, match="cannot be read"):
        Chart(tmp_path)
