"""`sam build` with everything but the compiler: that it finds each function, its binary and each nested template.

A stand-in for `cargo` writes the binaries; the real build is the project's, and takes minutes.
"""

import os
import shutil
import stat
import subprocess

from contract import NAMES
from scenarios import sources
from translate import ROOT, read

# Called as `cargo metadata …` and as `cargo lambda build … --bin NAME`.
CARGO = """#!/bin/sh
echo "$@" >> "$CALLS"
if [ "$1" = metadata ]; then
  printf '{"target_directory": "%s/target", "workspace_root": "%s", "packages": [], "version": 1}' "$PWD" "$PWD"
  exit
fi
while [ $# -gt 1 ]; do
  [ "$1" = --bin ] && mkdir -p "target/lambda/$2" && echo binary > "target/lambda/$2/bootstrap"
  shift
done
"""


def test_sam_build_finds_everything(tmp_path):
    (tmp_path / "infra").mkdir()
    for file in sources():
        shutil.copy(ROOT / file, tmp_path / file)
    for name in NAMES:
        (tmp_path / "functions" / name).mkdir(parents=True)
        (tmp_path / "functions" / name / "Cargo.toml").write_text(f'[package]\nname = "{name}"\nversion = "0.0.0"\n')
    programs = tmp_path / "programs"
    programs.mkdir()
    for program in ("cargo", "cargo-lambda"):
        (programs / program).write_text(CARGO)
        (programs / program).chmod(stat.S_IRWXU)

    calls = tmp_path / "calls"
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "CALLS": str(calls)}
    command = ("sam", "build", "--parameter-overrides", "Architecture=arm64 IndexUrl=https://q:6334")
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=80)
    assert done.returncode == 0, done.stderr

    builds = sorted(line for line in calls.read_text().splitlines() if line.startswith("lambda build"))
    assert builds == sorted(f"lambda build --release --arm64 --bin {name}" for name in NAMES)
    built = tmp_path / ".aws-sam" / "build"
    for name in NAMES:
        assert (built / f"{name.capitalize()}Function" / "bootstrap").read_text() == "binary\n"
    template = read(built / "template.yaml")
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::CloudFormation::Stack":
            assert resource["Properties"]["TemplateURL"] == f"{name}/template.yaml"
            assert read(built / name / "template.yaml")["Resources"], name
