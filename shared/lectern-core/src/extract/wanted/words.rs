//! The words of several languages that ask for, and that are, quantities, times, people and places.

use std::{collections::HashSet, sync::LazyLock};

use super::Wanted;

/// Phrases that ask, divided by semicolons, most telling first. Those of scripts with spaces match as whole words.
pub(super) const ASKING: [(Wanted, &str); 4] = [
    (
        Wanted::Quantity,
        "how many; how much; how long; how old; how far; how often; how large; how tall; \
         how high; how big; how fast; how deep; how wide; percentage; what percent; \
         what number; what amount; what proportion; what population; wie viele; wie viel; \
         wieviel; wieviele; wie lange; wie oft; wie hoch; wie alt; wie weit; wie groß; \
         prozentsatz; cuántos; cuántas; cuánto; cuánta; qué porcentaje; combien; pourcentage; \
         كم; عدد; कितने; कितना; कितनी; प्रतिशत; کتنے; کتنا; کتنی; فیصد; 多少; 几个; 几年; 多长; 多久",
    ),
    (
        Wanted::Time,
        "when; what year; which year; what years; what date; which date; what day; which day; \
         what month; which month; what century; which century; what decade; which decade; \
         what time; what period; what era; wann; welchem jahr; welches jahr; \
         welchem jahrhundert; welchem datum; cuándo; qué año; qué siglo; qué fecha; quand; \
         quelle année; quel siècle; متى; أي عام; أي سنة; أي قرن; कब; किस वर्ष; किस साल; \
         किस सदी; کب; کس سال; کس صدی; 何时; 什么时候; 哪一年; 哪年; 什么时间; 哪个世纪",
    ),
    (
        Wanted::Person,
        "who; whom; whose; which person; what person; wer; wen; wem; wessen; quién; quiénes; \
         qui; من الذي; من هو; من هي; किसने; कौन; किसके; کون; کس نے; 谁",
    ),
    (
        Wanted::Place,
        "where; what city; which city; what country; which country; what state; which state; \
         what place; what region; which region; what river; what continent; what area; \
         what town; wo; wohin; welcher stadt; welchem land; dónde; qué ciudad; qué país; où; \
         quelle ville; أين; أي مدينة; أي بلد; कहाँ; कहां; किस शहर; किस देश; کہاں; کس شہر; \
         کس ملک; 哪里; 哪儿; 在哪; 哪个城市; 哪个国家",
    ),
];

/// Words for numbers and shares of a whole: English, German, Spanish, French, Arabic, Hindi, Urdu, Persian and
/// Chinese. Words that are articles as well (`ein`, `un`, `एक`, `一`) are left out,
/// and those that are common words of another of these languages or its neighbours (`dos`, `अरब`, `mai`).
const NUMBERS: &str = "one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty \
    hundred hundreds thousand thousands million billion half third quarter dozen twice once \
    zwei drei vier fünf sechs sieben acht neun zehn zwölf zwanzig dreißig vierzig fünfzig hundert hunderte tausend \
    tausende millionen milliarde milliarden hälfte drittel viertel dutzend zweimal dreimal \
    tres cuatro cinco seis siete ocho nueve diez doce veinte treinta cuarenta cincuenta cien ciento cientos mil \
    millón millones mitad tercio docena \
    deux trois quatre cinq huit neuf dix onze douze vingt trente quarante cinquante cent cents mille millions milliard \
    milliards moitié douzaine \
    اثنان اثنين اثنتين ثلاثة ثلاث أربعة أربع خمسة خمس ستة ست سبعة سبع ثمانية ثماني ثمان تسعة تسع عشرة عشر عشرون عشرين \
    ثلاثون ثلاثين أربعون أربعين خمسون خمسين مئة مائة مئات ألف آلاف مليون ملايين مليار مليارات نصف ثلث ربع \
    दो तीन चार पांच पाँच छह छः सात आठ नौ दस ग्यारह बारह बीस तीस चालीस पचास सौ सैकड़ों हजार हज़ार हजारों लाख लाखों करोड़ मिलियन \
    बिलियन आधा आधे आधी तिहाई चौथाई दोगुना \
    دو تین چار پانچ چھ سات آٹھ نو دس گیارہ بارہ بیس تیس چالیس پچاس سو سینکڑوں ہزار ہزاروں لاکھ کروڑ ارب آدھا آدھی تہائی \
    سه چهار پنج شش هفت هشت ده بیست صد هزار میلیون میلیارد نیم \
    两 二 三 四 五 六 七 八 九 十 百 千 万 亿 半";

/// Words that tell a time without a year, in the same languages.
const TIMES: &str = "january february march april may june july august september october november december century \
    centuries decade monday tuesday wednesday thursday friday saturday sunday \
    januar februar märz juni juli oktober dezember jahrhundert jahrhunderts jahrzehnt montag dienstag mittwoch \
    donnerstag freitag samstag sonntag \
    enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre siglo década lunes martes \
    miércoles jueves viernes sábado domingo \
    janvier février avril juin sept juillet août septembre octobre novembre décembre siècle décennie lundi mardi mercredi \
    jeudi vendredi samedi dimanche \
    يناير فبراير أبريل إبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر قرن القرن \
    जनवरी फरवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर सितम्बर अक्टूबर अक्तूबर नवंबर नवम्बर दिसंबर दिसम्बर सदी शताब्दी दशक \
    جنوری فروری مارچ اپریل مئی جولائی اگست ستمبر اکتوبر نومبر دسمبر صدی دہائی \
    年 月";

/// [`NUMBERS`] as a set.
pub(super) static NUMBER_WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| NUMBERS.split_whitespace().collect());
/// [`TIMES`] as a set.
pub(super) static TIME_WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| TIMES.split_whitespace().collect());
