//! One URL template and the values of its variables: a request for each combination, the last variable fastest.
//!
//! Owns how a template and its variables fit together, and the request at each place. Knows nothing of other templates.

use super::SourceError;
use super::message::MessageTemplate;
use super::names::Names;
use super::template::{PageUrlError, Template, place_of};
use super::variable::{PAGE, Value, Variable};
use crate::model::{Request, RequestId};

/// The requests of a template.
#[derive(Debug, Clone)]
pub struct Grid {
    template: Template,
    message: Option<MessageTemplate>,
    names: Names,
    /// The variables that template and message use, with their places among the names.
    axes: Vec<(usize, Variable)>,
}

/// A template and variables that do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GridMistake {
    /// The template asks for a page number and no range was given.
    #[error("the {} has `{{page}}` but no pages are given", if *.in_body { "body" } else { "URL" })]
    PagesMissing {
        /// Whether it is the body that asks.
        in_body: bool,
    },
    /// Behind a variable without an end, the one before it never comes to its second value.
    #[error("`{open}` has no end, so `{before}` never comes to its second value")]
    OpenInside {
        /// The variable without an end.
        open: String,
        /// The one before it.
        before: String,
    },
    /// The first request has no URL.
    #[error("{0}")]
    FirstUrl(PageUrlError),
}

impl GridMistake {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            GridMistake::PagesMissing { .. } => Some("say which, as in `--pages 0-9`".into()),
            GridMistake::OpenInside { open, .. } => {
                Some(format!("give `{open}` an end, or write its --var before all others"))
            }
            GridMistake::FirstUrl(error) => error.hint(),
        }
    }
}

impl Grid {
    /// The requests of `template`, which say `message` beside their URL: one for each combination of the values of
    /// those `variables` that either of the two uses. Both were read with the names of these variables.
    ///
    /// # Errors
    /// When pages are missing, or the first request has no URL or body.
    pub fn new(
        template: Template,
        message: Option<MessageTemplate>,
        variables: &[Variable],
    ) -> Result<Grid, GridMistake> {
        let mut used = template.variables();
        used.extend(message.iter().flat_map(MessageTemplate::variables));
        used.sort_unstable();
        used.dedup();
        // `page` is a name even if nobody gave pages.
        if used.last().is_some_and(|place| *place >= variables.len()) {
            return Err(GridMistake::PagesMissing { in_body: !template.uses_page() });
        }
        let axes: Vec<_> = used.into_iter().map(|place| (place, variables[place].clone())).collect();
        if let Some(pair) = axes.windows(2).find(|pair| pair[1].1.len().is_none()) {
            let (before, open) = (pair[0].1.name().to_owned(), pair[1].1.name().to_owned());
            return Err(GridMistake::OpenInside { open, before });
        }
        let grid = Grid { template, message, names: Names::of(variables), axes };
        match grid.request(RequestId(0), 0) {
            Some(Err(error)) => Err(GridMistake::FirstUrl(error.reason)),
            _ => Ok(grid),
        }
    }

    /// The template as it was written.
    pub fn template(&self) -> &str {
        self.template.text()
    }

    /// A URL with the host of all requests; `None` if the host is calculated.
    pub fn fixed_host(&self) -> Option<url::Url> {
        self.template.fixed_host()
    }

    /// How many requests there are, `u64::MAX` if there are more; `None` without an end.
    #[expect(clippy::len_without_is_empty, reason = "a grid always has a request")]
    pub fn len(&self) -> Option<u64> {
        self.axes
            .iter()
            .try_fold(1_u64, |product, (_, variable)| Some(product.saturating_mul(variable.len()?)))
    }

    /// The values at `index`, by the places of the names; `None` behind the last.
    fn values(&self, index: u64) -> Option<Vec<Value<'_>>> {
        // What no template looks at has any value.
        let mut values = vec![Value::Number(0); self.names.len()];
        let mut rest = index;
        for (number, (place, variable)) in self.axes.iter().enumerate().rev() {
            // Only the first may have no end, and takes all that is left.
            let index = match variable.len() {
                Some(length) if number > 0 => {
                    let index = rest % length;
                    rest /= length;
                    index
                }
                _ => std::mem::take(&mut rest),
            };
            values[*place] = variable.at(index)?;
        }
        (rest == 0).then_some(values)
    }

    /// The request at `index`, which gets the number `id`; `None` behind the last.
    pub(super) fn request(&self, id: RequestId, index: u64) -> Option<Result<Request, SourceError>> {
        let values = self.values(index)?;
        let page = self.axes.iter().find(|(_, variable)| variable.name() == PAGE);
        let page = page.and_then(|(place, _)| match values[*place] {
            Value::Number(number) => Some(number),
            _ => None,
        });
        let url = self.template.url(&values);
        let message = self.message.as_ref().map(|message| message.at(&values)).transpose();
        Some(match url.and_then(|url| Ok((url, message?))) {
            Ok((url, message)) => Ok(Request { message, ..Request::new(id, url, page) }),
            Err(reason) => {
                let places: Vec<usize> = self.axes.iter().map(|(place, _)| *place).collect();
                Err(SourceError { id, whom: place_of(&self.names, &places, &values), reason })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn grid(template: &str, variables: &[&str]) -> Result<Grid, GridMistake> {
        let variables: Vec<_> = variables.iter().map(|text| Variable::parse(text).unwrap()).collect();
        Grid::new(Template::parse(template, &Names::of(&variables)).unwrap(), None, &variables)
    }

    fn urls(template: &str, variables: &[&str]) -> Vec<String> {
        let grid = grid(template, variables).unwrap();
        let all = (0..grid.len().unwrap()).map(|i| grid.request(RequestId(i), i).unwrap().unwrap());
        let urls = all.map(|request| request.url.to_string()).collect();
        assert!(grid.request(RequestId(0), grid.len().unwrap()).is_none());
        urls
    }

    #[test]
    fn a_template_that_names_the_page_needs_pages_and_another_takes_none() {
        let mistake = grid("http://h/{page}", &[]).unwrap_err();
        assert_eq!(mistake.to_string(), "the URL has `{page}` but no pages are given");
        assert_eq!(grid("http://h/", &["page=1-3"]).unwrap().len(), Some(1));
    }

    #[test]
    fn variables_are_combined_and_the_last_is_fastest_wherever_it_stands_in_the_url() {
        assert_eq!(
            urls("http://h/{n*10}?q={q}", &["q=a b,c", "n=1-2"]),
            ["http://h/10?q=a%20b", "http://h/20?q=a%20b", "http://h/10?q=c", "http://h/20?q=c"]
        );
        assert_eq!(urls("http://h/{q}", &["q=a,b", "n=1-9"]), ["http://h/a", "http://h/b"]);
    }

    #[test]
    fn words_are_encoded_for_their_place_unless_they_are_wanted_raw() {
        assert_eq!(urls("http://h/{q}?q={q}", &["q=a/b&c"]), ["http://h/a%2Fb%26c?q=a%2Fb%26c"]);
        assert_eq!(urls("http://h/{q!r}", &["q=a/b"]), ["http://h/a/b"]);
    }

    #[test]
    fn days_are_written_as_in_iso_8601_or_in_a_format() {
        let days = ["d=2024-02-29..2024-03-01"];
        assert_eq!(urls("http://h/{d}", &days), ["http://h/2024-02-29", "http://h/2024-03-01"]);
        assert_eq!(urls("http://h/{d:%Y/%m/%d}", &days), ["http://h/2024/02/29", "http://h/2024/03/01"]);
    }

    #[test]
    fn a_page_is_known_to_its_request_and_a_billion_cost_nothing() {
        let grid = grid("http://h/{q}/{page}", &["q=a,b", "page=1-1000000000"]).unwrap();
        assert_eq!(grid.len(), Some(2_000_000_000));
        let request = grid.request(RequestId(9), 1_999_999_999).unwrap().unwrap();
        assert_eq!((request.url.as_str(), request.page), ("http://h/b/1000000000", Some(1_000_000_000)));
    }

    #[test]
    fn only_the_first_variable_may_have_no_end() {
        let open = grid("http://h/{page}/{q}", &["page=1-", "q=a,b"]).unwrap();
        assert_eq!(open.len(), None);
        assert_eq!(open.request(RequestId(0), 3).unwrap().unwrap().url.as_str(), "http://h/2/b");
        let mistake = grid("http://h/{page}/{q}", &["q=a,b", "page=1-"]).unwrap_err();
        assert_eq!(mistake.to_string(), "`page` has no end, so `q` never comes to its second value");
    }

    #[test]
    fn slips_in_names_say_what_was_meant() {
        let variables = [Variable::parse("word=a").unwrap(), Variable::parse("d=2024-01-01").unwrap()];
        let names = Names::of(&variables);
        let slip = |text: &str| Template::parse(text, &names).unwrap_err();
        assert_eq!(slip("http://h/{words}").hint.unwrap(), "did you mean `word`?");
        assert_eq!(slip("http://h/{word*2}").at, 14);
        assert_eq!(
            slip("http://h/{2*word}").message,
            "`word` is not a number, and cannot be calculated with"
        );
        assert!(slip("http://h/{d:%Q!}").message.starts_with("this is no format of a day"));
        assert_eq!(slip("http://h/{word:%Y}").at, 14);
    }

    #[test]
    fn the_first_url_is_checked_at_once() {
        let mistake = grid("h.example/{page}", &["page=5-9"]).unwrap_err();
        assert_eq!(mistake.hint().unwrap(), "did you mean https://h.example/5?");
        let mistake = grid("http://h/{9/page}", &["page=0-9"]).unwrap_err();
        assert!(matches!(mistake, GridMistake::FirstUrl(PageUrlError::Expand(_))));
    }

    proptest! {
        #[test]
        fn every_combination_comes_once(a in 1..5_u32, b in 1..5_u32, c in 1..5_u32) {
            let variables = [format!("a=1-{a}"), format!("b=1-{b}"), format!("c=1-{c}")];
            let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
            let all = urls("http://h/{a}/{b}/{c}", &variables);
            let expected: Vec<String> = (1..=a)
                .flat_map(|a| (1..=b).flat_map(move |b| (1..=c).map(move |c| format!("http://h/{a}/{b}/{c}"))))
                .collect();
            prop_assert_eq!(all, expected);
        }
    }
}
