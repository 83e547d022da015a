"""Writes augmented training passages: augment.py TRAINING_DIR OUT_DIR

Of each writer a to f, only from that writer's own passages so that a writer can be left out:
clean    passages of attacks without what was injected (benign)
mixed    a sentence or two of a benign passage in such a passage (benign): that a text changes its subject is no attack
swapped  what was injected, in another passage (attack)
encoded  the same, in each of 40 codes and disguises (attack), and harmless sentences in ten of them (benign)
"""
import base64, codecs, json, os, random, re, sys

SMALL = dict(zip("abcdefghijklmnopqrstuvwxyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘǫʀsᴛᴜᴠᴡxʏᴢ"))
MORSE = dict(zip("abcdefghijklmnopqrstuvwxyz", ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --..".split()))
NATO = "alfa bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec romeo sierra tango uniform victor whiskey x-ray yankee zulu".split()
BRAILLE = dict(zip("abcdefghijklmnopqrstuvwxyz", "⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵"))
CYRILLIC = str.maketrans("aceopxyi", "асеорхуі")
MOST_ENCODED = 4    # of each code and writer

def shift(text, by):
    def letter(c):
        first = 97 if c.islower() else 65
        return chr((ord(c) - first + by) % 26 + first) if c.isascii() and c.isalpha() else c
    return "".join(map(letter, text))

def pig_latin(word):
    vowel = re.match(r"[^aeiou]*", word)
    return word[vowel.end():] + vowel.group() + "ay"

def broken(word):
    return word[:len(word) // 2] + "-\n" + word[len(word) // 2:] if len(word) > 3 else word

CODES = {
    "base64": lambda t: base64.b64encode(t.encode()).decode(), "base32": lambda t: base64.b32encode(t.encode()).decode(),
    "hex": lambda t: t.encode().hex(), "hexspace": lambda t: " ".join("%02x" % b for b in t.encode()),
    "binary": lambda t: " ".join(f"{b:08b}" for b in t.encode()), "decimal": lambda t: " ".join(str(b) for b in t.encode()),
    "percent": lambda t: "".join("%%%02X" % b for b in t.encode()), "quoted": lambda t: "".join("=%02X" % b for b in t.encode()),
    "unicode": lambda t: "".join("\\u%04x" % ord(c) for c in t), "entities": lambda t: "".join("&#%d;" % ord(c) for c in t),
    "rot13": lambda t: codecs.encode(t, "rot13"), "caesar5": lambda t: shift(t, 5),
    "base64rot13": lambda t: base64.b64encode(codecs.encode(t, "rot13").encode()).decode(),
    "atbash": lambda t: "".join(chr(219 - ord(c)) if c.islower() else chr(155 - ord(c)) if c.isupper() else c for c in t),
    "reverse": lambda t: t[::-1], "reversewords": lambda t: " ".join(w[::-1] for w in t.split()),
    "piglatin": lambda t: " ".join(map(pig_latin, t.split())), "override": lambda t: "\u202e" + t[::-1] + "\u202c",
    "zerowidth": lambda t: "\u200b".join(t), "nonjoiner": lambda t: "\u200c".join(t), "softhyphen": lambda t: "\u00ad".join(t),
    "tags": lambda t: "".join(chr(0xe0000 + ord(c)) for c in t),
    "selectors": lambda t: "👋" + "".join(chr(0xfe00 + b) if b < 16 else chr(0xe0100 + b - 16) for b in t.encode()),
    "cyrillic": lambda t: t.translate(CYRILLIC), "leet": lambda t: t.translate(str.maketrans("aeiost", "431057")),
    "wide": lambda t: "".join("\u3000" if c == " " else chr(ord(c) + 0xfee0) for c in t),
    "bold": lambda t: "".join(chr(0x1d41a + ord(c) - 97) if c.islower() else chr(0x1d400 + ord(c) - 65) if c.isupper() else c for c in t),
    "smallcaps": lambda t: "".join(SMALL.get(c, c) for c in t.lower()), "struck": lambda t: "".join(c + "\u0336\u0301\u0320" for c in t),
    "spaced": lambda t: "   ".join(" ".join(w) for w in t.split()), "spacedalike": lambda t: " ".join(t.replace(" ", "")),
    "dashed": lambda t: " ".join("-".join(w) for w in t.split()), "vertical": lambda t: "\n".join("\n".join(w) + "\n" for w in t.split()),
    "hyphenated": lambda t: "\n".join(map(broken, t.split())),
    "elements": lambda t: "".join(c + "<i></i>" if i % 3 == 1 else c for i, c in enumerate(t)),
    "morse": lambda t: " / ".join(" ".join(MORSE[c] for c in w) for w in t.split()),
    "braille": lambda t: " ".join("".join(BRAILLE[c] for c in w) for w in t.split()),
    "telephone": lambda t: " / ".join(" ".join(NATO[ord(c) - 97] for c in w) for w in t.split()),
    "regional": lambda t: "".join(chr(0x1f1e6 + ord(c) - 97) + "\u2009" if c.isalpha() else "  " for c in t),
}
LETTERS_ONLY = {"morse", "braille", "telephone", "regional"}
HARMLESS = ["base64", "hex", "percent", "entities", "rot13", "softhyphen", "base32", "quoted", "unicode", "hyphenated"] * 5

def encoded(code, text):
    text = text.encode("ascii", "ignore").decode()
    return CODES[code](re.sub(r"[^a-z ]", "", text.lower()) if code in LETTERS_ONLY else text)

def sentences(text):
    return re.split(r"(?<=[.!?])\s+", text)

def inserted(rng, carrier, text):
    """Returns the carrier with `text` between two of its sentences."""
    parts = sentences(" ".join(carrier))
    at = rng.randint(0, len(parts))
    return " ".join(parts[:at] + [text] + parts[at:])

def augmented(rng, attacks, benign):
    carriers = [[part.strip() for part in a["text"].split(a["inject"], 1)] for a in attacks]
    for carrier in carriers:
        yield {"kind": "clean", "text": " ".join(carrier)}
    for passage in benign:
        parts = sentences(passage["text"])
        start = rng.randrange(len(parts))
        yield {"kind": "mixed", "text": inserted(rng, rng.choice(carriers), " ".join(parts[start:start + rng.randint(1, 2)]))}
    for attack in attacks:
        other = rng.choice(carriers) if rng.random() < 0.6 else [rng.choice(benign)["text"]]
        yield {"family": "swapped", "text": inserted(rng, other, attack["inject"]), "inject": attack["inject"]}
    latin = [a["inject"] for a in attacks if all(ord(c) < 0x250 for c in a["inject"])]
    for code in CODES:
        for _ in range(MOST_ENCODED):
            before, after = rng.choice(carriers)
            gap = rng.choice(" \n")
            yield {"family": "encoded", "text": before + gap + encoded(code, rng.choice(latin)) + gap + after}
    plain = [b["text"] for b in benign if b["kind"] not in ("odd", "code") and all(ord(c) < 0x250 for c in b["text"])]
    for code in HARMLESS:
        yield {"kind": "encoded", "text": inserted(rng, rng.choice(carriers), encoded(code, rng.choice(sentences(rng.choice(plain)))))}

if __name__ == "__main__":
    training, out = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    for writer in "abcdef":
        load = lambda name: [json.loads(line) for line in open(f"{training}/{writer}/{name}.jsonl")]
        with open(f"{out}/{writer}.jsonl", "w") as file:
            for passage in augmented(random.Random(writer), load("attacks"), load("benign")):
                file.write(json.dumps(passage, ensure_ascii=False) + "\n")
