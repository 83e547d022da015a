//! Words that carry more than a topic: denials, restrictions, numbers, months, units.

use std::{collections::HashMap, sync::LazyLock};

use crate::analysis::normalize;

/// What a word means beside its topic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Meaning {
    /// Denies what stands beside it.
    Negation,
    /// Excludes everything else.
    Restriction,
    /// Says where something was read.
    Attribution,
    /// A spelled-out number.
    Number(f64),
    /// Multiplies the number before it.
    Magnitude(f64),
    /// A month, from 1.
    Month(u8),
    /// A unit of measure under its one name.
    Unit(&'static str),
}

/// The words of one language. Numbers are `word=value`; months in order and units are lists of spellings
/// joined by `/`, of which the first of a unit is its one name.
struct Vocabulary {
    language: &'static str,
    negations: &'static str,
    restrictions: &'static str,
    attributions: &'static str,
    numbers: &'static str,
    magnitudes: &'static str,
    months: &'static str,
    units: &'static str,
}

const VOCABULARIES: [Vocabulary; 8] =
    [ENGLISH, GERMAN, SPANISH, FRENCH, URDU, ARABIC, HINDI, CHINESE];

const ENGLISH: Vocabulary = Vocabulary {
    language: "eng",
    negations: "not no never none nobody nothing nowhere cannot without neither nor hardly scarcely rarely seldom fail \
        fails failed failing refuse refused refuses lack lacks lacked lacking non isnt wasnt arent werent dont \
        doesnt didnt cant couldnt wont wouldnt shouldnt hasnt havent hadnt unable",
    restrictions: "only solely exclusively merely",
    attributions: "according text document documents passage passages source sources states stated mentions mentioned described reported reports says",
    numbers: "zero=0 two=2 three=3 four=4 five=5 six=6 seven=7 eight=8 nine=9 ten=10 eleven=11 twelve=12 thirteen=13 \
        fourteen=14 fifteen=15 sixteen=16 seventeen=17 eighteen=18 nineteen=19 twenty=20 thirty=30 forty=40 fifty=50 \
        sixty=60 seventy=70 eighty=80 ninety=90 third=3 fourth=4 fifth=5 sixth=6 seventh=7 eighth=8 ninth=9 tenth=10",
    magnitudes: "hundred=100 thousand=1000 million=1000000 billion=1000000000 trillion=1000000000000",
    months: "january/jan february/feb march/mar april/apr may june/jun july/jul august/aug september/sep/sept \
        october/oct november/nov december/dec",
    units: "percent/percentage/pct kilometer/kilometre/kilometers/kilometres/km meter/metre/meters/metres \
        centimeter/centimetre/centimeters/centimetres/cm millimeter/millimetre/millimeters/millimetres/mm mile/miles \
        foot/feet/ft inch/inches yard/yards kilogram/kilograms/kg gram/grams milligram/milligrams/mg microgram/micrograms/μg \
        ton/tons tonne/tonnes pound/pounds/lb/lbs second/seconds minute/minutes hour/hours day/days week/weeks month/months \
        year/years decade/decades century/centuries dollar/dollars/usd euro/euros/eur acre/acres hectare/hectares \
        liter/litre/liters/litres milliliter/millilitre/ml celsius fahrenheit watt/watts kilowatt/kw megawatt/mw volt/volts \
        degree/degrees byte/bytes kilobyte/kb megabyte/mb gigabyte/gb",
};

const GERMAN: Vocabulary = Vocabulary {
    language: "deu",
    negations: "nicht kein keine keinen keinem keiner keines nie niemals niemand nichts nirgends ohne weder noch kaum",
    restrictions: "nur lediglich ausschließlich",
    attributions: "laut zufolge text dokument quelle besagt beschreibt erwähnt berichtet",
    numbers: "null=0 zwei=2 drei=3 vier=4 fünf=5 sechs=6 sieben=7 acht=8 neun=9 zehn=10 elf=11 zwölf=12 dreizehn=13 \
        vierzehn=14 fünfzehn=15 sechzehn=16 siebzehn=17 achtzehn=18 neunzehn=19 zwanzig=20 dreißig=30 vierzig=40 \
        fünfzig=50 sechzig=60 siebzig=70 achtzig=80 neunzig=90",
    magnitudes: "hundert=100 tausend=1000 million=1000000 millionen=1000000 mio=1000000 milliarde=1000000000 \
        milliarden=1000000000 mrd=1000000000 billion=1000000000000 billionen=1000000000000",
    months: "januar/jan februar/feb märz april/apr mai juni/jun juli/jul august/aug september/sep oktober/okt \
        november/nov dezember/dez",
    units: "percent/prozent kilometer/kilometern/km meter/metern zentimeter/cm millimeter/mm mile/meile/meilen foot/fuß \
        kilogram/kilogramm/kg gram/gramm ton/tonne/tonnen pound/pfund second/sekunde/sekunden minute/minuten \
        hour/stunde/stunden day/tag/tage/tagen/tages week/woche/wochen month/monat/monate/monaten year/jahr/jahre/jahren/jahres \
        decade/jahrzehnt/jahrzehnte/jahrzehnten century/jahrhundert/jahrhunderte/jahrhunderts/jahrhunderten dollar euro/eur \
        hectare/hektar liter/litern degree/grad",
};

const SPANISH: Vocabulary = Vocabulary {
    language: "spa",
    negations: "no nunca jamás sin ni tampoco ningún ninguna ninguno nadie nada apenas",
    restrictions: "solo sólo solamente únicamente exclusivamente",
    attributions: "según documento texto fuente indica menciona señala afirma",
    numbers: "cero=0 dos=2 tres=3 cuatro=4 cinco=5 seis=6 siete=7 ocho=8 nueve=9 diez=10 once=11 doce=12 trece=13 \
        catorce=14 quince=15 dieciséis=16 diecisiete=17 dieciocho=18 diecinueve=19 veinte=20 treinta=30 cuarenta=40 \
        cincuenta=50 sesenta=60 setenta=70 ochenta=80 noventa=90 cien=100",
    magnitudes: "mil=1000 millón=1000000 millones=1000000 billón=1000000000000 billones=1000000000000",
    months: "enero/ene febrero/feb marzo abril/abr mayo junio/jun julio/jul agosto/ago septiembre/sep/setiembre \
        octubre/oct noviembre/nov diciembre/dic",
    units: "percent/porcentaje kilometer/kilómetro/kilómetros/km meter/metro/metros centimeter/centímetro/centímetros/cm \
        millimeter/milímetro/milímetros/mm mile/milla/millas foot/pies kilogram/kilogramo/kilogramos/kg gram/gramo/gramos \
        ton/tonelada/toneladas pound/libra/libras second/segundos minute/minuto/minutos hour/hora/horas day/día/días \
        week/semana/semanas month/mes/meses year/año/años decade/década/décadas century/siglo/siglos dollar/dólar/dólares \
        euro/euros/eur hectare/hectárea/hectáreas liter/litro/litros degree/grados",
};

const FRENCH: Vocabulary = Vocabulary {
    language: "fra",
    negations: "ne n pas non jamais sans ni aucun aucune rien nul nulle guère",
    restrictions: "seulement uniquement exclusivement",
    attributions: "selon document texte source indique mentionne affirme",
    numbers: "zéro=0 deux=2 trois=3 quatre=4 cinq=5 six=6 sept=7 huit=8 neuf=9 dix=10 onze=11 douze=12 treize=13 \
        quatorze=14 quinze=15 seize=16 vingt=20 trente=30 quarante=40 cinquante=50 soixante=60 cent=100",
    magnitudes: "mille=1000 million=1000000 millions=1000000 milliard=1000000000 milliards=1000000000",
    months: "janvier/janv février/févr mars avril/avr mai juin juillet/juil août septembre/sept octobre/oct \
        novembre/nov décembre/déc",
    units: "percent/pourcent/pourcentage kilometer/kilomètre/kilomètres/km meter/mètre/mètres centimeter/centimètre/centimètres/cm \
        millimeter/millimètre/millimètres/mm mile/miles foot/pieds kilogram/kilogramme/kilogrammes/kg gram/gramme/grammes \
        ton/tonne/tonnes second/seconde/secondes minute/minutes hour/heure/heures day/jour/jours week/semaine/semaines \
        month/mois year/an/ans/année/années decade/décennie/décennies century/siècle/siècles dollar/dollars \
        euro/euros/eur hectare/hectares liter/litre/litres degree/degré/degrés",
};

const URDU: Vocabulary = Vocabulary {
    language: "urd",
    negations: "نہیں نہ بغیر مت غیر بنا ناں",
    restrictions: "صرف محض فقط",
    attributions: "مطابق دستاویز متن ماخذ",
    numbers: "دو=2 تین=3 چار=4 پانچ=5 چھ=6 سات=7 آٹھ=8 نو=9 دس=10 گیارہ=11 بارہ=12 پندرہ=15 بیس=20 تیس=30 چالیس=40 پچاس=50 \
        ساٹھ=60 ستر=70 اسی=80 نوے=90",
    magnitudes: "سو=100 ہزار=1000 لاکھ=100000 کروڑ=10000000 ارب=1000000000 ملین=1000000 بلین=1000000000",
    months: "جنوری فروری مارچ اپریل مئی جون جولائی اگست ستمبر اکتوبر نومبر دسمبر",
    units: "percent/فیصد kilometer/کلومیٹر meter/میٹر centimeter/سینٹی‌میٹر mile/میل foot/فٹ kilogram/کلوگرام gram/گرام ton/ٹن \
        second/سیکنڈ minute/منٹ hour/گھنٹہ/گھنٹے/گھنٹوں day/دن/دنوں week/ہفتہ/ہفتے/ہفتوں month/مہینہ/مہینے/مہینوں/ماہ \
        year/سال/سالوں decade/دہائی/دہائیوں century/صدی/صدیوں dollar/ڈالر euro/یورو rupee/روپے/روپیہ acre/ایکڑ hectare/ہیکٹر",
};

const ARABIC: Vocabulary = Vocabulary {
    language: "ara",
    negations: "لا ليس ليست ليسوا لم لن غير دون بدون عدم ولا ولم ولن وليس وليست فلا فلم فلن فليس بلا بدونه",
    restrictions: "فقط حصريا",
    attributions: "وفقا بحسب حسب النص للنص المستند للمستند يذكر المصدر",
    numbers: "اثنان=2 اثنين=2 اثنتان=2 اثنتين=2 ثلاثة=3 ثلاث=3 أربعة=4 أربع=4 خمسة=5 خمس=5 ستة=6 ست=6 سبعة=7 سبع=7 ثمانية=8 \
        ثماني=8 ثمان=8 تسعة=9 تسع=9 عشرة=10 عشر=10 عشرون=20 عشرين=20 ثلاثون=30 ثلاثين=30 أربعون=40 أربعين=40 خمسون=50 \
        خمسين=50 ستون=60 ستين=60 سبعون=70 سبعين=70 ثمانون=80 ثمانين=80 تسعون=90 تسعين=90",
    magnitudes: "مئة=100 مائة=100 ألف=1000 آلاف=1000 مليون=1000000 ملايين=1000000 مليار=1000000000 مليارات=1000000000 \
        بليون=1000000000 تريليون=1000000000000",
    months: "يناير فبراير مارس أبريل/ابريل مايو يونيو/يونيه يوليو/يوليه أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    units: "kilometer/كيلومتر/كيلومترا/كيلومترات/كم meter/متر/مترا/أمتار centimeter/سنتيمتر/سم mile/ميل/ميلا/أميال foot/قدم/قدما/أقدام \
        kilogram/كيلوغرام/كيلوجرام/كجم gram/غرام/جرام ton/طن/أطنان second/ثانية/ثواني minute/دقيقة/دقائق hour/ساعة/ساعات \
        day/يوم/يوما/أيام week/أسبوع/أسابيع month/شهر/شهرا/أشهر/شهور year/سنة/سنوات/عام/عاما/أعوام/سنين decade/عقد/عقود \
        century/قرن/قرنا/قرون/القرن dollar/دولار/دولارا/دولارات euro/يورو hectare/هكتار percent/بالمئة/بالمائة",
};

const HINDI: Vocabulary = Vocabulary {
    language: "hin",
    negations: "नहीं नही न ना मत बिना बगैर नहिं",
    restrictions: "केवल सिर्फ मात्र",
    attributions: "अनुसार दस्तावेज़ पाठ स्रोत",
    numbers: "शून्य=0 दो=2 तीन=3 चार=4 पांच=5 पाँच=5 छह=6 छः=6 सात=7 आठ=8 नौ=9 दस=10 ग्यारह=11 बारह=12 पंद्रह=15 बीस=20 तीस=30 \
        चालीस=40 पचास=50 साठ=60 सत्तर=70 अस्सी=80 नब्बे=90",
    magnitudes: "सौ=100 हजार=1000 हज़ार=1000 लाख=100000 करोड़=10000000 अरब=1000000000 मिलियन=1000000 बिलियन=1000000000",
    months: "जनवरी फरवरी/फ़रवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर/सितम्बर अक्टूबर/अक्तूबर नवंबर/नवम्बर दिसंबर/दिसम्बर",
    units: "percent/प्रतिशत/फीसदी kilometer/किलोमीटर/किमी meter/मीटर centimeter/सेंटीमीटर mile/मील foot/फुट/फीट kilogram/किलोग्राम/किलो \
        gram/ग्राम ton/टन second/सेकंड/सेकेंड minute/मिनट hour/घंटा/घंटे/घंटों day/दिन/दिनों week/सप्ताह/हफ्ते month/महीना/महीने/महीनों/माह \
        year/वर्ष/वर्षों/साल/सालों decade/दशक/दशकों century/शताब्दी/सदी/सदियों dollar/डॉलर euro/यूरो rupee/रुपये/रुपए acre/एकड़ hectare/हेक्टेयर",
};

// Characters: Chinese is compared character by character. Numbers are read by `super::numbers`.
const CHINESE: Vocabulary = Vocabulary {
    language: "cmn",
    negations: "不 没 沒 未 无 無 非 莫 勿 否",
    restrictions: "仅 僅 只",
    attributions: "",
    numbers: "",
    magnitudes: "百=100 千=1000 万=10000 萬=10000 亿=100000000 億=100000000",
    months: "",
    // Of units of several characters each character is compared.
    units: "year/年 month/月 day/日/天 week/周",
};

type Meanings = HashMap<String, Meaning>;

static LEXICON: LazyLock<HashMap<&'static str, Meanings>> =
    LazyLock::new(|| VOCABULARIES.iter().map(|words| (words.language, words.read())).collect());

/// All vocabularies in one: for texts whose language is not known or has none. English wins.
static ANY: LazyLock<Meanings> = LazyLock::new(|| {
    let others = [URDU, ARABIC, HINDI, CHINESE, ENGLISH];
    others.iter().flat_map(Vocabulary::read).collect()
});

impl Vocabulary {
    fn read(&self) -> Meanings {
        let mut meanings = Meanings::new();
        let valued = |list: &'static str| {
            list.split_whitespace().filter_map(|entry| entry.split_once('=')).filter_map(
                |(word, value)| value.parse::<f64>().ok().map(|value| (normalize(word), value)),
            )
        };
        let units = self
            .units
            .split_whitespace()
            .filter_map(|entry| Some((entry, entry.split('/').next()?)));
        for (entry, name) in units {
            meanings.extend(entry.split('/').map(|word| (normalize(word), Meaning::Unit(name))));
        }
        for (month, entry) in (1..).zip(self.months.split_whitespace()) {
            meanings.extend(entry.split('/').map(|word| (normalize(word), Meaning::Month(month))));
        }
        meanings.extend(valued(self.numbers).map(|(word, value)| (word, Meaning::Number(value))));
        meanings
            .extend(valued(self.magnitudes).map(|(word, value)| (word, Meaning::Magnitude(value))));
        let each = |list: &'static str| list.split_whitespace().map(normalize);
        meanings.extend(each(self.attributions).map(|word| (word, Meaning::Attribution)));
        meanings.extend(each(self.restrictions).map(|word| (word, Meaning::Restriction)));
        meanings.extend(each(self.negations).map(|word| (word, Meaning::Negation)));
        meanings
    }
}

/// Returns what a normalised word means in `language` beside its topic.
pub(super) fn meaning(word: &str, language: &str) -> Option<Meaning> {
    LEXICON.get(language).unwrap_or(&*ANY).get(word).copied()
}

/// Beginnings that turn a word into its opposite.
const OPPOSITES: [&str; 7] = ["un", "in", "im", "ir", "dis", "non", "il"];

/// Whether one normalised word is the other with a denying beginning, as `unlikely` and `likely`.
pub(super) fn are_opposites(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    let rest = long.strip_suffix(short);
    short.len() >= 4
        && rest.is_some_and(|beginning| OPPOSITES.contains(&beginning.trim_end_matches('-')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_something_in_their_language_only() {
        assert_eq!(meaning("once", "spa"), Some(Meaning::Number(11.0)));
        assert_eq!(meaning("once", "eng"), None);
        assert_eq!(meaning(&normalize("نہیں"), "urd"), Some(Meaning::Negation));
        assert_eq!(meaning(&normalize("نہیں"), "und"), Some(Meaning::Negation));
        assert_eq!(meaning("kilometre", "eng"), meaning("km", "deu"));
        assert_eq!(meaning("marzo", "spa"), Some(Meaning::Month(3)));
    }

    #[test]
    fn opposites_differ_by_their_beginning() {
        assert!(are_opposites("likely", "unlikely"));
        assert!(!are_opposites("likely", "likely") && !are_opposites("form", "inform2"));
    }
}
