//! Yes and no as people and programs write them.

/// Whether `text` says yes; `None` if it says neither.
pub(super) fn parse_bool(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "true" | "yes" | "y" | "1" | "on" | "ja" | "oui" | "sí" | "si" | "sì" | "sim" | "да" | "是"
        | "真" | "はい" | "예" | "✓" | "✔" | "☑" => Some(true),
        "false" | "no" | "n" | "0" | "off" | "nein" | "non" | "não" | "нет" | "nee" | "nej" | "否" | "假"
        | "いいえ" | "아니요" | "✗" | "✘" | "☐" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yes_and_no_in_several_languages() {
        for text in ["true", "TRUE", " Yes ", "y", "1", "on", "是", "ja", "oui", "✓"] {
            assert_eq!(parse_bool(text), Some(true), "{text}");
        }
        for text in ["false", "No", "n", "0", "OFF", "否", "nein", "non", "нет"] {
            assert_eq!(parse_bool(text), Some(false), "{text}");
        }
        for text in ["", "maybe", "2", "in stock", "null", "truey"] {
            assert_eq!(parse_bool(text), None, "{text}");
        }
    }
}
