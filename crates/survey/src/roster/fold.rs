//! What two spellings have in common: keys for comparing, never for storing or showing.

use unicode_normalization::UnicodeNormalization;

use crate::address::is_invisible;

/// The five tone marks of Vietnamese as combining characters; the marks of vowels (â, ă, ơ) are not among them.
const TONES: [char; 5] = ['\u{0300}', '\u{0301}', '\u{0303}', '\u{0309}', '\u{0323}'];

/// A key that is equal for texts which differ in case, spaces, kind of dash or place of the tone mark (hòa, hoà).
///
/// A syllable bears one tone, so where the mark stands never tells two words apart; the key moves it to the end.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut key = String::with_capacity(text.len() + 8);
    let mut tone = None;
    for c in plain(text) {
        if TONES.contains(&c) {
            tone = Some(c);
        } else if c.is_alphabetic() || unicode_normalization::char::is_combining_mark(c) {
            key.push(c);
        } else {
            key.extend(tone.take());
            if !c.is_whitespace() {
                key.push(c);
            } else if !key.is_empty() && !key.ends_with(' ') {
                key.push(' ');
            }
        }
    }
    key.extend(tone);
    key.truncate(key.trim_end().len());
    key
}

/// A key as [`fold`] makes it, which is also equal where words are joined or parted: the letters, then the tones in their
/// order. For telling whether two names may be one; two names of the same letters and tones are taken for one.
pub(crate) fn joined(text: &str) -> String {
    let (tones, mut key): (String, String) =
        plain(text).filter(|c| !c.is_whitespace()).partition(|c| TONES.contains(c));
    key.push(' ');
    key.push_str(&tones);
    key
}

/// The characters that tell spellings apart: in small letters, with every mark by itself and one kind of dash.
fn plain(text: &str) -> impl Iterator<Item = char> {
    // What shows nothing goes first: between two marks it would keep them from their common order.
    text.chars().filter(|c| !is_invisible(*c)).nfkd().flat_map(char::to_lowercase).map(|c| match c {
        // Eth is often typed for the Vietnamese đ and looks the same in capitals.
        'ð' => 'đ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        c => c,
    })
}

/// A key without diacritics and punctuation, for headers and for finding what is near.
#[must_use]
pub fn bare(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    for c in text.nfkd().flat_map(char::to_lowercase) {
        match c {
            'đ' | 'ð' => key.push('d'),
            c if unicode_normalization::char::is_combining_mark(c) || is_invisible(c) => {}
            c if c.is_alphanumeric() => key.push(c),
            _ if !key.is_empty() && !key.ends_with(' ') => key.push(' '),
            _ => {}
        }
    }
    key.truncate(key.trim_end().len());
    key
}

#[cfg(test)]
mod tests {
    use super::{bare, fold};

    #[test]
    fn spellings_of_one_word_are_equal() {
        for (a, b) in [
            ("Hòa Bình", "hoà  bình"),
            ("khoẻ", "khỏe"),
            ("UỶ BAN", "Ủy ban"),
            ("Thúy", "thuý"),
            ("quí", "QUÍ"),
            ("Sở Nội vụ", " sở\u{00A0}nội\nvụ "),
            ("So\u{031B}\u{0309} No\u{0323}\u{0302}i vu\u{0323}", "Sở Nội vụ"),
            ("Ðống Đa", "ĐỐNG ĐA"),
            ("Hà Nội – Amsterdam", "Hà Nội - Amsterdam"),
        ] {
            assert_eq!(fold(a), fold(b), "{a} {b}");
        }
    }

    #[test]
    fn different_words_stay_different() {
        for (a, b) in [("Hòa", "Hóa"), ("Ba Vì", "Ba Vi"), ("Sở Nội vụ", "Sở Nội vu"), ("tân", "tan"), ("đa", "da")]
        {
            assert_ne!(fold(a), fold(b), "{a} {b}");
        }
    }

    #[test]
    fn bare_keys_have_neither_marks_nor_signs() {
        assert_eq!(bare(" Họ và tên (*):\n"), "ho va ten");
        assert_eq!(bare("ĐỊA CHỈ E-mail"), "dia chi e mail");
    }
}
