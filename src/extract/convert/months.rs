//! The names of the months.

/// For each month what may stand for it, in small letters and without a full stop: the name, its case forms, the
/// abbreviations.
pub(super) type Months = [&'static [&'static str]; 12];

/// The number, from 1, of a month in one of two tables.
pub(super) fn month_named(word: &str, months: &Months) -> Option<i8> {
    let word = word.to_lowercase();
    let find = |table: &Months| table.iter().position(|names| names.contains(&word.as_str()));
    let index = find(months).or_else(|| find(&ENGLISH))?;
    i8::try_from(index + 1).ok()
}

/// Its number's name in English, as format strings know it.
pub(super) fn english_name(month: i8) -> &'static str {
    usize::try_from(month - 1).ok().and_then(|index| ENGLISH.get(index)).map_or("", |names| names[0])
}

pub(super) static ENGLISH: Months = [
    &["january", "jan"],
    &["february", "feb", "febr"],
    &["march", "mar"],
    &["april", "apr"],
    &["may"],
    &["june", "jun"],
    &["july", "jul"],
    &["august", "aug"],
    &["september", "sep", "sept"],
    &["october", "oct"],
    &["november", "nov"],
    &["december", "dec"],
];

pub(super) static GERMAN: Months = [
    &["januar", "jänner", "jan", "jän"],
    &["februar", "feber", "feb"],
    &["märz", "mär", "mrz"],
    &["april", "apr"],
    &["mai"],
    &["juni", "jun"],
    &["juli", "jul"],
    &["august", "aug"],
    &["september", "sep", "sept"],
    &["oktober", "okt"],
    &["november", "nov"],
    &["dezember", "dez"],
];

pub(super) static FRENCH: Months = [
    &["janvier", "janv", "jan"],
    &["février", "fevrier", "févr", "fév"],
    &["mars"],
    &["avril", "avr"],
    &["mai"],
    &["juin"],
    &["juillet", "juil"],
    &["août", "aout"],
    &["septembre", "sept"],
    &["octobre", "oct"],
    &["novembre", "nov"],
    &["décembre", "decembre", "déc"],
];

pub(super) static SPANISH: Months = [
    &["enero", "ene"],
    &["febrero", "feb"],
    &["marzo", "mar"],
    &["abril", "abr"],
    &["mayo", "may"],
    &["junio", "jun"],
    &["julio", "jul"],
    &["agosto", "ago"],
    &["septiembre", "setiembre", "sep", "sept", "set"],
    &["octubre", "oct"],
    &["noviembre", "nov"],
    &["diciembre", "dic"],
];

pub(super) static ITALIAN: Months = [
    &["gennaio", "gen"],
    &["febbraio", "feb"],
    &["marzo", "mar"],
    &["aprile", "apr"],
    &["maggio", "mag"],
    &["giugno", "giu"],
    &["luglio", "lug"],
    &["agosto", "ago"],
    &["settembre", "set", "sett"],
    &["ottobre", "ott"],
    &["novembre", "nov"],
    &["dicembre", "dic"],
];

pub(super) static PORTUGUESE: Months = [
    &["janeiro", "jan"],
    &["fevereiro", "fev"],
    &["março", "marco", "mar"],
    &["abril", "abr"],
    &["maio", "mai"],
    &["junho", "jun"],
    &["julho", "jul"],
    &["agosto", "ago"],
    &["setembro", "set"],
    &["outubro", "out"],
    &["novembro", "nov"],
    &["dezembro", "dez"],
];

pub(super) static DUTCH: Months = [
    &["januari", "jan"],
    &["februari", "feb"],
    &["maart", "mrt"],
    &["april", "apr"],
    &["mei"],
    &["juni", "jun"],
    &["juli", "jul"],
    &["augustus", "aug"],
    &["september", "sep"],
    &["oktober", "okt"],
    &["november", "nov"],
    &["december", "dec"],
];

pub(super) static POLISH: Months = [
    &["styczeń", "stycznia", "sty"],
    &["luty", "lutego", "lut"],
    &["marzec", "marca", "mar"],
    &["kwiecień", "kwietnia", "kwi"],
    &["maj", "maja"],
    &["czerwiec", "czerwca", "cze"],
    &["lipiec", "lipca", "lip"],
    &["sierpień", "sierpnia", "sie"],
    &["wrzesień", "września", "wrz"],
    &["październik", "października", "paź"],
    &["listopad", "listopada", "lis"],
    &["grudzień", "grudnia", "gru"],
];

pub(super) static RUSSIAN: Months = [
    &["январь", "января", "янв"],
    &["февраль", "февраля", "фев", "февр"],
    &["март", "марта", "мар"],
    &["апрель", "апреля", "апр"],
    &["май", "мая"],
    &["июнь", "июня", "июн"],
    &["июль", "июля", "июл"],
    &["август", "августа", "авг"],
    &["сентябрь", "сентября", "сен", "сент"],
    &["октябрь", "октября", "окт"],
    &["ноябрь", "ноября", "ноя", "нояб"],
    &["декабрь", "декабря", "дек"],
];

/// Danish and Norwegian.
pub(super) static DANISH: Months = [
    &["januar", "jan"],
    &["februar", "feb"],
    &["marts", "mars", "mar"],
    &["april", "apr"],
    &["maj", "mai"],
    &["juni", "jun"],
    &["juli", "jul"],
    &["august", "aug"],
    &["september", "sep", "sept"],
    &["oktober", "okt"],
    &["november", "nov"],
    &["december", "desember", "dec", "des"],
];

pub(super) static SWEDISH: Months = [
    &["januari", "jan"],
    &["februari", "feb"],
    &["mars", "mar"],
    &["april", "apr"],
    &["maj"],
    &["juni", "jun"],
    &["juli", "jul"],
    &["augusti", "aug"],
    &["september", "sep", "sept"],
    &["oktober", "okt"],
    &["november", "nov"],
    &["december", "dec"],
];

pub(super) static TURKISH: Months = [
    &["ocak", "oca"],
    &["şubat", "şub"],
    &["mart", "mar"],
    &["nisan", "nis"],
    &["mayıs", "may"],
    &["haziran", "haz"],
    &["temmuz", "tem"],
    &["ağustos", "ağu"],
    &["eylül", "eyl"],
    &["ekim", "eki"],
    &["kasım", "kas"],
    &["aralık", "ara"],
];
