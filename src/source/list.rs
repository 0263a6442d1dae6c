//! Lists of URLs: a file or standard input, one URL on each line, or a JSON object with one.
//!
//! Blank lines and those that begin with `#` are passed over. A line that gives no request is a failed page and keeps
//! its number; the list goes on behind it. Does not know how lines come here; see [`Lines`].

use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value as Json;
use url::Url;

use super::address::{AddressError, parse_address};
use super::lines::{Line, LineError, Lines, Polled, SplitLines};
use super::message::MessageTemplate;
use crate::model::{Carried, Drawn, PageError, Request, RequestId, SourcePosition, Unmade};

/// The key of a JSON line that the request is made of.
const URL_KEY: &str = "url";

/// A list that is still to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListFile {
    /// Standard input.
    Stdin,
    /// A file, or something that can be read like one.
    File(PathBuf),
}

impl ListFile {
    /// The list of that name; `-` is standard input.
    pub fn named(name: &str) -> ListFile {
        if name == "-" { ListFile::Stdin } else { ListFile::File(PathBuf::from(name)) }
    }

    /// Finds out whether it can be read, without reading.
    ///
    /// # Errors
    /// In words, why not.
    pub fn check(&self) -> Result<(), String> {
        let ListFile::File(path) = self else { return Ok(()) };
        let metadata = path.metadata().map_err(|error| error.to_string())?;
        if metadata.is_dir() {
            return Err("this is a directory".to_owned());
        }
        // To open a pipe is to wait for who writes to it.
        if metadata.is_file() {
            File::open(path).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Whether reading may have to wait: for a pipe, a terminal, a socket.
    pub fn may_wait(&self) -> bool {
        match self {
            ListFile::Stdin => true,
            ListFile::File(path) => !path.metadata().is_ok_and(|metadata| metadata.is_file()),
        }
    }

    /// The lines of a file that does not wait, opened when the first one is asked for.
    pub fn lines(&self) -> impl Lines + use<> {
        let path = match self {
            ListFile::Stdin => PathBuf::from("/dev/stdin"),
            ListFile::File(path) => path.clone(),
        };
        FileLines { path, open: None, is_over: false }
    }
}

/// As people are told.
impl fmt::Display for ListFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListFile::Stdin => f.write_str("standard input"),
            ListFile::File(path) => path.display().fmt(f),
        }
    }
}

/// A file, opened late: hundreds of them need not be open at once.
struct FileLines {
    path: PathBuf,
    open: Option<SplitLines<BufReader<File>>>,
    is_over: bool,
}

impl Lines for FileLines {
    fn poll(&mut self) -> Polled {
        if self.is_over {
            return Polled::End;
        }
        if self.open.is_none() {
            match File::open(&self.path) {
                Ok(file) => self.open = Some(SplitLines::new(BufReader::new(file))),
                Err(error) => {
                    self.is_over = true;
                    let content = Err(LineError::Broken(error.to_string()));
                    return Polled::Line(Line { number: 1, content });
                }
            }
        }
        let polled = self.open.as_mut().map_or(Polled::End, Lines::poll);
        if polled == Polled::End {
            (self.is_over, self.open) = (true, None);
        }
        polled
    }
}

/// Why a line gives no request. Its text is not repeated: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum NoRequest {
    #[error("{error}{}", .error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default())]
    Address { error: AddressError },
    #[error(transparent)]
    Line(#[from] LineError),
    #[error("begins with a brace but is not JSON: {0}")]
    NotJson(String),
    #[error("the JSON has no `{URL_KEY}`")]
    NoUrl,
    #[error("`{URL_KEY}` is not a text")]
    UrlIsNoText,
}

impl From<AddressError> for NoRequest {
    fn from(error: AddressError) -> NoRequest {
        NoRequest::Address { error }
    }
}

/// Reads what one line asks for; `None` if it asks for nothing.
fn read_line(text: &str) -> Result<Option<(Url, Option<Carried>)>, NoRequest> {
    let text = text.trim();
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    if !text.starts_with('{') {
        return Ok(Some((parse_address(text)?, None)));
    }
    let mut carried: Carried =
        serde_json::from_str(text).map_err(|error| NoRequest::NotJson(error.to_string()))?;
    let url = match carried.shift_remove(URL_KEY) {
        Some(Json::String(url)) => parse_address(&url)?,
        Some(_) => return Err(NoRequest::UrlIsNoText),
        None => return Err(NoRequest::NoUrl),
    };
    Ok(Some((url, (!carried.is_empty()).then_some(carried))))
}

/// The requests of lists, one list after the other.
pub struct ListRequests {
    lists: std::vec::IntoIter<(String, Box<dyn Lines>)>,
    current: Option<(String, Box<dyn Lines>)>,
    message: Option<MessageTemplate>,
    first: u64,
    next: u64,
    end: u64,
    read: ReadLines,
    /// The line of what the last draw gave, which does not count as read before the next one.
    last: Option<Line>,
    /// Where an earlier run came to, as long as these lists have not shown to be the same up to there.
    resume: Option<SourcePosition>,
}

/// Lines that were read: how many, and what they were.
#[derive(Debug, Clone, Default)]
struct ReadLines {
    count: u64,
    hasher: blake3::Hasher,
}

impl ReadLines {
    fn add(&mut self, line: &Line) {
        self.count += 1;
        // A line feed ends a line, and is in none.
        match &line.content {
            Ok(text) => self.hasher.update(text.as_bytes()),
            Err(error) => self.hasher.update(b"\n").update(error.to_string().as_bytes()),
        };
        self.hasher.update(b"\n");
    }
}

impl ListRequests {
    /// The requests of `lists`, which are named for people, with the ids from `next` on and below `end`.
    pub(super) fn new(
        lists: Vec<(String, Box<dyn Lines>)>,
        message: Option<MessageTemplate>,
        next: u64,
        end: u64,
    ) -> ListRequests {
        ListRequests {
            lists: lists.into_iter(),
            current: None,
            message,
            first: next,
            next,
            end,
            read: ReadLines::default(),
            last: None,
            resume: None,
        }
    }

    /// Goes on where an earlier run came to: the lines up to there are read, and must be what they were.
    pub fn resume_at(&mut self, position: SourcePosition) {
        self.next = self.first.max(position.drawn);
        self.resume = (position.lines > 0).then_some(position);
    }

    /// How far the lists have been read; `with_last` with what the last draw gave. Lists that are not those of the
    /// earlier run, or not yet, are where that run came to: a run that ends there leaves the next one as it found it.
    pub fn position(&self, with_last: bool) -> SourcePosition {
        if let Some(resume) = self.resume {
            return resume;
        }
        let mut read = self.read.clone();
        if with_last {
            self.last.iter().for_each(|line| read.add(line));
        }
        let drawn = self.next - u64::from(!with_last && self.last.is_some());
        SourcePosition { drawn, lines: read.count, hash: *read.hasher.finalize().as_bytes() }
    }

    /// Passes over the line that an earlier run has read; whether that was one.
    ///
    /// # Errors
    /// How the lists differ.
    fn pass_over(&mut self, line: &Line) -> Result<bool, String> {
        let Some(resume) = self.resume else { return Ok(false) };
        self.read.add(line);
        if self.read.count >= resume.lines {
            if *self.read.hasher.finalize().as_bytes() != resume.hash {
                return Err(format!(
                    "the {} lines of the list that were read before are not the same any more",
                    resume.lines
                ));
            }
            self.resume = None;
        }
        Ok(true)
    }

    /// The next request, if it is there by now.
    pub fn draw(&mut self) -> Drawn {
        if let Some(line) = self.last.take() {
            self.read.add(&line);
        }
        while self.next < self.end {
            if self.current.is_none() {
                self.current = self.lists.next();
            }
            let Some((name, lines)) = &mut self.current else {
                return match self.resume {
                    Some(resume) => Drawn::Changed(format!(
                        "the list ends before line {}, up to which it was read before",
                        resume.lines
                    )),
                    None => Drawn::End,
                };
            };
            let line = match lines.poll() {
                Polled::Line(line) => line,
                Polled::NotYet => return Drawn::NotYet,
                Polled::End => {
                    self.current = None;
                    continue;
                }
            };
            let name = name.clone();
            match self.pass_over(&line) {
                Ok(true) => continue,
                Ok(false) => {}
                Err(how) => return Drawn::Changed(how),
            }
            let id = RequestId(self.next);
            let asked = line.content.clone().map_err(NoRequest::from).and_then(|text| read_line(&text));
            let number = line.number;
            let made = match asked {
                // Nothing is left to do about it.
                Ok(None) => {
                    self.read.add(&line);
                    continue;
                }
                Ok(Some((url, carried))) => Ok(request(id, url, carried, self.message.as_ref())),
                Err(error) => Err(Unmade {
                    id,
                    whom: format!("line {number} of {name}"),
                    error: PageError::NoUrl(error.to_string()),
                }),
            };
            self.next += 1;
            self.last = Some(line);
            return Drawn::Next(made);
        }
        Drawn::End
    }
}

impl fmt::Debug for ListRequests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListRequests").field("next", &self.next).finish_non_exhaustive()
    }
}

fn request(id: RequestId, url: Url, carried: Option<Carried>, message: Option<&MessageTemplate>) -> Request {
    let message = message
        .map(|message| message.of_all().expect("a source with lists has a message that is the same for all"));
    Request { message, carried: carried.map(Arc::new), ..Request::new(id, url, None) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw_all(text: &str, end: u64) -> Vec<Result<Request, Unmade>> {
        let lines: Box<dyn Lines> = Box::new(SplitLines::new(std::io::Cursor::new(text.to_owned())));
        let mut requests = ListRequests::new(vec![("urls.txt".to_owned(), lines)], None, 10, end);
        std::iter::from_fn(|| match requests.draw() {
            Drawn::Next(next) => Some(next),
            Drawn::NotYet | Drawn::End | Drawn::Changed(_) => None,
        })
        .collect()
    }

    #[test]
    fn blank_lines_and_comments_are_passed_over_and_white_space_is_cut() {
        let text = "\u{feff}# of today\n\n  http://h/a#b\t\r\n \t\nhttp://h/c";
        let all: Vec<_> = draw_all(text, 99).into_iter().map(Result::unwrap).collect();
        let seen: Vec<_> = all.iter().map(|request| (request.id.0, request.url.as_str())).collect();
        assert_eq!(seen, [(10, "http://h/a#b"), (11, "http://h/c")]);
        assert!(all.iter().all(|request| request.carried.is_none() && request.page.is_none()));
    }

    #[test]
    fn what_stands_beside_the_url_is_carried_in_its_order() {
        let text = r#"{"shelf": "poetry", "url": "http://h/a", "n": {"deep": [1, null]}}"#;
        let request = draw_all(text, 99).remove(0).unwrap();
        assert_eq!(request.url.as_str(), "http://h/a");
        let carried = serde_json::to_string(&*request.carried.unwrap()).unwrap();
        assert_eq!(carried, r#"{"shelf":"poetry","n":{"deep":[1,null]}}"#);
        assert_eq!(draw_all(r#"{"url":"http://h/"}"#, 99).remove(0).unwrap().carried, None);
    }

    #[test]
    fn a_line_that_is_no_request_fails_alone_and_takes_a_number() {
        let text = "h.example/a\nhttp://h/b\n{\"url\": 1}\n{\"u\": 1}\n{x}\n";
        let told = |made: &Result<Request, Unmade>| match made {
            Ok(request) => request.url.to_string(),
            Err(unmade) => format!("{} {}: {}", unmade.id.0, unmade.whom, unmade.error),
        };
        let all: Vec<String> = draw_all(text, 99).iter().map(told).collect();
        let start = |line: u64, id: u64| format!("{id} line {line} of urls.txt: no URL for this page: ");
        assert_eq!(
            all[0],
            start(1, 10) + "not a full URL: no `https://` in front (did you mean https://h.example/a?)"
        );
        assert_eq!(all[1], "http://h/b");
        assert_eq!(all[2], start(3, 12) + "`url` is not a text");
        assert_eq!(all[3], start(4, 13) + "the JSON has no `url`");
        assert!(all[4].contains("begins with a brace but is not JSON"), "{}", all[4]);
    }

    #[test]
    fn a_limit_counts_requests_and_not_lines() {
        assert_eq!(draw_all("http://h/a\n\n#\nhttp://h/b\nhttp://h/c", 12).len(), 2);
    }

    #[test]
    fn lines_that_are_not_there_yet_are_waited_for() {
        struct Later(Vec<Polled>);
        impl Lines for Later {
            fn poll(&mut self) -> Polled {
                self.0.pop().unwrap_or(Polled::End)
            }
        }
        let line = |number| Polled::Line(Line { number, content: Ok("http://h/".to_owned()) });
        let slow: Box<dyn Lines> = Box::new(Later(vec![line(2), Polled::NotYet, line(1)]));
        let mut requests = ListRequests::new(vec![("-".to_owned(), slow)], None, 0, 99);
        assert!(matches!(requests.draw(), Drawn::Next(Ok(_))));
        assert!(matches!(requests.draw(), Drawn::NotYet));
        assert!(matches!(requests.draw(), Drawn::Next(Ok(_))));
        assert!(matches!(requests.draw(), Drawn::End));
    }

    #[test]
    fn lists_follow_each_other_and_one_that_cannot_be_opened_is_one_failure() {
        let lists: Vec<(String, Box<dyn Lines>)> = vec![
            ("gone".to_owned(), Box::new(ListFile::named("/nowhere/list").lines())),
            ("here".to_owned(), Box::new(SplitLines::new(&b"http://h/"[..]))),
        ];
        let mut requests = ListRequests::new(lists, None, 0, 99);
        assert!(matches!(requests.draw(), Drawn::Next(Err(unmade)) if unmade.whom == "line 1 of gone"));
        assert!(matches!(requests.draw(), Drawn::Next(Ok(request)) if request.id.0 == 1));
        assert!(matches!(requests.draw(), Drawn::End));
    }

    fn lists_of(text: &str) -> ListRequests {
        let lines: Box<dyn Lines> = Box::new(SplitLines::new(std::io::Cursor::new(text.to_owned())));
        ListRequests::new(vec![("urls.txt".to_owned(), lines)], None, 10, 99)
    }

    fn url(drawn: Drawn) -> String {
        match drawn {
            Drawn::Next(Ok(request)) => request.url.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_list_goes_on_at_any_position_with_or_without_what_was_drawn_last() {
        let text = "#\nhttp://h/a\n\nhttp://h/b\nbad\nhttp://h/c\n";
        let rest = |at: SourcePosition| {
            let mut lists = lists_of(text);
            lists.resume_at(at);
            assert_eq!(lists.position(true), at, "before anything was read");
            let all: Vec<String> = std::iter::from_fn(|| match lists.draw() {
                Drawn::Next(Ok(request)) => Some(format!("{} {}", request.id.0, request.url)),
                Drawn::Next(Err(unmade)) => Some(format!("{} {}", unmade.id.0, unmade.whom)),
                _ => None,
            })
            .collect();
            assert!(matches!(lists.draw(), Drawn::End));
            all.join(", ")
        };
        let all = "10 http://h/a, 11 http://h/b, 12 line 5 of urls.txt, 13 http://h/c";
        let mut lists = lists_of(text);
        assert_eq!(rest(lists.position(true)), all);
        let mut left = all;
        for _ in 0..3 {
            lists.draw();
            assert_eq!(rest(lists.position(false)), left);
            left = left.split_once(", ").unwrap().1;
            assert_eq!(rest(lists.position(true)), left);
        }
        lists.draw();
        assert_eq!(rest(lists.position(true)), "");
    }

    #[test]
    fn lines_without_a_request_count_as_read_at_once() {
        let mut lists = lists_of("#\n\nhttp://h/a\n\n#");
        lists.draw();
        assert_eq!((lists.position(false).lines, lists.position(true).lines), (2, 3));
        assert!(matches!(lists.draw(), Drawn::End));
        assert_eq!((lists.position(false).lines, lists.position(true).lines), (5, 5));
        assert_eq!(lists.position(true).drawn, 11);
    }

    #[test]
    fn a_list_that_is_another_one_is_not_gone_on_with() {
        let mut lists = lists_of("http://h/a\nhttp://h/b\nhttp://h/c");
        lists.draw();
        lists.draw();
        let at = lists.position(true);
        for (text, expected) in [
            ("http://h/a\nhttp://h/x\nhttp://h/c", "Changed(\"the 2 lines"),
            ("http://h/a\n", "Changed(\"the list ends before line 2"),
            ("", "Changed(\"the list ends before line 2"),
            ("http://h/a\nhttp://h/b\nhttp://h/new", "http://h/new"),
        ] {
            let mut other = lists_of(text);
            other.resume_at(at);
            let told = url(other.draw());
            assert!(told.starts_with(expected), "{told}");
            if told.starts_with("Changed") {
                assert_eq!(
                    (other.position(true), other.position(false)),
                    (at, at),
                    "the next run checks it, too"
                );
                assert!(url(other.draw()).starts_with("Changed"));
            }
        }
    }

    #[test]
    fn a_directory_and_what_is_not_there_are_told_before_anything_is_read() {
        assert!(ListFile::named("/nowhere/list").check().is_err());
        assert_eq!(ListFile::named("/").check(), Err("this is a directory".to_owned()));
        assert_eq!(ListFile::named("-").check(), Ok(()));
    }
}
