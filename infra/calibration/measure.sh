#!/bin/sh
# Measures what fit.py reads: every training set, the questions that must be refused, and what is held back.
# usage: measure.sh "LECTERN --data DIR" DATA_DIR MEASURED_DIR INDEX_DIR     (about half an hour on two cores)
set -eu
lectern=$1 data=$2 measured=$3 index=$4
here=$(dirname "$0")
quarters=$measured/quarters
mkdir -p "$measured"
python3 "$here/split.py" "$data" "$quarters"

ask() {
    $lectern eval "$@" --sets "$data" --index "$index" --measure "$measured" >"$measured/last.txt"
    sed -n 2p "$measured/last.txt"
}

for language in en de es ar hi zh; do
    name=qa-xquad-$language
    ask "$name"
    for pair in "TA TB" "TB TA" "HA HB" "HB HA"; do
        # shellcheck disable=SC2086
        set -- $pair
        ask "$quarters/$name~$1" --documents-of "$quarters/$name~$2"
    done
done
for name in qa-squad2 qa-urdu-uqad ir-cranfield; do
    ask "$name"
done
ask ir-scifact --qrels qrels.train.tsv --limit 500
for elsewhere in qa-squad2 ir-cranfield; do
    ask ir-scifact --qrels qrels.train.tsv --limit 400 --documents-of "$elsewhere"
done
for elsewhere in ir-cranfield ir-scifact; do
    ask qa-squad2 --limit 600 --documents-of "$elsewhere"
    ask qa-xquad-en --documents-of "$elsewhere"
done
ask ir-cranfield --documents-of qa-squad2
