//! Expressions asked for line by line: `pagemill try` without any. The only user of rustyline.
//!
//! On a terminal lines are edited and kept in a history; from a pipe they are read as they come, so that a script or a
//! test can ask too.

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;

use rustyline::error::ReadlineError;
use rustyline::{Config, DefaultEditor};

use super::lines::cut;
use super::matches::Expression;
use super::save::toml_of;
use super::trial::{Report, Trial};
use super::try_page::{Asked, load, show};
use super::{plural, say};
use crate::extract::{Field, parse_field};
use crate::html;
use crate::job::Job;
use crate::mistake::Mistake;
use crate::written::{Place, Written};

const HELP: &str = "\
An XPath, css:SELECTOR or json:PATH shows what it finds on the page, or inside the first records once :each is set.
  :each XPATH         what a record is; without XPATH, the page again
  :field NAME=XPATH   add a field; NAME[]= for all matches, NAME:TYPE= for a type
  :record             the first records, as a crawl writes them
  :page N | URL       another page
  :save [FILE]        the job as TOML, printed or written to a new file
  :help, :quit        this text; the end, as Ctrl-D";

const MOST_HISTORY: usize = 1000;

/// Where lines come from.
pub(super) trait Lines {
    /// The next line, without its end; `None` when there are no more.
    fn next(&mut self, prompt: &str) -> Option<String>;
}

/// The lines of the terminal, or of whatever standard input is.
pub(super) fn lines() -> Box<dyn Lines> {
    let is_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let editor = if is_terminal { Editor::new() } else { None };
    match editor {
        Some(editor) => {
            show(&["Type an XPath to see what it finds, :help for more, Ctrl-D to leave.".to_owned()]);
            Box::new(editor)
        }
        None => Box::new(Plain(std::io::stdin().lock())),
    }
}

/// Lines as they come.
struct Plain<R>(R);

impl<R: BufRead> Lines for Plain<R> {
    fn next(&mut self, _: &str) -> Option<String> {
        let mut line = Vec::new();
        // What cannot be read is the end.
        let count = self.0.read_until(b'\n', &mut line).unwrap_or(0);
        (count > 0).then(|| String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
    }
}

/// Lines edited on a terminal.
struct Editor {
    editor: DefaultEditor,
    history: Option<PathBuf>,
}

impl Editor {
    /// `None` on a terminal that cannot be edited on.
    fn new() -> Option<Editor> {
        let config = Config::builder().auto_add_history(true).max_history_size(MOST_HISTORY).ok()?.build();
        let mut editor = DefaultEditor::with_config(config).ok()?;
        let history = history_file(|name| std::env::var_os(name).map(PathBuf::from));
        if let Some(file) = &history {
            // The first time there is none.
            let _ = editor.load_history(file);
        }
        Some(Editor { editor, history })
    }
}

impl Lines for Editor {
    fn next(&mut self, prompt: &str) -> Option<String> {
        loop {
            match self.editor.readline(prompt) {
                Ok(line) => return Some(line),
                // Ctrl-C drops the line, as in shells.
                Err(ReadlineError::Interrupted) => {}
                Err(_) => return None,
            }
        }
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        // A history that cannot be kept is no reason to complain at the end.
        if let Some(file) = &self.history
            && file.parent().is_some_and(|folder| std::fs::create_dir_all(folder).is_ok())
        {
            let _ = self.editor.append_history(file);
        }
    }
}

/// Where the history is kept (XDG Base Directory Specification): a relative path in `XDG_STATE_HOME` does not count.
fn history_file(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let folder = |name| variable(name).filter(|path| path.is_absolute());
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")))?;
    Some(state.join("pagemill/history"))
}

/// Answers lines until there are no more.
pub(super) fn run(lines: &mut dyn Lines, asked: Asked, job: Job, trial: Trial, reader: html::Reader) {
    let mut session = Session { asked, job, trial, reader };
    while let Some(line) = lines.next(&session.prompt()) {
        let line = line.trim();
        if line == ":quit" || line == ":q" {
            break;
        }
        session.answer(line);
    }
}

struct Session {
    asked: Asked,
    job: Job,
    trial: Trial,
    reader: html::Reader,
}

impl Session {
    fn prompt(&self) -> String {
        match &self.job.rule().each {
            Some(each) => format!("{} × {}> ", self.trial.count_records(&self.job), cut(&each.text(), 30)),
            None => "page> ".to_owned(),
        }
    }

    fn answer(&mut self, line: &str) {
        let Some(command) = line.strip_prefix(':') else {
            if !line.is_empty() {
                self.look_for(line);
            }
            return;
        };
        let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let rest = rest.trim();
        match name {
            "each" => self.set_each(rest),
            "field" | "f" => self.add_field(rest),
            "record" | "records" | "r" => self.show_records(),
            "page" | "p" => self.turn(rest),
            "save" => self.save(rest),
            "help" | "h" | "?" => show(&[HELP.to_owned()]),
            _ => say(&format!("there is no :{name}; :help tells what there is")),
        }
    }

    fn look_for(&self, text: &str) {
        match Expression::parse(text, &self.job.start_rule().namespaces) {
            Ok(expression) => {
                show(&self.trial.look_for(&self.job, &expression).lines);
            }
            Err(slip) => say(&Mistake::from_slip("expression", text, slip).to_string()),
        }
    }

    /// Takes another state of things if a job can be made of it.
    fn change(&mut self, asked: Asked) -> bool {
        match asked.job() {
            Ok(job) => {
                job.warnings().iter().for_each(|warning| say(&format!("warning: {warning}")));
                match self.trial.suit(&job) {
                    Ok(true) => show(&self.trial.describe()),
                    Ok(false) => {}
                    Err(error) => {
                        say(&format!("this page is {error}"));
                        return false;
                    }
                }
                self.asked = asked;
                self.job = job;
                true
            }
            Err(mistakes) => {
                mistakes.iter().for_each(|mistake| say(&mistake.to_string()));
                false
            }
        }
    }

    fn set_each(&mut self, text: &str) {
        let mut asked = self.asked.clone();
        asked.job.flags.remove("each");
        if !text.is_empty() {
            let written = Written { text: text.to_owned(), place: Place::Argument(":each") };
            asked.job.flags.insert("each", vec![written]);
        }
        if self.change(asked)
            && let Some(each) = &self.job.rule().each
        {
            show(&self.trial.look_at_each(&self.job, each).lines);
        }
    }

    fn add_field(&mut self, text: &str) {
        let mut asked = self.asked.clone();
        let written = Written { text: text.to_owned(), place: Place::Argument(":field") };
        asked.job.flags.entry("field").or_default().push(written);
        if !self.change(asked) {
            return;
        }
        // A field of the same name was replaced where it stood; it is the one of this expression.
        let name = parse_field(text).map(|field| field.name).unwrap_or_default();
        let field = self.job.rule().fields.iter().find(|field| field.name == name);
        if let Some(finding) = field.and_then(Field::finding) {
            show(&self.trial.look_for(&self.job, &finding.expression).lines);
        }
    }

    fn show_records(&self) {
        if self.job.rule().fields.is_empty() {
            return say("a record has no fields yet; :field NAME=XPATH adds one");
        }
        show(&self.trial.records(&self.job).lines);
    }

    fn turn(&mut self, to: &str) {
        if to.is_empty() {
            return show(&self.trial.describe());
        }
        let mut asked = self.asked.clone();
        match to.parse() {
            Ok(_) if asked.file.is_some() => return say("a file has no page numbers; say :page URL"),
            Ok(number) => asked.turn_to_number(number),
            Err(_) => asked.turn_to(to),
        }
        let before = self.asked.clone();
        if !self.change(asked) {
            return;
        }
        match load(&self.asked, &self.job, &mut self.reader) {
            Ok(trial) => {
                self.trial = trial;
                show(&self.trial.describe());
            }
            Err(error) => {
                say(&error);
                // It was a job before, so it is one again.
                self.change(before);
            }
        }
    }

    fn save(&self, file: &str) {
        let text = toml_of(&self.asked, &self.job);
        if file.is_empty() {
            return show(&[text.trim_end().to_owned()]);
        }
        let written = std::fs::OpenOptions::new().write(true).create_new(true).open(file);
        match written.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes())) {
            Ok(()) => show(&[format!("written; pagemill crawl -c {file} runs it")]),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                say(&format!("{file} is there already; take another name"));
            }
            Err(error) => say(&format!("cannot write {file}: {error}")),
        }
    }
}

impl Trial {
    fn look_at_each(&self, job: &Job, each: &Expression) -> Report {
        let mut report = self.look_on_page(job, each);
        let count = self.count_records(job);
        if count > 0 {
            report
                .lines
                .push(format!("{} on this page; fields are looked for inside", plural(count, "record")));
        }
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_lines_end_with_the_input_and_lose_their_ends() {
        let mut lines = Plain(&b"//a\r\n\n:quit"[..]);
        let all: Vec<String> = std::iter::from_fn(|| lines.next("> ")).collect();
        assert_eq!(all, ["//a", "", ":quit"]);
    }

    #[test]
    fn the_history_stands_in_the_state_folder() {
        let file = |state: Option<&str>, home: Option<&str>| {
            history_file(|name| (if name == "HOME" { home } else { state }).map(PathBuf::from))
        };
        assert_eq!(file(Some("/s"), Some("/h")), Some("/s/pagemill/history".into()));
        assert_eq!(file(Some("s"), Some("/h")), Some("/h/.local/state/pagemill/history".into()));
        assert_eq!(file(None, None), None);
    }
}
