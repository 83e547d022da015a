"""Fits weights.bin and prints the cross-validation: fit.py EXAMPLE PASSAGES_DIR AUGMENTED_DIR ORDINARY_DIR [OUT] [--C X]

EXAMPLE is the binary of lectern-core's example injection_evidence, PASSAGES_DIR is evaluation/hostile, AUGMENTED_DIR what
augment.py wrote, ORDINARY_DIR holds passages of ordinary documents as JSON Lines with a `text`. Needs numpy, scikit-learn.
"""
import argparse, collections, glob, json, os, random, struct, subprocess, tempfile
import numpy as np
import scipy.sparse as sparse
from sklearn.linear_model import LogisticRegression

GROUPS = ["a", "b", "c", "d", "e", "f", "own", "tune"]
BITS = 19               # of a clue's number that tell its weight
FALSE = 0.015           # share of held-out benign passages that a certainty of 50 % may be wrong about
FALSE_80 = 0.01         # and a certainty of 80 %, from which passages are withheld
WEIGHT = {"clean": 0.5, "mixed": 0.5, "swapped": 0.5, "encoded": 0.5, "ordinary": 0.3}
ORDINARY_FITTED = 600   # ordinary passages that are fitted to; the others are measured

parser = argparse.ArgumentParser()
for name in ("example", "passages", "augmented", "ordinary"):
    parser.add_argument(name)
parser.add_argument("out", nargs="?")
parser.add_argument("--C", type=float, default=1.0)
parser.add_argument("--fewest", type=int, default=3, help="passages a clue is in")
parser.add_argument("--writers", type=int, default=2, help="groups a clue is in")
parser.add_argument("--without", nargs="*", default=[])
parser.add_argument("--ordinary-of-each", type=int, default=400)
options = parser.parse_args()

class Passage:
    def __init__(self, row, group, evidence):
        self.group, self.attack = group, "family" in row
        self.kind = row.get("family") or row.get("kind") or "ordinary"
        self.language, self.added = row.get("language", "en"), group == "ordinary" or "id" not in row
        self.weight = WEIGHT.get(self.kind, 1.0) if self.added else 1.0
        self.evidence = evidence
        inject = row.get("inject")
        self.span = None
        if self.attack and inject:
            start = len(row["text"][:row["text"].index(inject)].encode())
            self.span = start, start + len(inject.encode())

    def label(self, reading, start, end):
        """Returns 1 for what was injected, 0 for all else, -1 where it is not known."""
        if not self.attack: return 0
        if self.span is None or reading: return -1
        common = min(end, self.span[1]) - max(start, self.span[0])
        return int(common >= min(15, (self.span[1] - self.span[0]) / 2) or common > (end - start) / 2)

def load(path, group, rows=None):
    rows = rows or [json.loads(line) for line in open(path) if line.strip()]
    process = subprocess.run([options.example, path], stdout=subprocess.PIPE, check=True, text=True)
    found = process.stdout.splitlines()
    assert len(rows) == len(found)
    return [Passage(row, group, json.loads(line)) for row, line in zip(rows, found)]

passages = []
for group in GROUPS:
    folder = options.passages if group == "tune" else f"{options.passages}/training/{group}"
    for name in ("attacks", "benign"):
        passages += load(f"{folder}/{name}{'.tune' if group == 'tune' else ''}.jsonl", group)
for path in sorted(glob.glob(f"{options.augmented}/*.jsonl")):
    passages += [p for p in load(path, os.path.basename(path)[0]) if p.kind not in options.without]
ordinary = []
for path in sorted(glob.glob(f"{options.ordinary}/*.jsonl")):
    rows = [line for line in open(path) if line.strip()]
    random.Random(1).shuffle(rows)
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(rows[:options.ordinary_of_each])
        file.flush()
        ordinary += load(file.name, "ordinary")
random.Random(2).shuffle(ordinary)
passages += ordinary

at, label, numbers, strengths, ends = [], [], [], [], [0]
for index, passage in enumerate(passages):
    for reading, start, end, clues, strength in passage.evidence:
        at.append(index); label.append(passage.label(reading, start, end))
        numbers += clues; strengths += strength; ends.append(len(numbers))
    passage.evidence = None
numbers = np.array(numbers, np.uint32)
known, column = np.unique(numbers, return_inverse=True)
slots = known >> (32 - BITS)
X = sparse.csr_matrix((np.array(strengths, np.float32), column.astype(np.int32), np.array(ends)), (len(at), len(known)))
X.sum_duplicates()
S = sparse.csr_matrix((X.data, slots[X.indices].astype(np.int32), X.indptr), (len(at), 1 << BITS))
del numbers, strengths, column
at, label = np.array(at), np.array(label)
of_passage = sparse.csr_matrix((np.ones(len(at), np.float32), (at, np.arange(len(at)))), (len(passages), len(at)))
shown = (of_passage @ X).sign().tocsr()     # which clues are in which passage
attack = np.array([p.attack for p in passages]); added = np.array([p.added for p in passages])
group = np.array([p.group for p in passages]); kind = np.array([p.kind for p in passages])
weight = np.array([p.weight for p in passages])[at]
fitted_ordinary = np.zeros(len(passages), bool); fitted_ordinary[np.where(group == "ordinary")[0][:ORDINARY_FITTED]] = True
print(len(passages), "passages,", X.shape[0], "sentences,", X.nnz // X.shape[0], "clues each", flush=True)

def fit(train):
    """Fits to the sentences of passages in `train`: all that was injected at first, then chiefly what shows it best."""
    inside = train[at]
    # A clue that only one writer has, or hardly any passage, is not learned from.
    written = [np.asarray(shown[train & ~added & (group == g)].sum(0))[0] for g in GROUPS]
    use_clue = (sum(written) >= options.fewest) & (sum(w > 0 for w in written) >= options.writers)
    columns = np.where(use_clue)[0]
    K = X[:, columns]
    injected = collections.Counter(at[label == 1].tolist())
    y, w = (label == 1).astype(int), weight.copy()
    w[label == 1] *= [2.0 / injected[p] for p in at[label == 1]]
    use = inside & (label >= 0)
    for _ in range(2):
        model = LogisticRegression(C=options.C, max_iter=100, solver="liblinear")
        model.fit(K[use], y[use], sample_weight=w[use])
        coefficients, bias = model.coef_[0], model.intercept_[0]
        z = K @ coefficients + bias
        y, w = np.zeros(len(at), int), weight.copy()
        best = {}
        for s in np.where(inside & (label != 0))[0]:
            if at[s] not in best or z[s] > z[best[at[s]]]: best[at[s]] = s
        w[label == 1] *= 0.3
        y[label == 1] = 1
        chosen = list(best.values())
        y[chosen], w[chosen] = 1, 2.0 * weight[chosen]
        use = inside & ((label >= 0) | (y == 1))
    # Clues that share a weight are added up as they are in the file, in whole steps.
    weights = np.zeros(1 << BITS)
    np.add.at(weights, slots[columns], coefficients)
    step = np.quantile(np.abs(weights[weights != 0]), 0.9999) / 127
    return np.clip(np.round(weights / step), -127, 127).astype(np.int8), step, bias, len(columns)

def scores(weights, step, bias, _):
    """Returns the highest score of each passage's sentences."""
    found = np.full(len(passages), -30.0)
    np.maximum.at(found, at, S @ (weights * step) + bias)
    return found

held = np.full(len(passages), np.nan)
ordinary_scores = []
for left_out in GROUPS:
    z = scores(*fit((group != left_out) & ((group != "ordinary") | fitted_ordinary)))
    held[group == left_out] = z[group == left_out]
    ordinary_scores.append(z[(group == "ordinary") & ~fitted_ordinary])
    print("left out", left_out, flush=True)

own = ~added & (group != "ordinary")
wrong = np.sort(held[own & ~attack])[::-1]
def threshold_at(share): return wrong[int(share * len(wrong))]
for share in (0.005, 0.01, 0.02, 0.05):
    print(f"at {share:.1%} false: {np.mean(held[own & attack] > threshold_at(share)):.1%} found")
threshold = threshold_at(FALSE_80)
def table(title, rows):
    print(f"\n| {title} | found | taken for attacks |\n|---|---|---|")
    for name, chosen in rows:
        cell = lambda which: f"{100 * np.mean(held[which] > threshold):.1f} % of {which.sum()}" if which.any() else ""
        print(f"| {name} | {cell(chosen & attack)} | {cell(chosen & ~attack)} |")
table("left out", [(g, own & (group == g)) for g in GROUPS] + [("all", own)])
table("family or kind", [(k, own & (kind == k)) for k in sorted(set(kind[own]))])
language = np.array([p.language for p in passages])
table("language", [("English", own & (language == "en")), ("others", own & (language != "en"))])
table("added", [(k, added & (group != "ordinary") & (kind == k)) for k in sorted(set(kind[added & (group != "ordinary")]))])
print("ordinary documents taken for attacks:", f"{np.mean(np.concatenate(ordinary_scores) > threshold):.2%} of {len(ordinary_scores[0])}")

if options.out:
    weights, step, bias, count = fit((group != "ordinary") | fitted_ordinary)
    # 50 % is where FALSE of the held-out benign passages are taken for attacks, 80 % where FALSE_80 are.
    middle = threshold_at(FALSE)
    slope = np.log(4) / (threshold_at(FALSE_80) - middle)
    with open(options.out, "wb") as file:
        file.write(struct.pack("<ff", slope * (bias - middle), slope * step))
        file.write(weights.tobytes())
    print(f"50 % at {middle:.3f}, 80 % at {threshold:.3f}, slope {slope:.2f}, step {step:.4f}, {count} clues, {np.mean(weights != 0):.1%} of weights")
