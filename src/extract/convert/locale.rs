//! Which language a text is written in, as far as numbers and dates differ by it.
//!
//! A locale is a language, or a language and a country where that makes a difference: `de`, `de-CH`, `en-GB`.

use super::months::{self, Months};
use crate::mistake::Slip;
use crate::spelling;

/// How numbers and dates are written somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locale {
    /// As in the table: `de`, `en-GB`.
    pub name: &'static str,
    /// Whether `1,5` is one and a half. What is not the decimal mark, of the two, groups digits; spaces and
    /// apostrophes group them everywhere.
    pub has_decimal_comma: bool,
    /// In which order `01/02/2026` is written.
    pub order: DateOrder,
    /// The names of months beside the English ones.
    pub(super) months: &'static Months,
}

/// The order of a date in figures with the year at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// `20/11/2026`.
    DayFirst,
    /// `11/20/2026`.
    MonthFirst,
    /// The year is written first; with the year at its end nobody knows.
    YearFirst,
}

use DateOrder::{DayFirst, MonthFirst, YearFirst};

const fn comma(name: &'static str, months: &'static Months) -> Locale {
    Locale { name, has_decimal_comma: true, order: DayFirst, months }
}

const fn point(name: &'static str, order: DateOrder, months: &'static Months) -> Locale {
    Locale { name, has_decimal_comma: false, order, months }
}

/// Numbers and dates after the Unicode Common Locale Data Repository (patterns of decimal numbers, short dates).
const LOCALES: &[Locale] = &[
    point("en", MonthFirst, &months::ENGLISH),
    point("en-US", MonthFirst, &months::ENGLISH),
    point("en-GB", DayFirst, &months::ENGLISH),
    point("en-AU", DayFirst, &months::ENGLISH),
    point("en-CA", DayFirst, &months::ENGLISH),
    point("en-IE", DayFirst, &months::ENGLISH),
    point("en-IN", DayFirst, &months::ENGLISH),
    point("en-NZ", DayFirst, &months::ENGLISH),
    comma("en-ZA", &months::ENGLISH),
    comma("de", &months::GERMAN),
    comma("de-DE", &months::GERMAN),
    comma("de-AT", &months::GERMAN),
    point("de-CH", DayFirst, &months::GERMAN),
    comma("fr", &months::FRENCH),
    comma("fr-FR", &months::FRENCH),
    comma("fr-BE", &months::FRENCH),
    comma("fr-CA", &months::FRENCH),
    comma("fr-CH", &months::FRENCH),
    comma("es", &months::SPANISH),
    comma("es-ES", &months::SPANISH),
    comma("es-AR", &months::SPANISH),
    point("es-MX", DayFirst, &months::SPANISH),
    comma("it", &months::ITALIAN),
    comma("it-IT", &months::ITALIAN),
    point("it-CH", DayFirst, &months::ITALIAN),
    comma("pt", &months::PORTUGUESE),
    comma("pt-BR", &months::PORTUGUESE),
    comma("pt-PT", &months::PORTUGUESE),
    comma("nl", &months::DUTCH),
    comma("nl-BE", &months::DUTCH),
    comma("nl-NL", &months::DUTCH),
    comma("pl", &months::POLISH),
    comma("ru", &months::RUSSIAN),
    comma("uk", &months::ENGLISH),
    comma("cs", &months::ENGLISH),
    comma("sk", &months::ENGLISH),
    comma("da", &months::DANISH),
    comma("nb", &months::DANISH),
    comma("no", &months::DANISH),
    comma("sv", &months::SWEDISH),
    comma("fi", &months::ENGLISH),
    comma("hu", &months::ENGLISH),
    comma("ro", &months::ENGLISH),
    comma("bg", &months::ENGLISH),
    comma("el", &months::ENGLISH),
    comma("tr", &months::TURKISH),
    comma("id", &months::ENGLISH),
    comma("vi", &months::ENGLISH),
    point("th", DayFirst, &months::ENGLISH),
    point("he", DayFirst, &months::ENGLISH),
    point("hi", DayFirst, &months::ENGLISH),
    point("ja", YearFirst, &months::ENGLISH),
    point("ko", YearFirst, &months::ENGLISH),
    point("zh", YearFirst, &months::ENGLISH),
    point("zh-CN", YearFirst, &months::ENGLISH),
    point("zh-HK", DayFirst, &months::ENGLISH),
    point("zh-TW", YearFirst, &months::ENGLISH),
];

impl Locale {
    /// The locale of that name, in whatever case, with `-` or `_`.
    ///
    /// # Errors
    ///
    /// None is known by it.
    pub fn parse(name: &str) -> Result<Locale, Slip> {
        let wanted = name.trim().replace('_', "-");
        let known = LOCALES.iter().find(|locale| locale.name.eq_ignore_ascii_case(&wanted));
        known.copied().ok_or_else(|| {
            let language = wanted.split('-').next().unwrap_or_default().to_lowercase();
            let hint = if LOCALES.iter().any(|locale| locale.name == language) {
                format!("the country is not known; `{language}` is")
            } else {
                match spelling::nearest(&wanted, LOCALES.iter().map(|locale| locale.name)) {
                    Some(near) if wanted.len() > 2 => format!("did you mean `{near}`?"),
                    _ => "like en, en-GB, de, de-CH, fr, es, zh".to_owned(),
                }
            };
            Slip::new(0, "unknown locale").with_hint(hint)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_are_found_in_any_spelling() {
        assert_eq!(Locale::parse("de_ch").unwrap().name, "de-CH");
        assert_eq!(Locale::parse(" EN ").unwrap().order, MonthFirst);
        assert_eq!(Locale::parse("en-gb").unwrap().order, DayFirst);
        assert!(Locale::parse("fr").unwrap().has_decimal_comma);
    }

    #[test]
    fn an_unknown_locale_is_told_with_one_that_is_known() {
        let hint = |name| Locale::parse(name).unwrap_err().hint.unwrap();
        assert_eq!(hint("de-LU"), "the country is not known; `de` is");
        assert!(hint("german").contains("like en"));
        assert!(hint("xx").contains("like en"));
    }

    #[test]
    fn no_locale_stands_twice() {
        for (index, locale) in LOCALES.iter().enumerate() {
            assert!(LOCALES[index + 1..].iter().all(|other| other.name != locale.name), "{}", locale.name);
        }
    }
}
