#!/bin/sh
# Fits the detector of instructions in documents again, and prints the cross-validation (about five minutes on two cores).
# usage: run.sh PYTHON ORDINARY_DIR WORK_DIR      PYTHON has numpy and scikit-learn; ORDINARY_DIR holds JSON Lines with a `text`
set -eu
python=$1 ordinary=$2 work=$3
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
cargo build --release -p lectern-core --example injection_evidence --manifest-path "$root/Cargo.toml"
"$python" "$here/augment.py" "$root/evaluation/hostile/training" "$work/augmented"
"$python" "$here/fit.py" "${CARGO_TARGET_DIR:-$root/target}/release/examples/injection_evidence" "$root/evaluation/hostile" \
    "$work/augmented" "$ordinary" "$root/shared/lectern-core/src/injection/weights.bin"
