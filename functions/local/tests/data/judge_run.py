"""Judges a TREC run file with ir_measures: judge_run.py QRELS RUN, both in TREC's form. Prints a JSON object."""

import json
import sys

import ir_measures
from ir_measures import R, RR, Success, nDCG

qrels, run = {}, {}
for qrel in ir_measures.read_trec_qrels(sys.argv[1]):
    qrels.setdefault(qrel.query_id, {})[qrel.doc_id] = qrel.relevance
for scored in ir_measures.read_trec_run(sys.argv[2]):
    run.setdefault(scored.query_id, {})[scored.doc_id] = scored.score
# A question without results counts as nothing found.
for question in qrels:
    run.setdefault(question, {"none": 0.0})
measures = [nDCG @ 10, R @ 5, R @ 10, R @ 100, RR @ 10, Success @ 1]
found = ir_measures.calc_aggregate(measures, qrels, run)
print(json.dumps({str(measure): found[measure] for measure in measures}))
