//! The program's own words in Vietnamese and English, from the fluent files in `locales/`.
//!
//! Campaign texts are not here: they come from the campaign folder. A key that does not exist is a defect of the
//! program, which a test finds; at run time the key itself is shown, never a blank.

use std::fmt::Display;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use parsurvey_index::tree::Text;
use unic_langid::{LanguageIdentifier, langid};

/// The Vietnamese texts: of the form, of the console, and of its acts.
pub(crate) const VI: [&str; 3] = [
    include_str!("../locales/vi.ftl"),
    include_str!("../locales/console.vi.ftl"),
    include_str!("../locales/acts.vi.ftl"),
];
/// The English texts, likewise.
pub(crate) const EN: [&str; 3] = [
    include_str!("../locales/en.ftl"),
    include_str!("../locales/console.en.ftl"),
    include_str!("../locales/acts.en.ftl"),
];

static VI_BUNDLE: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| bundle(langid!("vi"), &VI));
static EN_BUNDLE: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| bundle(langid!("en"), &EN));

fn bundle(language: LanguageIdentifier, sources: &[&str]) -> FluentBundle<FluentResource> {
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Isolation marks around arguments are invisible but would be copied with a telephone number or an address.
    bundle.set_use_isolating(false);
    for source in sources {
        let resource = FluentResource::try_new((*source).to_owned());
        let resource = resource.expect("the embedded texts are well-formed, as a test shows");
        bundle.add_resource(resource).expect("the embedded texts have no key twice, as a test shows");
    }
    bundle
}

/// The language of a page. Vietnamese unless the person asks for English.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Lang {
    #[default]
    Vi,
    En,
}

impl Lang {
    /// The language a query string asks for; Vietnamese where it asks for none we have.
    pub(crate) fn of_query(query: Option<&str>) -> Self {
        match query.unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("lang=")) {
            Some("en") => Lang::En,
            Some(_) | None => Lang::Vi,
        }
    }

    /// The code, as in the `lang` attribute and the query.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Lang::Vi => "vi",
            Lang::En => "en",
        }
    }

    /// The other language.
    pub(crate) fn other(self) -> Self {
        match self {
            Lang::Vi => Lang::En,
            Lang::En => Lang::Vi,
        }
    }

    /// The program's text under `key`.
    pub(crate) fn t(self, key: &str) -> String {
        self.format(key, None)
    }

    /// The same with one argument.
    pub(crate) fn t1(self, key: &str, name: &str, value: impl Display) -> String {
        let mut arguments = FluentArgs::new();
        // Arguments go in as text, so that fluent does not group or round them.
        arguments.set(name, value.to_string());
        self.format(key, Some(&arguments))
    }

    /// The same with two arguments.
    pub(crate) fn t2(
        self,
        key: &str,
        (first, value): (&str, impl Display),
        (second, other): (&str, impl Display),
    ) -> String {
        let mut arguments = FluentArgs::new();
        arguments.set(first, value.to_string());
        arguments.set(second, other.to_string());
        self.format(key, Some(&arguments))
    }

    /// The same with any number of arguments.
    pub(crate) fn tn(self, key: &str, given: &[(&str, &dyn Display)]) -> String {
        let mut arguments = FluentArgs::new();
        for (name, value) in given {
            arguments.set(*name, value.to_string());
        }
        self.format(key, Some(&arguments))
    }

    fn format(self, key: &str, arguments: Option<&FluentArgs<'_>>) -> String {
        let bundle: &FluentBundle<FluentResource> = match self {
            Lang::Vi => &VI_BUNDLE,
            Lang::En => &EN_BUNDLE,
        };
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            return key.to_owned();
        };
        let mut faults = Vec::new();
        bundle.format_pattern(pattern, arguments, &mut faults).into_owned()
    }

    /// A campaign's text in this language.
    pub(crate) fn pick(self, text: &Text) -> &str {
        match self {
            Lang::Vi => &text.vi,
            Lang::En => &text.en,
        }
    }

    /// A count with the language's thousands separator.
    pub(crate) fn count(self, number: u64) -> String {
        let digits = number.to_string();
        let mut text = String::with_capacity(digits.len() + digits.len() / 3);
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                text.push(match self {
                    Lang::Vi => '.',
                    Lang::En => ',',
                });
            }
            text.push(digit);
        }
        text
    }

    /// `part` of `whole` in percent with two decimals, half away from zero; an en dash where there is no whole.
    pub(crate) fn percent(self, part: u64, whole: u64) -> String {
        if whole == 0 {
            return "–".to_owned();
        }
        let (part, whole) = (u128::from(part), u128::from(whole));
        let hundredths = (part * 20_000 + whole) / (2 * whole);
        let mark = match self {
            Lang::Vi => ',',
            Lang::En => '.',
        };
        format!("{}{mark}{:02}\u{a0}%", hundredths / 100, hundredths % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::Lang;

    #[test]
    fn numbers_follow_the_language() {
        for (number, vi, en) in [(0, "0", "0"), (819, "819", "819"), (51_597, "51.597", "51,597")] {
            assert_eq!(Lang::Vi.count(number), vi);
            assert_eq!(Lang::En.count(number), en);
        }
        for (part, whole, vi) in [(816, 819, "99,63\u{a0}%"), (816, 816, "100,00\u{a0}%"), (0, 0, "–")] {
            assert_eq!(Lang::Vi.percent(part, whole), vi);
        }
    }

    #[test]
    fn only_english_is_asked_for_by_name() {
        for (query, lang) in [
            (None, Lang::Vi),
            (Some("lang=en"), Lang::En),
            (Some("a=b&lang=en"), Lang::En),
            (Some("lang=fr"), Lang::Vi),
            (Some("slang=en"), Lang::Vi),
        ] {
            assert_eq!(Lang::of_query(query), lang, "{query:?}");
        }
    }
}
