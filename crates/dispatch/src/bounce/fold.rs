//! Words made comparable: small letters, no marks above or below them, one space between words.
//!
//! "Trả lời tự động", the same in decomposed letters, and "Tra loi tu dong" become one text, because servers and people
//! write Vietnamese in all three ways. The folded text is for comparing only; places in it are not those of the original.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Folds a text.
pub(super) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut push = |c: char| {
        if !c.is_whitespace() {
            out.push(c);
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    };
    if text.is_ascii() {
        text.chars().for_each(|c| push(c.to_ascii_lowercase()));
    } else {
        for c in text.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
            match c {
                'đ' => push('d'),
                '\u{2019}' | '\u{2018}' => push('\''),
                '\u{a0}' => push(' '),
                c => push(c),
            }
        }
    }
    out
}

/// Whether a folded text contains any of the phrases.
pub(super) fn has_any(folded: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| folded.contains(phrase))
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn three_ways_of_writing_vietnamese_are_one() {
        let decomposed = "Tra\u{309} lo\u{31b}\u{300}i  tu\u{31b}\u{323} đo\u{323}\u{302}ng";
        for text in ["Trả lời tự động", decomposed, "Tra loi\r\n\ttu dong", "TRẢ LỜI TỰ ĐỘNG"] {
            assert_eq!(fold(text), "tra loi tu dong");
        }
    }
}
