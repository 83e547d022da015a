"""Writes senses.txt: words by their sense, so that what is learned of one word holds for those like it.

usage: senses.py MODEL_DIR OUT PASSAGES.jsonl...       needs numpy, scikit-learn, transformers and torch

Each word piece is read by the sentence encoder all-MiniLM-L6-v2 (Apache 2.0) by itself; its reading is cut to 64 dimensions
and grouped by k-means, finely and, the groups again, widely. Which words: those of the encoder and those of the passages.
"""
import json, re, sys
import numpy as np
import torch
from sklearn.cluster import KMeans, MiniBatchKMeans
from transformers import AutoModel, AutoTokenizer

NARROW, WIDE, DIMENSIONS = 600, 150, 64
model_dir, out, *files = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(model_dir)
model = AutoModel.from_pretrained(model_dir).eval()
number = tokenizer.get_vocab()
pieces = sorted(number, key=number.get)

def readings():
    found = []
    with torch.no_grad():
        for ids in torch.arange(len(pieces)).split(512):
            ends = torch.full_like(ids, tokenizer.cls_token_id), torch.full_like(ids, tokenizer.sep_token_id)
            batch = torch.stack([ends[0], ids, ends[1]], 1)
            found.append(model(input_ids=batch, attention_mask=torch.ones_like(batch)).last_hidden_state.mean(1))
    return torch.cat(found).numpy()

def reduced(vectors):
    kept = [i for i, piece in enumerate(pieces) if re.fullmatch(r"(##)?[a-z0-9]+|\W", piece)]
    centred = vectors - vectors[kept].mean(0)
    _, axes = np.linalg.eigh(np.cov(centred[kept].T))
    return centred @ axes[:, ::-1][:, :DIMENSIONS]

vector_of = reduced(readings())

def pieces_of(word):
    found, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = number.get(("##" if start else "") + word[start:end])
            if piece is not None:
                break
        else:
            return []
        found.append(piece)
        start = end
    return found

words = {piece for piece in pieces if re.fullmatch(r"[a-z]{2,}|[a-z0-9]|[!-/:-@\[-`{-~]", piece)} | {"2000"}
for path in files:
    for line in open(path):
        words.update(re.findall(r"\b[a-z]{2,24}\b", json.loads(line)["text"].lower()))
words = sorted(word for word in words if pieces_of(word))
vectors = np.stack([vector_of[pieces_of(word)].mean(0) for word in words])
vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
narrow = MiniBatchKMeans(NARROW, random_state=0, n_init=1, batch_size=8192, max_iter=30).fit(vectors)
sizes = np.bincount(narrow.labels_, minlength=NARROW)
wide = KMeans(WIDE, random_state=0, n_init=1).fit(narrow.cluster_centers_, sample_weight=np.sqrt(sizes + 1))
with open(out, "w") as file:
    file.write("# Words by their sense, made by infra/calibration/injection/senses.py: the wide sense's number, then the words.\n")
    for sense in range(NARROW):
        own = [word for word, label in zip(words, narrow.labels_) if label == sense]
        file.write(" ".join([str(wide.labels_[sense] + 1), *own]) + "\n")
print(len(words), "words")
