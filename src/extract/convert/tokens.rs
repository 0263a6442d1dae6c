//! A written date in pieces: numbers, words, marks.

/// A piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Figures, and how many there were.
    Number {
        /// How many.
        digits: usize,
        /// What they say; of more than nine only the number matters, no date has them.
        value: u32,
    },
    /// Letters, made small.
    Word(String),
    /// Anything else but white space; 年, 月, 日 and the like too.
    Mark(char),
}

impl Token {
    /// Whether it is a number of four digits.
    pub(super) fn is_year(&self) -> bool {
        matches!(self, Token::Number { digits: 4, .. })
    }

    pub(super) fn year(&self) -> Option<i16> {
        match self {
            Token::Number { digits: 4, value } => i16::try_from(*value).ok(),
            _ => None,
        }
    }

    pub(super) fn day_or_month(&self) -> Option<i8> {
        match self {
            Token::Number { digits: 1 | 2, value } => i8::try_from(*value).ok(),
            _ => None,
        }
    }
}

/// Takes `text` apart. What stands in parentheses is left out, and so is the day of the week in Chinese.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let text = text.to_lowercase().replace("a.m.", "am").replace("p.m.", "pm");
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(c) = rest.chars().next() {
        let end = |belongs: fn(char) -> bool| rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        let length = match c {
            '0'..='9' => {
                let digits = end(|c| c.is_ascii_digit());
                let value = rest[..digits.min(9)].parse().unwrap_or(u32::MAX);
                tokens.push(Token::Number { digits, value });
                digits
            }
            '(' | '（' => rest.find([')', '）']).map_or(rest.len(), |at| at + at_char(rest, at)),
            '周' | '週' => skipped(rest, 2),
            '星' => skipped(rest, 3),
            '時' | '时' | '点' | '點' => {
                tokens.push(Token::Mark(':'));
                c.len_utf8()
            }
            '分' => {
                // `8时05分30秒`, but not the 分 at the end.
                if rest.chars().nth(1).is_some_and(|next| next.is_ascii_digit()) {
                    tokens.push(Token::Mark(':'));
                }
                c.len_utf8()
            }
            '秒' => c.len_utf8(),
            '年' | '月' | '日' | '号' | '號' | '년' | '월' | '일' => {
                tokens.push(Token::Mark(c));
                c.len_utf8()
            }
            c if c.is_alphabetic() => {
                let letters = end(|c| c.is_alphabetic() && !matches!(c, '年' | '月' | '日'));
                tokens.push(Token::Word(rest[..letters].to_owned()));
                letters
            }
            mark => {
                tokens.push(Token::Mark(if mark == '，' { ',' } else { mark }));
                mark.len_utf8()
            }
        };
        rest = rest[length..].trim_start();
    }
    tokens
}

/// Bytes of the character at `at`.
fn at_char(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(0, char::len_utf8)
}

/// Bytes of the first `count` characters.
fn skipped(text: &str, count: usize) -> usize {
    text.char_indices().nth(count).map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(digits: usize, value: u32) -> Token {
        Token::Number { digits, value }
    }

    #[test]
    fn a_date_comes_apart() {
        let word = |text: &str| Token::Word(text.to_owned());
        assert_eq!(tokens("20th Nov."), [number(2, 20), word("th"), word("nov"), Token::Mark('.')]);
        assert_eq!(
            tokens("2026年1月(金) 周五 8时05分"),
            [
                number(4, 2026),
                Token::Mark('年'),
                number(1, 1),
                Token::Mark('月'),
                number(1, 8),
                Token::Mark(':'),
                number(2, 5)
            ]
        );
        assert_eq!(tokens("(never closed"), []);
        assert_eq!(tokens("（金）x"), [word("x")]);
        assert_eq!(tokens("7 P.M."), [number(1, 7), word("pm")]);
    }
}
