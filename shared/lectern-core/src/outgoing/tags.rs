//! Where a page sees a tag end.

/// What a character of a tag belongs to, as HTML says (section 13.2.5, "Tokenization").
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Element,
    /// Where a name may begin.
    Between,
    Name,
    /// Behind a name.
    Named,
    /// Behind the `=` of a name.
    Assigned,
    Value,
    Quoted(char),
}

/// Whether the `>` a tag ends with ends it for a page as well: none of its quotes is open.
pub(super) fn is_closed(tag: &str) -> bool {
    let mut place = Place::Element;
    for character in tag.trim_end_matches('>').trim_start_matches(['<', '/']).chars() {
        let is_blank = character.is_ascii_whitespace();
        place = match (place, character) {
            (Place::Quoted(quote), _) if character == quote => Place::Between,
            (Place::Assigned, '"' | '\'') => Place::Quoted(character),
            (Place::Value | Place::Element, _) if is_blank => Place::Between,
            (Place::Name, _) if is_blank => Place::Named,
            (Place::Between | Place::Named | Place::Assigned, _) if is_blank => place,
            (Place::Quoted(_) | Place::Value, _) => place,
            (Place::Assigned, _) => Place::Value,
            (_, '/') => Place::Between,
            (Place::Element, _) => Place::Element,
            (Place::Name | Place::Named, '=') => Place::Assigned,
            (Place::Between | Place::Name | Place::Named, _) => Place::Name,
        };
    }
    !matches!(place, Place::Quoted(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_open_where_a_value_begins() {
        for tag in
            ["<b>", "</b>", "<br/>", "<a x=\"'\" y='\"'>", "<T: 'static>", "<Item = &'a dyn I>"]
        {
            assert!(is_closed(tag), "{tag}");
        }
        for tag in [
            "<a x='\"' y=\">",
            "<a x=\">",
            "<a x = '>",
            "<a ='b' c='>",
            "<a x==\"b c='\">",
            "<a/x='>",
        ] {
            assert!(!is_closed(tag), "{tag}");
        }
    }
}
