//! The words that say what a number is. Letters of ASCII are of either case.

use super::Subject;

/// Words that may stand between a label and its number.
pub(super) const FILLERS: &str = "no|nr|num|number|numbers|nummer|nummern|numero|número|números|numéro|numer|n|is|are|at|us|me|on|the|our|my|your|his|her|\
     their|or|and|und|oder|et|ou|y|o|e|office|home|work|cell|mobile|direct|private|ist|unter|est|au|le|la|es|el|al|als|was|ID|id|\
     line|toll|free|of|for|now|day|night|a|b|c|i|ii|wa|sms";

/// Words of each subject, with `|` between them.
pub(super) const WORDS: &[(Subject, &str)] = &[
    (
        Subject::Phone,
        "tel|tél|telephone|telephones|phone|phones|phone no|phone number|phone numbers|mobile|mobile no|mobil|mob|cell|cellphone|\
         cell phone|fax|telefax|faks|telefon|telefonnr|telefonnummer|telefonnummern|mobilnummer|mobilfunk|mobiltelefon|\
         handy|handynummer|handynr|rufnummer|durchwahl|hotline|helpline|téléphone|teléfono|telefono|teléfonos|móvil|movil|celular|\
         telefone|telemóvel|telefoon|telefoonnummer|mobiel|puhelin|puh|puhelinnumero|tlf|tfn|gsm|cep telefonu|telefonu|téléphones|\
         portable|cellulare|whatsapp|viber|signal number|call|call us|call me|text me|dial|rufen sie|appelez|llame|llámenos|ligue|\
         telefon numarası|komórka|komórkowy|тел|телефон|телефона|телефоны|моб|факс|τηλ|τηλέφωνο|\
         هاتف|الهاتف|تليفون|تلفون|جوال|الجوال|موبايل|فاكس|فون|فون نمبر|موبائل|ٹیلی فون|رابطہ نمبر|تلفن|موبایل|\
         फ़ोन|फोन|फ़ोन|दूरभाष|मोबाइल|टेलीफोन|टेलीफ़ोन|电话|電話|手机|手機|电话号码|手机号|手机号码|联系电话|传真|座机|携帯|電話番号|전화|전화번호|휴대폰|연락처|핸드폰|\
         โทร|โทรศัพท์|điện thoại|ফোন|মোবাইল",
    ),
    (
        Subject::Card,
        "card|cards|card number|credit card|debit card|visa|mastercard|amex|american express|maestro|kreditkarte|kartennummer|\
         carte bancaire|carte de crédit|tarjeta|cartão|carta di credito|kredi kartı|银行卡|信用卡|卡号|कार्ड|بطاقة|کارڈ|cvv|cvc|pan",
    ),
    (
        Subject::Network,
        "ip|ipv4|ip address|ip-address|ip-adresse|adresse ip|dirección ip|address|addr|host|hosts|hostname|server|servers|client|gateway|\
         router|dns|nameserver|ping|ssh|src|dst|subnet|netmask|login from|connection from|remote|peer|inet|proxy|firewall|listen|bind|\
         عنوان|服务器|地址|आईपी",
    ),
    (
        Subject::TaxId,
        "tin|tax id|taxpayer|tax identification|tax number|steuernummer|nif|cif|numéro fiscal|identificación fiscal",
    ),
    (
        Subject::SocialSecurity,
        "ssn|ss#|social security|social security number|social security no|social sec|soc sec|itin",
    ),
    (Subject::NationalInsurance, "national insurance|ni number|ni no|nino|n.i. number"),
    (Subject::Nhs, "nhs|nhs number|nhs no|health service number"),
    (
        Subject::SteuerId,
        "steuer-id|steuerid|steuer id|steueridentifikationsnummer|steuer-identifikationsnummer|steuerliche identifikationsnummer|\
         identifikationsnummer|idnr|id-nr|steuer-idnr|steuer-identnummer|tin|tax id|steuernummer",
    ),
    (
        Subject::Bsn,
        "bsn|burgerservicenummer|burger service nummer|sofinummer|sofi-nummer|citizen service number",
    ),
    (Subject::Pesel, "pesel"),
    (
        Subject::Personnummer,
        "personnummer|pers.nr|persnr|personal identity number|samordningsnummer|personnr",
    ),
    (
        Subject::Kimlik,
        "tckn|tc kimlik|t.c. kimlik|kimlik no|kimlik numarası|tc no|t.c. no|vatandaşlık|kimlik",
    ),
    (Subject::Aadhaar, "aadhaar|aadhar|adhaar|adhar|uidai|uid|आधार|आधार संख्या|আধার|ஆதார்|ఆధార్|آدھار"),
    (Subject::Cpf, "cpf|cadastro de pessoa|cadastro de pessoas físicas|cpf/mf"),
    (
        Subject::Cnic,
        "cnic|nicop|nadra|شناختی کارڈ|قومی شناختی کارڈ|شناختی کارڈ نمبر|identity card|id card",
    ),
    (
        Subject::Version,
        "v|ver|version|versions|versión|versione|release|releases|rev|revision|build|firmware|driver|section|sections|sec|§|chapter|clause|\
         article|art|para|paragraph|abschnitt|kapitel|artikel|absatz|oid|figure|fig|table|tab|eq|step|appendix|annex|版本|نسخه|الإصدار|संस्करण",
    ),
    (
        Subject::Thing,
        "isbn|isbn-10|isbn-13|issn|doi|iso|iec|iso/iec|ieee|rfc|din|din en|en|bs|ansi|astm|nist|pmid|pmc|pmcid|arxiv|nct|isrctn|patent|patents|us patent|cas|cas no|cas number|\
         invoice|order|orders|order id|reference|ref|ref no|p/n|part|part no|part number|serial|s/n|serial number|sku|case|docket|file no|\
         file number|commission file number|commission file|ein|employer identification|employer identification no|vat|ust-id|account|acct|upc|ean|gtin|asin|\
         imei|tracking|model|item|batch|lot|ticket|issue|grant|contract|policy|license|licence|permit|id|bestellnummer|bestell-nr|bestellung|rechnung|rechnungsnummer|\
         rechnungs-nr|kundennummer|kunden-nr|auftrag|auftragsnummer|aktenzeichen|az|artikelnummer|artikel-nr|art.-nr|facture|commande|référence|réf|factura|\
         pedido|referencia|expediente|fattura|ordine|faktura|zamówienie|bestelling|订单|订单号|发票|编号|票号|注文番号|رقم الطلب|فاتورة|الفاتورة|طلب|आदेश|चालान|बिल|آرڈر|انوائس|\
         page|pages|pp|p|seite|seiten|vol|volume|line|lines|coordinates|coordinate|lat|lon|latitude|longitude|timestamp|epoch|checksum|hash|md5|crc|sha|zip|postcode|plz",
    ),
];
