"""Cuts XQuAD into quarters, so that questions can be asked of documents in their own language that do not answer them.

usage: split.py DATA_DIR OUT_DIR

Writes OUT_DIR/SET~QUARTER for each language: TA and TB from the articles that are fitted, HA and HB from those held
back. `lectern eval OUT_DIR/SET~TA --documents-of OUT_DIR/SET~TB --measure DIR` then asks the wrong ones."""

import json, os, sys

DATA, OUT = sys.argv[1:3]


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def write(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


squad = {d["text"]: d["_id"].split("-")[1] for d in read(f"{DATA}/qa-squad2/corpus.jsonl")}
same = {}
for document in read(f"{DATA}/qa-xquad-en/corpus.jsonl"):
    if document["text"] in squad:
        same[document["_id"].split("-")[2]] = squad[document["text"]]
articles = sorted(set(squad.values()), key=int)
fitted, held = articles[::2], articles[1::2]
quarters = {"TA": fitted[::2], "TB": fitted[1::2], "HA": held[::2], "HB": held[1::2]}

for language in ("en", "de", "es", "ar", "hi", "zh"):
    name = f"qa-xquad-{language}"
    documents, questions = read(f"{DATA}/{name}/corpus.jsonl"), read(f"{DATA}/{name}/queries.jsonl")
    pairs = [line.split("\t") for line in open(f"{DATA}/{name}/qrels.tsv").read().splitlines()[1:]]
    answered_by = {question: document for question, document, _ in pairs}
    for quarter, chosen in quarters.items():
        folder = f"{OUT}/{name}~{quarter}"
        os.makedirs(folder, exist_ok=True)
        mine = [d for d in documents if same.get(d["_id"].split("-")[2]) in chosen]
        ids = {d["_id"] for d in mine}
        asked = [q for q in questions if answered_by[q["_id"]] in ids]
        write(f"{folder}/corpus.jsonl", mine)
        write(f"{folder}/queries.jsonl", asked)
        with open(f"{folder}/qrels.tsv", "w") as file:
            file.write("query-id\tcorpus-id\tscore\n")
            file.writelines(f"{q['_id']}\t{answered_by[q['_id']]}\t1\n" for q in asked)
