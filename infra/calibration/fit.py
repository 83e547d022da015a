"""Fits shared/lectern-core/src/extract/calibration.json from what `lectern eval --measure` wrote.

usage: fit.py DATA_DIR MEASURED_DIR OUT.json [thresholds]     (needs numpy, scikit-learn, scipy)

With `thresholds` the weights of OUT.json stay and only the thresholds are fitted: which sentences are compared by
meaning depends on the weights, so thresholds want measurements made with the weights they are for.

MEASURED_DIR holds CORPUS--QUESTIONS.jsonl; measure.sh writes them. Only the training split is fitted: every second article of SQuAD 2 and the
same articles of XQuAD in every language, and the train-* claims of SciFact. Cranfield and UQuAD are never fitted.
Prints the figures of the training and of the held-back split."""

import collections, glob, json, os, re, string, sys

import numpy as np
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

DATA, MEASURED, OUT = sys.argv[1:4]
ONLY_THRESHOLDS = sys.argv[4:] == ["thresholds"]
L2_SENTENCE, C_QUESTION = 1e-3, 0.5
FALSE_REFUSALS = 0.026  # of a language's training sets, each weighing the same; the promise is 0.03
FEWEST = 20  # rows of a set that say something; a document or two in another script are no set
LANGUAGES = {"de": "deu", "es": "spa", "ar": "ara", "hi": "hin", "zh": "cmn", "uqad": "urd"}
PUNCTUATION = set(string.punctuation) | set("。،؟۔！？「」、।")


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def normal(text):
    plain = "".join(" " if c in PUNCTUATION else c for c in text.lower())
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", plain).split())


def qrels(name):
    pairs = collections.defaultdict(set)
    for file in ("qrels.tsv", "qrels.train.tsv"):
        path = f"{DATA}/{name}/{file}"
        if os.path.exists(path):
            for line in open(path).read().splitlines()[1:]:
                query, document, grade = line.split("\t")
                if int(grade) > 0:
                    pairs[query].add(document)
    return pairs


# XQuAD numbers its articles differently from our SQuAD 2: they are matched by their English text.
SQUAD = {d["text"]: d["_id"].split("-")[1] for d in read(f"{DATA}/qa-squad2/corpus.jsonl")}
XQUAD = {}
for document in read(f"{DATA}/qa-xquad-en/corpus.jsonl"):
    article = document["_id"].split("-")[2]
    if document["text"] in SQUAD:
        XQUAD[article] = SQUAD[document["text"]]


def article(document):
    parts = document.split("-")
    if parts[0] == "sq2":
        return parts[1]
    return XQUAD.get(parts[2], "x" + parts[2]) if parts[0] == "xq" else None


def language(name):
    """The ISO 639-3 code of a set's documents."""
    return LANGUAGES.get(name.split("-")[-1], "eng")


TRAIN_ARTICLES = set(sorted(set(SQUAD.values()), key=int)[::2])


IMMUNOLOGY = next(d["_id"].split("-")[1] for d in read(f"{DATA}/qa-squad2/corpus.jsonl") if d["title"] == "Immune system")


class Set:
    """The questions of one file with labels."""

    def __init__(self, path):
        names = os.path.basename(path)[:-6].split("--")
        self.wrong = names[0] != names[1]
        # split.py names quarters of a set SET~QUARTER.
        self.corpus, self.questions = (name.split("~")[0] for name in names)
        rows = read(path)
        self.names = rows.pop(0)
        relevant = qrels(self.questions)
        last = None
        for row in rows:
            documents = relevant.get(row["id"], set())
            row["relevant"] = documents
            row["article"] = next((article(d) for d in sorted(documents)), None) or last
            last = row["article"]
            gold = [normal(a) for a in (row["answers"] or [])]
            row["gold"] = [g for g in gold if g]
            if self.questions == "ir-scifact":
                row["train"] = row["id"].startswith("train-")
            elif self.questions in ("ir-cranfield", "qa-urdu-uqad"):
                row["train"] = False
            else:
                row["train"] = row["article"] in TRAIN_ARTICLES
            if self.wrong:
                row["label"] = 0
            elif row["impossible"]:
                row["label"] = 0
            else:
                row["label"] = 1
            # SciFact's abstracts speak of immunology: they are no wrong documents for that article of SQuAD 2.
            if self.corpus == "ir-scifact" and row["article"] == IMMUNOLOGY:
                continue
            row["judged"] = self.wrong or bool(row["impossible"]) or bool(documents)
        self.rows = [row for row in rows if row.get("judged")]

    def kind(self, compared):
        """The questions as `words`, `meaning` or `meaning_elsewhere` saw them."""
        english = language(self.corpus) == "eng"
        for row in self.rows:
            measured = row["lexical"] if compared == "words" else row["semantic"]
            if measured and (compared == "words" or english == (compared == "meaning")):
                yield row, measured


def hits(row, measured):
    return np.array([any(g in normal(s["text"]) for g in row["gold"]) for s in measured["sentences"]])


def fit_sentences(sets, compared, names):
    """Listwise softmax: the probability of the sentences that hold an answer is maximised."""
    lists, weights = [], []
    for one in sets:
        mine = []
        for row, measured in one.kind(compared):
            if not row["train"] or row["label"] != 1 or not row["gold"]:
                continue
            found = hits(row, measured)
            if found.any() and not found.all():
                mine.append((np.array([s["features"] for s in measured["sentences"]]), found))
        lists += mine
        weights += [1.0 / max(1, len(mine)) ** 0.5] * len(mine)
    weights = np.array(weights) / sum(weights)
    every = np.concatenate([x for x, _ in lists])
    mean, scale = every.mean(0), every.std(0) + 1e-9
    lists = [((x - mean) / scale, y) for x, y in lists]
    size = max(len(x) for x, _ in lists)
    grid = np.zeros((len(lists), size, len(names)))
    hit, real = np.zeros((len(lists), size)), np.zeros((len(lists), size))
    for i, (x, y) in enumerate(lists):
        grid[i, : len(x)], hit[i, : len(x)], real[i, : len(x)] = x, y, 1

    def loss(w):
        score = np.where(real > 0, grid @ w, -1e30)
        score -= score.max(1, keepdims=True)
        e = np.exp(score)
        p = e / e.sum(1, keepdims=True)
        good = (p * hit).sum(1)
        # d -log(good) / dw
        share = p * hit / good[:, None]
        gradient = np.einsum("i,ijk,ij->k", weights, grid, p - share)
        return -(weights * np.log(good + 1e-12)).sum() + L2_SENTENCE * (w**2).sum(), gradient + 2 * L2_SENTENCE * w

    best = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B")
    return best.x / scale


def report_sentences(sets, compared, weights):
    for one in sets:
        if one.wrong:
            continue
        for split in (True, False):
            total = single = three = 0
            for row, measured in one.kind(compared):
                if row["train"] != split or row["label"] != 1 or not row["gold"]:
                    continue
                total += 1
                found = hits(row, measured)
                if len(found) == 0:
                    continue
                score = np.array([s["features"] for s in measured["sentences"]]) @ weights
                order = np.argsort(-score, kind="stable")
                single += bool(found[order[0]])
                three += bool(found[order[:3]].any())
            if total:
                where = "train" if split else "held back"
                print(f"  {one.questions:14} {where:9} {total:5}  single {single / total:.4f}  three {three / total:.4f}")


def fit_logistic(sets, compared, near_misses):
    """Answerable questions against those of other documents and, for the confidence, near misses."""
    xs, ys, ws = [], [], []
    for one in sets:
        rows = [(row, m) for row, m in one.kind(compared) if row["train"]]
        if len(rows) < FEWEST:
            continue
        if not near_misses:
            rows = [(row, m) for row, m in rows if row["label"] == 1 or one.wrong]
        for row, measured in rows:
            xs.append(measured["question"])
            ys.append(row["label"])
            near = one.questions == "qa-squad2" and not one.wrong
            ws.append((1.0 if near and near_misses else 0.3 if near_misses else 1.0) / len(rows) ** 0.5)
    x, y, w = np.array(xs), np.array(ys), np.array(ws)
    w = w * np.where(y == 1, 0.5 / w[y == 1].sum(), 0.5 / w[y == 0].sum()) * len(y)
    mean, scale = x.mean(0), x.std(0) + 1e-9
    model = LogisticRegression(C=C_QUESTION, max_iter=5000).fit((x - mean) / scale, y, sample_weight=w)
    weights = model.coef_[0] / scale
    return weights, float(model.intercept_[0] - (weights * mean).sum())


def confidence(measured, weights, intercept):
    return 1 / (1 + np.exp(-(intercept + np.dot(weights, measured["question"]))))


def thresholds(scored):
    """Of each language the relevance below which FALSE_REFUSALS of its training sets lie; of others, the lower quartile."""
    values = collections.defaultdict(list)
    for (one, split), scores in scored.items():
        mine = [r for r, _, row in scores if row["label"] == 1]
        if split and len(mine) >= FEWEST:
            values[language(one.questions)] += [(r, 1 / len(mine)) for r in mine]
    lowest = {}
    for name, mine in values.items():
        relevances, weights = np.array(sorted(mine)).T
        below = np.cumsum(weights) / weights.sum()
        lowest[name] = float(relevances[np.searchsorted(below, FALSE_REFUSALS)])
    return {"*": float(np.quantile(list(lowest.values()), 0.25)), **lowest}


def report(sets, compared, relevance, confident):
    scored = {}
    for one in sets:
        for split in (True, False):
            scored[one, split] = [
                (confidence(m, *relevance), confidence(m, *confident), row)
                for row, m in one.kind(compared)
                if row["train"] == split
            ]
    least = thresholds(scored)
    print("  refuse below", {name: round(value, 4) for name, value in least.items()})
    for (one, split), scores in scored.items():
        if len(scores) < FEWEST:
            continue
        threshold = least.get(language(one.corpus), least["*"])
        line = f"  {one.questions:14} on {one.corpus:14} {'train' if split else 'held back':9}"
        good = [(r, c) for r, c, row in scores if row["label"] == 1]
        bad = [(r, c) for r, c, row in scores if row["label"] == 0]
        if good:
            line += f"  answerable {len(good):5} refused {np.mean([r < threshold for r, _ in good]):.4f}"
        if bad:
            line += f"  unanswerable {len(bad):5} refused {np.mean([r < threshold for r, _ in bad]):.4f}"
        if good and bad:
            labels = [1] * len(good) + [0] * len(bad)
            line += f"  AUROC {roc_auc_score(labels, [c for _, c in good + bad]):.4f}"
        print(line)
    return least


def named(names, logistic):
    weights, intercept = logistic
    return {
        "intercept": round(intercept, 5),
        "weights": {name: round(float(weight), 5) for name, weight in zip(names, weights)},
    }


def refit_thresholds(sets, names):
    with open(OUT) as file:
        written = json.load(file)
    for compared, fitted in written.items():
        models = [fitted[kind] for kind in ("relevance", "confidence")]
        weights = [(np.array([m["weights"][n] for n in names["question"]]), m["intercept"]) for m in models]
        print(compared)
        fitted["refuse_below"] = rounded(report(sets, compared, *weights))
    write(written)


def rounded(thresholds):
    return {name: round(value, 5) for name, value in sorted(thresholds.items())}


def write(written):
    with open(OUT, "w") as file:
        json.dump(written, file, indent=1)
        file.write("\n")


def main():
    sets = [Set(path) for path in sorted(glob.glob(f"{MEASURED}/*--*.jsonl"))]
    names = sets[0].names
    assert all(one.names == names for one in sets), "measured by different builds"
    if ONLY_THRESHOLDS:
        return refit_thresholds(sets, names)
    written = {}
    for compared in ("words", "meaning", "meaning_elsewhere"):
        print(compared)
        sentence = fit_sentences(sets, compared, names["sentence"])
        report_sentences(sets, compared, sentence)
        relevance = fit_logistic(sets, compared, near_misses=False)
        # Only SQuAD 2 has near misses; where it does not speak, the relevance is all that is known.
        confident = relevance if compared == "meaning_elsewhere" else fit_logistic(sets, compared, near_misses=True)
        least = report(sets, compared, relevance, confident)
        written[compared] = {
            "sentence": {n: round(float(w), 5) for n, w in zip(names["sentence"], sentence)},
            "confidence": named(names["question"], confident),
            "relevance": named(names["question"], relevance),
            "refuse_below": rounded(least),
        }
    write(written)


main()
