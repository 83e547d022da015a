use proptest::prelude::*;

use super::*;
use crate::time::Timestamp;

/// Conversations of one property.
const SESSIONS: u64 = 3_000;

fn experiment(name: &str, weights: &[u32]) -> Experiment {
    let variant = |(number, weight): (usize, &u32)| Variant {
        name: format!("v{number}").parse().unwrap(),
        weight: *weight,
        fusion: None,
        passages: Some(number + 1),
        neighbours: None,
        rerank: None,
        mmr: None,
        prompt: None,
        model: None,
    };
    let variants = weights.iter().enumerate().map(variant).collect();
    Experiment { name: name.parse().unwrap(), variants }
}

fn session(number: u64, entropy: u64) -> SessionId {
    SessionId::new(Timestamp::from_millis(number), u128::from(entropy))
}

fn place(experiment: &Experiment, session: &SessionId) -> usize {
    let drawn = draw(experiment, None, session).unwrap();
    experiment.variants.iter().position(|variant| variant == drawn).unwrap()
}

#[test]
fn a_conversation_stays_where_it_fell_from_release_to_release() {
    let key = KeyId::new(Timestamp::from_millis(1), 1);
    let experiment = experiment("wording", &[1, 1, 2]);
    let places: Vec<usize> =
        (0..12).map(|number| place(&experiment, &session(number, 7))).collect();
    assert_eq!(places, PINNED);
    let keyed = (0..12).map(|number| draw(&experiment, Some(&key), &session(number, 7)).unwrap());
    let keyed: Vec<&str> = keyed.map(|variant| variant.name.as_str()).collect();
    let unkeyed: Vec<&str> =
        places.iter().map(|place| experiment.variants[*place].name.as_str()).collect();
    assert_ne!(keyed, unkeyed, "the key takes part");
}

/// What SHA-256 of `wording\0\0{session}\0` gives; computed apart from this program.
const PINNED: [usize; 12] = [0, 0, 1, 2, 0, 2, 2, 1, 2, 0, 0, 0];

#[test]
fn effective_settings_hold_the_changes_and_no_experiments() {
    let settings = CollectionSettings {
        experiments: vec![experiment("size", &[1, 1])],
        ..CollectionSettings::default()
    };
    let session = session(1, 1);
    let (changed, assignments) = effective(&settings, None, &session);
    let drawn = &settings.experiments[0].variants[place(&settings.experiments[0], &session)];
    let name = "size".parse().unwrap();
    assert_eq!(assignments.0.get(&name), Some(&drawn.name));
    assert_eq!(changed.retrieval.passages, drawn.passages.unwrap());
    assert!(changed.experiments.is_empty());

    let none = CollectionSettings::default();
    assert_eq!(effective(&none, None, &session), (none.clone(), Assignments::default()));
    let elsewhere = BTreeMap::from([(name, "gone".parse().unwrap())]);
    assert_eq!(apply(&settings, &Assignments(elsewhere)), none);
}

#[test]
fn assignments_read_as_the_api_shows_them() {
    let assignments = assign(&[experiment("size", &[1])], None, &session(1, 1));
    assert_eq!(serde_json::to_string(&assignments).unwrap(), r#"{"size":"v0"}"#);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn variants_get_their_share(
        weights in prop::collection::vec(1_u32..=1_000, 2..=5),
        name in "[a-z]{1,12}",
        entropy: u64,
    ) {
        let experiment = experiment(&name, &weights);
        let mut counts = vec![0_u32; weights.len()];
        for number in 0..SESSIONS {
            counts[place(&experiment, &session(number, entropy))] += 1;
        }
        let total = f64::from(weights.iter().sum::<u32>());
        for (weight, count) in weights.iter().zip(counts) {
            let share = f64::from(*weight) / total;
            let expected = share * SESSIONS as f64;
            // Six standard deviations of a binomial count, and six more for the skew of rare variants.
            let bound = 6.0 * (expected * (1.0 - share)).sqrt() + 6.0;
            let off = (f64::from(count) - expected).abs();
            prop_assert!(off <= bound, "{off} of {expected}, bound {bound}");
        }
    }

    #[test]
    fn experiments_are_independent(
        rows in prop::collection::vec(1_u32..=3, 2..=5),
        columns in prop::collection::vec(1_u32..=3, 2..=5),
        entropy: u64,
    ) {
        let (one, other) = (experiment("one", &rows), experiment("other", &columns));
        let mut counts = vec![vec![0_u32; columns.len()]; rows.len()];
        for number in 0..SESSIONS {
            let session = session(number, entropy);
            counts[place(&one, &session)][place(&other, &session)] += 1;
        }
        let total = |weights: &[u32]| f64::from(weights.iter().sum::<u32>());
        let mut statistic = 0.0;
        for (row, of_row) in rows.iter().zip(&counts) {
            for (column, count) in columns.iter().zip(of_row) {
                let share = f64::from(*row) / total(&rows) * f64::from(*column) / total(&columns);
                let expected = share * SESSIONS as f64;
                statistic += (f64::from(*count) - expected).powi(2) / expected;
            }
        }
        // Pearson's statistic against the joint shares themselves has at most 24 degrees of freedom; chance
        // passes 90 with a probability below 1e-8.
        prop_assert!(statistic < 90.0, "{statistic}: {counts:?}");
    }

    #[test]
    fn other_experiments_change_nothing(
        weights in prop::collection::vec(1_u32..=1_000, 2..=5),
        others in prop::collection::vec("[b-z]{1,8}", 0..4),
        number: u64,
        entropy: u64,
    ) {
        let session = session(number >> 16, entropy);
        let alone = assign(&[experiment("a", &weights)], None, &session);
        let mut all: Vec<Experiment> = others.iter().map(|name| experiment(name, &[1, 1])).collect();
        all.insert(all.len() / 2, experiment("a", &weights));
        let among = assign(&all, None, &session);
        let name = "a".parse().unwrap();
        prop_assert_eq!(alone.0.get(&name), among.0.get(&name));
        prop_assert_eq!(&among, &assign(&all, None, &session));
    }
}
