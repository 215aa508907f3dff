//! From bytes to text: what kind of file it is, and in which encoding.
//!
//! The kind is read from the bytes, never from the name. Fonts that draw Vietnamese over Latin codes (TCVN3, VNI) are not decoded.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1258};
use unicode_normalization::UnicodeNormalization;

/// What the first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing at all.
    Empty,
    /// A ZIP archive, as XLSX is.
    Zip,
    /// The container of Excel 97–2003, and of password-protected workbooks.
    OldExcel,
    /// A PDF.
    Pdf,
    /// A web page, whatever its name says.
    Html,
    /// Something to be read as text.
    Text,
}

/// Looks at the first bytes only.
pub(super) fn kind(bytes: &[u8]) -> Kind {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return Kind::Zip;
    }
    if bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        return Kind::OldExcel;
    }
    if bytes.starts_with(b"%PDF") {
        return Kind::Pdf;
    }
    // Zero bytes are dropped, so that a page saved as UTF-16 is known for one too.
    let head: Vec<u8> = bytes
        .iter()
        .take(1024)
        .copied()
        .filter(|b| !matches!(b, 0 | 0xEF | 0xBB | 0xBF | 0xFE | 0xFF))
        .skip_while(u8::is_ascii_whitespace)
        .map(|b| b.to_ascii_lowercase())
        .collect();
    let tags: [&[u8]; 7] = [b"<!doctype", b"<html", b"<head", b"<body", b"<table", b"<?xml", b"<meta"];
    if bytes.is_empty() {
        Kind::Empty
    } else if tags.iter().any(|tag| head.starts_with(tag)) {
        Kind::Html
    } else {
        Kind::Text
    }
}

/// A decoded text and, where the encoding was guessed, its name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded<'a> {
    /// The text; borrowed when the bytes were UTF-8.
    pub(super) text: Cow<'a, str>,
    /// The encoding's name, if nothing in the file declared it.
    pub(super) guessed: Option<&'static str>,
}

/// Why bytes are not text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DecodeError {
    /// Mostly UTF-8, with bytes that are not; the line of the first.
    BrokenUtf8(usize),
    /// None of the known encodings.
    Unknown,
}

/// Decodes UTF-8, UTF-16 and Windows-1258.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded<'_>, DecodeError> {
    let declared = Encoding::for_bom(bytes);
    let (encoding, body, guessed) = match declared {
        Some((encoding, length)) => (encoding, &bytes[length..], false),
        None => match utf16_without_mark(bytes) {
            Some(encoding) => (encoding, bytes, true),
            None => (UTF_8, bytes, false),
        },
    };
    if encoding != UTF_8 {
        let (text, malformed) = encoding.decode_without_bom_handling(body);
        if malformed || text.contains('\0') {
            return Err(DecodeError::Unknown);
        }
        return Ok(Decoded { text, guessed: guessed.then_some(encoding.name()) });
    }
    match std::str::from_utf8(body) {
        Ok(text) if text.contains('\0') => Err(DecodeError::Unknown),
        Ok(text) => Ok(Decoded { text: Cow::Borrowed(text), guessed: None }),
        Err(error) if declared.is_some() || mostly_utf8(body) => {
            let line = body[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
            Err(DecodeError::BrokenUtf8(line))
        }
        Err(_) => {
            let (text, malformed) = WINDOWS_1258.decode_without_bom_handling(body);
            // Bytes without a letter come out as control characters, which no list of people has.
            if malformed || text.contains(|c: char| c == '\0' || ('\u{80}'..='\u{9F}').contains(&c)) {
                return Err(DecodeError::Unknown);
            }
            // This encoding writes tone marks as separate characters, so composing is part of decoding.
            Ok(Decoded { text: Cow::Owned(text.nfc().collect()), guessed: Some(WINDOWS_1258.name()) })
        }
    }
}

/// UTF-16 without a byte order mark shows as zeros on one side of most pairs: separators and Latin letters are many.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(4096) & !1];
    if sample.len() < 4 || bytes.len() % 2 == 1 {
        return None;
    }
    let zeros = |offset: usize| sample.iter().skip(offset).step_by(2).filter(|b| **b == 0).count();
    let (even, odd, pairs) = (zeros(0), zeros(1), sample.len() / 2);
    if odd * 2 > pairs && even * 20 <= odd {
        Some(UTF_16LE)
    } else if even * 2 > pairs && odd * 20 <= even {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// Whether broken bytes are the exception: then the file was UTF-8 once, and reading it otherwise would garble every name.
fn mostly_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    good > bad * 4
}

#[cfg(test)]
mod tests {
    use super::{DecodeError, Kind, decode, kind};

    #[test]
    fn kinds_are_read_from_bytes() {
        for (bytes, expected) in [
            (&b""[..], Kind::Empty),
            (b"PK\x03\x04rest", Kind::Zip),
            (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", Kind::OldExcel),
            (b"%PDF-1.7", Kind::Pdf),
            (b"\xEF\xBB\xBF \n<!DOCTYPE html>", Kind::Html),
            (b"\xFF\xFE<\0h\0t\0m\0l\0", Kind::Html),
            (b"name,email", Kind::Text),
        ] {
            assert_eq!(kind(bytes), expected);
        }
    }

    #[test]
    fn encodings_give_the_same_text() {
        let text = "họ và tên,đơn vị\nNguyễn Thị Hoà,Sở Nội vụ\n";
        let utf16 = |big: bool| -> Vec<u8> {
            text.encode_utf16().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
        };
        let marked = |mark: &[u8], body: Vec<u8>| [mark, &body].concat();
        for bytes in [
            text.as_bytes().to_vec(),
            marked(b"\xEF\xBB\xBF", text.as_bytes().to_vec()),
            marked(b"\xFF\xFE", utf16(false)),
            marked(b"\xFE\xFF", utf16(true)),
            utf16(false),
            utf16(true),
        ] {
            assert_eq!(decode(&bytes).map(|d| d.text.into_owned()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn broken_bytes_are_placed_and_other_bytes_refused() {
        let mut bytes = "tên\nNguyễn Thị Hoà, Sở Nội vụ\nTrần Văn Đức, Sở Tư pháp\n".as_bytes().to_vec();
        bytes.extend_from_slice(b"\xFF\n");
        assert_eq!(decode(&bytes), Err(DecodeError::BrokenUtf8(4)));
        assert_eq!(decode(b"a\0b\x01"), Err(DecodeError::Unknown));
        assert_eq!(decode(&[0xD2, 0x00, 0xD2]), Err(DecodeError::Unknown));
    }
}
