//! `lectern eval`: the project's own golden set keeps its baselines, a broken ranking fails the gate, and the
//! figures are those that other programs compute from the same files.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use lectern_app::eval::{
    compare::{Rules, TOLERANCE, compare},
    report::Report,
    row::Metric,
};
use lectern_core::metrics::{
    ranking::{Grades, ndcg, reciprocal_rank, success},
    share::Share,
};
use serde_json::Value;

use crate::lectern::{Lectern, OK, Ran, USAGE};

/// Differences that rounding to four decimals does not show.
const FOURTH_DECIMAL: f64 = 5e-5;
/// Questions of SciFact that are asked, and every how many-th other document is there to be found wrongly.
const SCIFACT_QUESTIONS: usize = 40;
const SCIFACT_EVERY: usize = 40;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn handbook() -> PathBuf {
    root().join("evaluation/handbook")
}

fn shared_data() -> PathBuf {
    let named = std::env::var_os("LECTERN_TEST_DATA").map(PathBuf::from);
    named.unwrap_or_else(|| root().join("../shared/data"))
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Runs `lectern eval` on the handbook against one of its baselines.
fn compared(lectern: &Lectern, baseline: &str, more: &[&str]) -> Ran {
    let (set, baseline) = (text(&handbook()), text(&handbook().join(baseline)));
    lectern.run(&[&["eval", &set, "--compare", &baseline], more].concat())
}

#[test]
fn the_handbook_keeps_its_baseline() {
    let lectern = Lectern::new();
    let ran = compared(&lectern, "baseline.json", &["--no-dense"]);
    assert_eq!(ran.code, OK, "{ran:?}");
    assert!(
        ran.out.contains("nDCG@10") && ran.out.contains("0 worse than the baseline"),
        "{ran:?}"
    );
}

#[test]
fn the_handbook_keeps_its_baseline_with_the_model() {
    let data = text(&root().join("target"));
    let ran = compared(&Lectern::new(), "baseline.dense.json", &["--data", &data]);
    assert_eq!(
        ran.code, OK,
        "{ran:?}\nis the model installed? lectern --data target model install"
    );
}

#[test]
fn a_broken_fusion_fails_the_gate() {
    let lectern = Lectern::new();
    // The dense ranking alone, and no embedder: nothing is found.
    let broken = ["--no-dense", "--fusion", "dense"];
    let ran = compared(&lectern, "baseline.json", &[&broken[..], &["--across-settings"]].concat());
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(!ran.err.contains("cannot be compared"), "the figures decide: {ran:?}");
    for metric in ["ndcg@10", "recall@10", "mrr@10", "success@1", "answer_hit", "false_refusal"] {
        let line = ran.out.lines().find(|line| line.contains(metric));
        assert!(line.is_some_and(|line| line.ends_with("WORSE")), "{metric}: {ran:?}");
    }
    let refused = compared(&lectern, "baseline.json", &broken);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("no run of `handbook` with the fusion `dense`"), "{refused:?}");
}

#[test]
fn rankings_turned_upside_down_fail_the_gate() {
    let lectern = Lectern::new();
    let evaluated = evaluate(&lectern, &handbook());
    let baseline: Report =
        serde_json::from_str(&fs::read_to_string(handbook().join("baseline.json")).unwrap())
            .unwrap();
    let rules = Rules { tolerance: TOLERANCE, across_settings: false };
    assert!(!compare(&baseline, &evaluated.report, rules).fails(), "as it is, it passes");

    let mut broken = evaluated.report;
    let run = &mut broken.sets[0].runs[0];
    for row in &mut run.rows {
        let Some(grades) = evaluated.grades.get(&row.id) else { continue };
        let mut ranking = evaluated.rankings.get(&row.id).cloned().unwrap_or_default();
        ranking.reverse();
        row.metrics.insert(Metric::Ndcg10, Share::of_one(ndcg(&ranking, grades, 10)));
        row.metrics.insert(Metric::Mrr10, Share::of_one(reciprocal_rank(&ranking, grades, 10)));
        row.metrics.insert(Metric::Success1, Share::of_one(success(&ranking, grades, 1)));
    }
    run.add_up();
    let comparison = compare(&baseline, &broken, rules);
    let failing = comparison.differences.iter().filter(|difference| difference.fails);
    let failing: Vec<&str> = failing.map(|difference| difference.metric.as_str()).collect();
    assert_eq!(failing, ["ndcg@10", "mrr@10", "success@1"], "{comparison:?}");
}

/// What `lectern eval` made of a set by BM25, and what is right.
struct OneRun {
    report: Report,
    rankings: BTreeMap<String, Vec<String>>,
    grades: BTreeMap<String, Grades>,
    run_file: PathBuf,
}

fn evaluate(lectern: &Lectern, set: &Path) -> OneRun {
    let (report, run_file) = (lectern.path("report.json"), lectern.path("run.trec"));
    let arguments = ["eval", &text(set), "--no-dense", "--report", &text(&report)];
    let ran = lectern.run(&[&arguments[..], &["--run-file", &text(&run_file)]].concat());
    assert_eq!(ran.code, OK, "{ran:?}");
    let mut rankings: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in fs::read_to_string(&run_file).unwrap().lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        assert_eq!(fields.len(), 6, "{line}");
        rankings.entry(fields[0].to_owned()).or_default().push(fields[2].to_owned());
    }
    let report = serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap();
    let set = lectern_app::eval::read::read(set, "qrels.tsv").unwrap();
    let judged = set.questions.into_iter().filter(|question| !question.grades.is_empty());
    let grades = judged.map(|question| (question.id, question.grades)).collect();
    OneRun { report, rankings, grades, run_file }
}

/// Asserts that the report's figures are those of `ir_measures` on the same run file, to four decimals.
fn agrees_with_ir_measures(lectern: &Lectern, set: &Path) {
    let evaluated = evaluate(lectern, set);
    let qrels = lectern.path("qrels.trec");
    let lines = evaluated.grades.iter().flat_map(|(question, grades)| {
        grades.iter().map(move |(document, grade)| format!("{question} 0 {document} {grade}\n"))
    });
    fs::write(&qrels, lines.collect::<String>()).unwrap();
    let judged = Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/judge_run.py"))
        .args([&qrels, &evaluated.run_file])
        .env("PYTHONPATH", root().join("target/ir_measures"))
        .output()
        .unwrap();
    assert!(
        judged.status.success(),
        "{}\ninstall it once: cargo xtask test --install",
        String::from_utf8_lossy(&judged.stderr)
    );
    let judged: BTreeMap<String, f64> = serde_json::from_slice(&judged.stdout).unwrap();
    let metrics = [
        ("nDCG@10", Metric::Ndcg10),
        ("R@5", Metric::Recall5),
        ("R@10", Metric::Recall10),
        ("R@100", Metric::Recall100),
        ("RR@10", Metric::Mrr10),
        ("Success@1", Metric::Success1),
    ];
    assert_eq!(judged.len(), metrics.len(), "{judged:?}");
    for (name, metric) in metrics {
        let ours = evaluated.report.sets[0].runs[0].value(metric).unwrap();
        assert!((ours - judged[name]).abs() < FOURTH_DECIMAL, "{name}: {ours}, {judged:?}");
    }
}

#[test]
fn figures_of_the_handbook_agree_with_ir_measures() {
    agrees_with_ir_measures(&Lectern::new(), &handbook());
}

#[test]
fn figures_of_scifact_agree_with_ir_measures() {
    let lectern = Lectern::new();
    let (from, to) = (shared_data().join("ir-scifact"), lectern.path("scifact"));
    fs::create_dir(&to).unwrap();

    // The first questions, their documents, and a sample of the others: the whole takes minutes.
    let qrels = fs::read_to_string(from.join("qrels.tsv")).unwrap();
    let mut questions: Vec<&str> = Vec::new();
    let mut kept = Vec::new();
    for line in qrels.lines().skip(1) {
        let question = line.split('\t').next().unwrap();
        if questions.last() != Some(&question) {
            questions.push(question);
        }
        if questions.len() > SCIFACT_QUESTIONS {
            break;
        }
        kept.push(line);
    }
    let relevant: Vec<&str> = kept.iter().map(|line| line.split('\t').nth(1).unwrap()).collect();
    fs::write(to.join("qrels.tsv"), format!("header\n{}\n", kept.join("\n"))).unwrap();
    fs::copy(from.join("queries.jsonl"), to.join("queries.jsonl")).unwrap();
    let corpus = fs::read_to_string(from.join("corpus.jsonl")).unwrap();
    let is_kept = |(number, line): &(usize, &str)| {
        let document: Value = serde_json::from_str(line).unwrap();
        number % SCIFACT_EVERY == 0 || relevant.contains(&document["_id"].as_str().unwrap())
    };
    let lines = corpus.lines().enumerate().filter(is_kept).map(|(_, line)| format!("{line}\n"));
    fs::write(to.join("corpus.jsonl"), lines.collect::<String>()).unwrap();
    agrees_with_ir_measures(&lectern, &to);
}

#[test]
fn answers_agree_with_a_judge_that_is_not_ours() {
    let lectern = Lectern::new();
    let (set, answers) = (shared_data().join("qa-urdu-uqad"), lectern.path("answers.jsonl"));
    let arguments = ["eval", &text(&set), "--no-dense", "--answers-file", &text(&answers)];
    let told = lectern.json(&arguments);
    let judged = Command::new("python3")
        .args([shared_data().join("judge_answers.py"), set, answers])
        .output()
        .unwrap();
    let judged: Value = serde_json::from_slice(&judged.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&judged.stderr)));
    let metrics = &told["report"]["sets"][0]["runs"][0]["metrics"];
    for (theirs, ours) in [
        ("contains", "answer_hit"),
        ("cite_doc", "cited_document"),
        ("cite_span", "cited_span"),
        ("cite_valid", "citation_valid"),
        ("false_refusal", "false_refusal"),
    ] {
        let (theirs, value) =
            (judged[theirs].as_f64().unwrap(), metrics[ours]["value"].as_f64().unwrap());
        assert!((theirs - value).abs() <= FOURTH_DECIMAL, "{ours}: {value}, {judged}");
    }
}

#[test]
fn an_index_that_is_kept_is_used_again() {
    let lectern = Lectern::new();
    let (set, index) = (text(&handbook()), text(&lectern.path("index")));
    let arguments =
        ["eval", &set, "--no-dense", "--limit", "9", "--fusion", "bm25", "--index", &index];
    let told: Vec<Value> =
        (0..2).map(|_| lectern.json(&arguments)["report"]["sets"][0]["runs"][0].clone()).collect();
    assert_eq!(fs::read_dir(&index).unwrap().count(), 1, "one directory for one corpus");
    assert_eq!((&told[0]["rows"], &told[0]["metrics"]), (&told[1]["rows"], &told[1]["metrics"]));
    assert_eq!(told[0]["rows"].as_array().unwrap().len(), 9);

    let other = lectern.run(&["eval", &set, "--limit", "9", "--index", &index, "--json"]);
    assert_eq!(other.code, OK, "{other:?}");
    assert_eq!(fs::read_dir(&index).unwrap().count(), 2, "another embedder is another index");
}

#[test]
fn samples_are_written_as_ragas_reads_them() {
    let lectern = Lectern::new();
    let (set, samples) = (text(&handbook()), lectern.path("samples.jsonl"));
    let arguments = ["eval", &set, "--no-dense", "--limit", "5", "--export-ragas", &text(&samples)];
    assert_eq!(lectern.run(&arguments).code, OK);
    let samples = fs::read_to_string(samples).unwrap();
    assert_eq!(samples.lines().count(), 5);
    for line in samples.lines() {
        let sample: Value = serde_json::from_str(line).unwrap();
        assert!(sample["user_input"].is_string() && sample["response"].is_string(), "{sample}");
        assert!(sample["retrieved_contexts"].is_array(), "{sample}");
    }
}

#[test]
fn what_is_wrong_is_told_before_anything_is_indexed() {
    let lectern = Lectern::new();
    lectern.file("set/documents/a.md", b"A text.");
    lectern.file("set/questions.jsonl", b"{\"id\":\"q\",\"question\":\"What?\"}\n");
    let unjudged = lectern.run(&["eval", "set"]);
    assert_eq!(unjudged.code, 1);
    assert!(unjudged.err.contains("questions.jsonl:1: needs `documents`"), "{unjudged:?}");
    let missing = lectern.run(&["eval", "nowhere"]);
    assert!(missing.code == 1 && missing.err.contains("no golden set `nowhere`"), "{missing:?}");
    let no_baseline = lectern.run(&["eval", "set", "--compare", "none.json"]);
    assert!(no_baseline.err.contains("cannot read none.json"), "{no_baseline:?}");
    for wrong in [
        &["eval"][..],
        &["eval", "set", "--fusion", "best"],
        &["eval", "set", "--limit", "0"],
        &["eval", "set", "--concurrency", "65"],
        &["eval", "set", "--tolerance", "0.1"],
        &["eval", "set", "--compare", "x", "--tolerance", "2"],
        &["eval", "set", "--api", "http://127.0.0.1:1"],
    ] {
        assert_eq!(lectern.run(wrong).code, USAGE, "{wrong:?}");
    }
}
