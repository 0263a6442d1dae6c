//! What else may happen to a run and to what it leaves: full disks, damage, files that others touch, two runs at once.
//!
//! After each of it there is the right file or an error that says what to do; never a wrong file, a panic or a hang.

#![allow(clippy::print_stdout, reason = "figures for whoever runs it by hand")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::kill::{Luck, Told, copy_folder, number, wait};
use crate::support::{LONG, Reply, Server, TempDir, pagemill, run, signal, temp_dir};

/// Pages of the site.
const PAGES: u64 = 120;

/// So many come before the server says nothing more.
const FIRST: u64 = 70;

/// What an older run left in the file.
const OLDER: &str = "{\"older\":1}\n";

/// How a run ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    said: String,
}

/// A site, and a folder with an output and its state.
struct Place {
    server: Server,
    folder: TempDir,
    /// Whether the pages behind the first come, too.
    is_open: Arc<AtomicBool>,
}

impl Place {
    /// With an output of an older run.
    fn new() -> Place {
        let is_open = Arc::new(AtomicBool::new(true));
        let opens = Arc::clone(&is_open);
        let server = Server::start(|site| {
            site.handle(move |hit| {
                let page: u64 = hit.path[1..].parse().expect("a page has a number");
                match opens.load(Ordering::SeqCst) || page < FIRST {
                    true => Reply::page(format!("<p>{page} {}</p>", "long ".repeat(300))),
                    false => Reply::silence(),
                }
            });
        });
        let place = Place { server, folder: temp_dir(), is_open };
        fs::write(place.output(), OLDER).unwrap();
        place
    }

    /// As [`Place::new`], with a run that was killed after the first pages.
    fn with_killed_run() -> Place {
        let place = Place::new();
        let mut child = place.start_first_pages(&[]);
        // So that there are some commits.
        std::thread::sleep(Duration::from_millis(500));
        child.kill().unwrap();
        child.wait().unwrap();
        place.is_open.store(true, Ordering::SeqCst);
        place
    }

    /// As [`Place::new`], with a run that was interrupted after the first pages.
    fn with_stopped_run() -> Place {
        let place = Place::new();
        let child = place.start_first_pages(&[]);
        place.stop(&child);
        assert_eq!(place.ended(child).code, Some(130));
        place.is_open.store(true, Ordering::SeqCst);
        place
    }

    /// Two signals, so that it does not wait for what is under way.
    fn stop(&self, child: &Child) {
        signal(child, "INT");
        // Two in a row may arrive as one.
        std::thread::sleep(Duration::from_millis(50));
        signal(child, "INT");
    }

    /// A run under way that has written the first pages, and waits for the others.
    fn start_first_pages(&self, more: &[&str]) -> Child {
        self.is_open.store(false, Ordering::SeqCst);
        let child = self.start(more);
        self.wait_for_lines(FIRST);
        child
    }

    fn wait_for_lines(&self, count: u64) {
        let end = Instant::now() + LONG;
        while (self.lines().len() as u64) < count {
            assert!(Instant::now() < end, "the first pages do not come: {}", self.said());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn output(&self) -> PathBuf {
        self.path("out.jsonl")
    }

    fn state(&self) -> PathBuf {
        self.path("out.jsonl.pagemill")
    }

    fn command(&self, more: &[&str]) -> Command {
        let url = self.server.url("/{page}");
        let pages = format!("0-{}", PAGES - 1);
        let output = self.output();
        let mut arguments = vec!["crawl", &url, "-p", &pages, "-f", "p=//p", "-j", "4", "--throttle", "off"];
        arguments.extend(["--no-progress", "--retry-delay", "1ms"]);
        if !more.contains(&"-O") {
            arguments.extend(["-o", output.to_str().unwrap()]);
        }
        pagemill(arguments.iter().chain(more))
    }

    fn spawn(&self, command: &mut Command) -> Child {
        let said = fs::File::create(self.path("stderr")).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said).spawn().unwrap()
    }

    fn start(&self, more: &[&str]) -> Child {
        self.spawn(&mut self.command(more))
    }

    fn said(&self) -> String {
        fs::read_to_string(self.path("stderr")).unwrap_or_default()
    }

    fn ended(&self, mut child: Child) -> Ended {
        let status = wait(&mut child, LONG).unwrap_or_else(|| panic!("it hangs: {}", self.said()));
        Ended { code: status.code(), said: self.said() }
    }

    fn run(&self, more: &[&str]) -> Ended {
        self.ended(self.start(more))
    }

    /// Runs under a limit for the size of files, in blocks of 512 bytes.
    fn run_with_files_of(&self, blocks: u64, more: &[&str]) -> Ended {
        let command = self.command(more);
        let mut limited = Command::new("sh");
        limited.args(["-c", &format!("ulimit -f {blocks}; exec \"$0\" \"$@\"")]);
        limited.arg(command.get_program()).args(command.get_args()).env_clear();
        limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let ran = run(&mut limited);
        Ended { code: ran.code, said: ran.stderr }
    }

    /// Whole lines behind those of the older run.
    fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(self.output()).unwrap_or_default();
        let whole = &text[..text.rfind('\n').map_or(0, |at| at + 1)];
        whole.strip_prefix(OLDER).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// All is there once, behind what was there before, and no state.
    fn assert_whole(&self, how: &str) {
        let text = fs::read_to_string(self.output()).unwrap();
        assert!(text.starts_with(OLDER) && text.ends_with('\n'), "{how}");
        assert_eq!(self.numbers(), (0..PAGES).collect::<Vec<_>>(), "{how}");
        assert!(!self.state().exists(), "{how}");
    }

    /// The numbers of the pages that were written, sorted.
    fn numbers(&self) -> Vec<u64> {
        let number = |line: &String| line["{\"p\":\"".len()..].split(' ').next()?.parse().ok();
        let mut numbers: Vec<u64> = self.lines().iter().map(|line| number(line).unwrap()).collect();
        numbers.sort_unstable();
        numbers
    }

    /// The same command again makes it whole.
    fn assert_goes_on(&self, how: &str) {
        let ended = self.run(&[]);
        assert_eq!(ended.code, Some(0), "{how}: {}", ended.said);
        self.assert_whole(how);
    }
}

/// It has failed in good order, and said something of this.
fn assert_refused(ended: &Ended, code: i32, of: &[&str]) {
    assert_eq!(ended.code, Some(code), "{}", ended.said);
    assert!(ended.said.contains("error: ") && !ended.said.contains("panicked"), "{}", ended.said);
    for word in of {
        assert!(ended.said.contains(word), "no `{word}` in: {}", ended.said);
    }
}

#[test]
fn after_a_full_disk_the_same_command_completes_the_file() {
    let mut refused = 0;
    for blocks in [0, 1, 8, 40, 90, 150, 200, 300] {
        let place = Place::new();
        let ended = place.run_with_files_of(blocks, &[]);
        if ended.code != Some(0) {
            assert_refused(&ended, 1, &["cannot write", "hint"]);
            assert!(fs::read_to_string(place.output()).unwrap().ends_with('\n'), "half a line at {blocks}");
            refused += 1;
            // Once more without room.
            let ended = place.run_with_files_of(blocks, &[]);
            assert_refused(&ended, 1, &["cannot write"]);
        }
        match ended.code {
            Some(0) => place.assert_whole("it had room"),
            _ => place.assert_goes_on(&format!("{blocks} blocks")),
        }
    }
    assert!(refused > 4, "{refused}");
}

#[test]
fn a_device_that_is_full_is_told() {
    let place = Place::new();
    let state = place.path("state");
    let ended = place.run(&["-O", "/dev/full", "--state", state.to_str().unwrap()]);
    assert_refused(&ended, 1, &["/dev/full", "hint"]);
}

/// Every file in a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}

/// Damages a file, and says how.
fn damage(path: &Path, luck: &mut Luck) -> String {
    let mut bytes = fs::read(path).unwrap();
    // Stores make room ahead: where nothing is written yet, nothing can be damaged.
    let length = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1) as u64;
    let kind = luck.below(6);
    let said = match (kind, length) {
        (0, _) => {
            fs::remove_file(path).unwrap();
            return format!("{} removed", path.display());
        }
        (1, _) => {
            let kept = luck.below(length + 1);
            bytes.truncate(kept as usize);
            format!("cut to {kept}")
        }
        (2, _) => {
            bytes.extend((0..1 + luck.below(40)).map(|_| luck.below(256) as u8));
            "something added".to_owned()
        }
        (3, 1..) => {
            let from = luck.below(length) as usize;
            let to = (from + 1 + luck.below(200) as usize).min(length as usize);
            bytes[from..to].fill(0);
            format!("zeros from {from} to {to}")
        }
        (_, 1..) => {
            let places: Vec<u64> = (0..1 + luck.below(4)).map(|_| luck.below(length)).collect();
            for &at in &places {
                bytes[at as usize] ^= 1 << luck.below(8);
            }
            format!("bits flipped at {places:?}")
        }
        _ => {
            bytes.push(7);
            "a byte added".to_owned()
        }
    };
    fs::write(path, bytes).unwrap();
    format!("{} of {length}: {said}", path.display())
}

#[test]
fn a_state_that_is_damaged_is_told_or_does_no_harm() {
    let place = Place::with_killed_run();
    let (output, state) = (fs::read(place.output()).unwrap(), place.path("kept"));
    copy_folder(&place.state(), &state);
    let seed = number("PAGEMILL_TEST_SEED", 20);
    let (mut right, mut refused) = (0, 0);
    for round in 0..number("PAGEMILL_TEST_DAMAGES", 60) {
        let _ = fs::remove_dir_all(place.state());
        copy_folder(&state, &place.state());
        fs::write(place.output(), &output).unwrap();
        let mut luck = Luck((seed * 1_000_000 + round).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        luck.below(2);
        let all = files(&place.state());
        let how = damage(&all[luck.below(all.len() as u64) as usize], &mut luck);
        let told = Told(format!("PAGEMILL_TEST_SEED={seed}, round {round}: {how}"));
        let ended = place.run(&[]);
        match ended.code {
            Some(0) => {
                place.assert_whole(&how);
                right += 1;
            }
            code => {
                assert!(matches!(code, Some(1 | 2)), "{code:?} {}", ended.said);
                assert_refused(&ended, code.unwrap(), &["hint", place.output().to_str().unwrap()]);
                refused += 1;
                // Start over: either that takes out what the run has written, or it says that it cannot.
                let ended = place.run(&["--fresh"]);
                match ended.code {
                    Some(0) => place.assert_whole(&how),
                    _ => {
                        assert_refused(&ended, 1, &["hint"]);
                        assert!(place.lines().len() as u64 >= FIRST, "nothing is taken out by half");
                        let ended = place.run(&["--fresh", "-O", place.output().to_str().unwrap()]);
                        assert_eq!(ended.code, Some(0), "{}", ended.said);
                        assert_eq!(fs::read_to_string(place.output()).unwrap().lines().count() as u64, PAGES);
                    }
                }
            }
        }
        drop(told);
    }
    // Of the manifest in particular: without it, nothing would say that this was a state.
    let _ = fs::remove_dir_all(place.state());
    copy_folder(&state, &place.state());
    fs::write(place.output(), &output).unwrap();
    fs::remove_file(place.state().join("manifest.json")).unwrap();
    assert_refused(&place.run(&[]), 1, &["manifest.json is missing", "hint"]);
    println!("{right} right, {refused} refused");
    assert!(right > 0 && refused > 0, "{right} right, {refused} refused");
}

#[test]
fn an_output_that_others_touch_during_the_run_ends_it_and_nothing_is_lost() {
    let moved = |place: &Place| fs::rename(place.output(), place.path("moved")).unwrap();
    let removed = |place: &Place| fs::remove_file(place.output()).unwrap();
    let cut = |place: &Place| {
        let file = fs::OpenOptions::new().write(true).open(place.output()).unwrap();
        file.set_len(OLDER.len() as u64 + 100).unwrap();
    };
    for (name, touch) in [("moved", &moved as &dyn Fn(&Place)), ("removed", &removed), ("cut", &cut)] {
        let place = Place::new();
        let child = place.start(&["--rate", "100/s"]);
        place.wait_for_lines(30);
        touch(&place);
        let ended = place.ended(child);
        assert_refused(&ended, 1, &["out.jsonl", "hint"]);
        assert!((place.server.hits().len() as u64) < PAGES, "{name}: it is noticed at once");
        assert!(place.state().exists(), "{name}");
        let ended = place.run(&[]);
        assert_refused(&ended, 1, &["cannot go on", "out.jsonl", "hint"]);
        if name == "moved" {
            fs::rename(place.path("moved"), place.output()).unwrap();
            place.assert_goes_on(name);
        }
    }
}

#[test]
fn an_output_that_was_changed_between_two_runs_is_refused_and_left_alone() {
    let write = |place: &Place, bytes: &[u8]| fs::write(place.output(), bytes).unwrap();
    for (name, is_longer) in
        [("missing", false), ("empty", false), ("shorter", false), ("changed", false), ("longer", true)]
    {
        let place = Place::with_stopped_run();
        let before = fs::read(place.output()).unwrap();
        match name {
            "missing" => fs::remove_file(place.output()).unwrap(),
            "empty" => write(&place, b""),
            "shorter" => write(&place, &before[..OLDER.len() + 20]),
            "changed" => {
                let mut bytes = before.clone();
                let at = bytes.len() - 1000;
                bytes[at] ^= 1;
                write(&place, &bytes);
            }
            _ => write(&place, &[&before[..], b"{\"mine\":1}\n"].concat()),
        }
        let touched = fs::read(place.output()).ok();
        let ended = place.run(&[]);
        assert_refused(&ended, 1, &["cannot go on", "out.jsonl", "hint"]);
        assert_eq!(fs::read(place.output()).ok(), touched, "{name}: it is left alone");
        assert_eq!(is_longer, ended.said.contains("did not write"), "{name}: {}", ended.said);
        write(&place, &before);
        place.assert_goes_on(name);
    }
}

#[test]
fn a_state_that_is_removed_during_the_run_is_told() {
    let place = Place::new();
    let child = place.start_first_pages(&[]);
    fs::remove_dir_all(place.state()).unwrap();
    place.stop(&child);
    let ended = place.ended(child);
    assert_refused(&ended, 1, &["removed", "out.jsonl.pagemill", "hint"]);
}

#[test]
fn a_folder_that_may_not_be_written_to_is_told() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let place = Place::new();
    // Nothing is forbidden to root.
    if fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
        place.assert_goes_on("root");
        return;
    }
    let only_read =
        |mode| fs::set_permissions(place.folder.path(), fs::Permissions::from_mode(mode)).unwrap();
    let said = fs::File::create(place.path("stderr")).unwrap();
    only_read(0o500);
    let mut command = place.command(&[]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said).spawn().unwrap();
    let status = wait(&mut child, LONG).unwrap();
    only_read(0o700);
    assert_refused(
        &Ended { code: status.code(), said: place.said() },
        1,
        &["out.jsonl.pagemill", "--no-state"],
    );
    place.assert_goes_on("the folder may be written to");
}

#[test]
fn a_second_run_ends_at_once_and_names_the_first() {
    let place = Place::new();
    let mut first = place.start_first_pages(&[]);
    let asked = place.server.hits().len();
    let second = place.run(&[]);
    assert_refused(&second, 75, &[&format!("process {} of this job", first.id()), "out.jsonl.pagemill"]);
    assert_eq!(place.server.hits().len(), asked, "it asks for nothing");
    // A lock goes with the process, however that ends.
    first.kill().unwrap();
    first.wait().unwrap();
    place.is_open.store(true, Ordering::SeqCst);
    place.assert_goes_on("after a kill");
}

#[test]
fn a_run_that_is_out_of_time_ends_with_75_and_the_next_goes_on() {
    let place = Place::new();
    let ended = place.run(&["--max-time", "300ms", "--rate", "100/s"]);
    assert_eq!(ended.code, Some(75), "{}", ended.said);
    assert!(place.state().exists());
    let done = place.lines().len();
    assert!(done > 0 && (done as u64) < PAGES, "{done}");
    let asked = place.server.hits().len();
    place.assert_goes_on("in time");
    assert_eq!(place.server.hits().len() - asked, PAGES as usize - done, "nothing is asked for again");
}

#[test]
fn signals_lose_nothing() {
    for (name, code, times) in [("INT", 130, 1), ("TERM", 143, 1), ("INT", 130, 2), ("TERM", 143, 2)] {
        let place = Place::new();
        let child = match times {
            // After the first, what is under way arrives; here it does.
            1 => {
                let child = place.start(&["--rate", "200/s"]);
                place.server.wait_for_hits(30);
                child
            }
            _ => place.start_first_pages(&[]),
        };
        signal(&child, name);
        if times == 2 {
            // Two signals in a row may arrive as one.
            std::thread::sleep(Duration::from_millis(50));
            signal(&child, name);
        }
        let ended = place.ended(child);
        assert_eq!(ended.code, Some(code), "{}", ended.said);
        assert!(place.state().exists());
        let done = place.lines().len();
        place.is_open.store(true, Ordering::SeqCst);
        let asked = place.server.hits().len();
        place.assert_goes_on(name);
        assert_eq!(place.server.hits().len() - asked, PAGES as usize - done, "nothing is asked for again");
    }
}

#[test]
fn a_job_that_fetches_something_else_is_refused_with_what_differs() {
    let place = Place::with_killed_run();
    let before = place.lines();
    for (more, differs) in [
        (&["-f", "title=//h1"][..], "field"),
        (&["--max-pages", "90"], "max-pages"),
        (&["--ordered"], "ordered"),
        (&["--header", "X-Shop: 2"], "header"),
    ] {
        let ended = place.run(more);
        assert_refused(&ended, 2, &["another job", differs, "--fresh"]);
        assert_eq!(place.lines(), before);
    }
    let ended = place.run(&["--wait", "1ms", "-j", "2", "--retry", "1", "-v", "--no-cookies"]);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    place.assert_whole("at another pace");
}

#[test]
fn fresh_takes_the_lines_of_the_unfinished_run_out_and_no_others() {
    let place = Place::with_killed_run();
    let ended = place.run(&["--fresh"]);
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    place.assert_whole("--fresh");
    assert_eq!(place.server.hits().iter().filter(|hit| hit.path == "/0").count(), 2);
}

#[test]
fn without_a_state_nothing_stands_beside_the_output() {
    let place = Place::new();
    let mut child = place.start_first_pages(&["--no-state"]);
    assert!(!place.state().exists());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!place.state().exists());
}

#[test]
fn a_state_of_a_newer_form_is_refused_by_its_name() {
    let place = Place::with_killed_run();
    let manifest = place.state().join("manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(
        &manifest,
        text.replace("\"form\": 1", "\"form\": 99").replace("\"pagemill\": \"", "\"pagemill\": \"9"),
    )
    .unwrap();
    let ended = place.run(&[]);
    assert_refused(&ended, 1, &["form 99", "written by pagemill 9", "--fresh"]);
    fs::write(&manifest, text).unwrap();
    place.assert_goes_on("the form is ours");
}

#[test]
fn what_a_first_run_has_counted_of_a_shape_counts_when_it_goes_on() {
    let links: String = (0..40).map(|n| format!("<h1>a page</h1><a href='/n/{n}'>x</a>")).collect();
    let server = Server::start(move |site| {
        site.on("/start", Reply::page(links.clone()));
        site.handle(|_| Reply::page("<h1>a page</h1>"));
    });
    let folder = temp_dir();
    let out = folder.path().join("out.jsonl");
    let url = server.url("/start");
    let args = ["-f", "h=//h1", "--follow", "//a", "--max-per-shape", "6", "--rate", "20/s", "-q", "-o"];
    let crawl = |more: &[&str]| {
        let mut command = pagemill(["crawl", &url]);
        command.args(args).arg(&out).args(more);
        run(&mut command)
    };
    assert_eq!(crawl(&["--max-time", "150ms"]).code, Some(75));
    assert_eq!(crawl(&[]).code, Some(0));
    assert_eq!(std::fs::read_to_string(&out).unwrap().lines().count(), 1 + 6);
}

#[test]
fn a_run_whose_cookies_cannot_be_saved_is_not_done_and_writes_nothing_again() {
    let folder = temp_dir();
    let out = folder.path().join("out.jsonl");
    let jars = folder.path().join("jars");
    fs::create_dir(&jars).unwrap();
    let gone = jars.clone();
    let server = Server::start(move |site| {
        site.handle(move |hit| {
            if hit.path == "/4" {
                let _ = fs::remove_dir_all(&gone);
            }
            Reply::page("<h1>a page</h1>")
        });
    });
    let url = server.url("/{page}");
    let crawl = || {
        let mut command = pagemill(["crawl", &url, "-p", "1-4", "-f", "h=//h1", "-q", "--save-cookies"]);
        run(command.arg(jars.join("cookies.txt")).arg("-o").arg(&out))
    };
    assert_eq!(crawl().code, Some(1));
    fs::create_dir(&jars).unwrap();
    assert_eq!(crawl().code, Some(0));
    assert_eq!(fs::read_to_string(&out).unwrap().lines().count(), 4);
    assert!(jars.join("cookies.txt").exists());
}
