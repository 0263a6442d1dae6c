//! Facts about [`super::JsonLines`]: what arrives, when, and what a failure leaves behind.

use std::cell::RefCell;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::rc::Rc;

use super::super::{PartNames, Parts};
use super::*;

/// A disk that is full after so many bytes, and a log of the write calls.
#[derive(Debug, Default, Clone)]
struct Disk(Rc<RefCell<State>>);

#[derive(Debug, Default)]
struct State {
    content: Vec<u8>,
    writes: Vec<usize>,
    room: usize,
    /// Bytes taken by one call at most; 0 for all.
    gulp: usize,
    interruptions: usize,
}

impl Disk {
    fn with_room(room: usize) -> Disk {
        let disk = Disk::default();
        disk.0.borrow_mut().room = room;
        disk
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.borrow().content.clone()).unwrap()
    }
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.borrow_mut();
        if state.interruptions > 0 {
            state.interruptions -= 1;
            return Err(ErrorKind::Interrupted.into());
        }
        let gulp = if state.gulp == 0 { usize::MAX } else { state.gulp };
        let count = bytes.len().min(state.room).min(gulp);
        if count == 0 {
            return Err(ErrorKind::StorageFull.into());
        }
        state.room -= count;
        state.writes.push(count);
        state.content.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Destination for Disk {
    fn take_back(&mut self, bytes: u64) {
        let mut state = self.0.borrow_mut();
        let length = state.content.len() - usize::try_from(bytes).unwrap();
        state.content.truncate(length);
    }
}

#[test]
fn lines_wait_for_company_and_go_out_in_one_write() {
    let disk = Disk::with_room(1000);
    let now = Instant::now();
    let mut lines = Lines::new(disk.clone());
    assert_eq!(lines.due, None);
    lines.write(b"1\n", now).unwrap();
    lines.write(b"2\n3\n", now).unwrap();
    assert!(lines.due.is_some());
    lines.flush().unwrap();
    assert_eq!((disk.text().as_str(), lines.due), ("1\n2\n3\n", None));
    assert_eq!(disk.0.borrow().writes, [6]);
}

#[test]
fn the_patience_counts_from_the_first_line_that_waits() {
    let now = Instant::now();
    let mut lines = Lines::new(Disk::with_room(1000));
    lines.write(b"1\n", now).unwrap();
    lines.write(b"2\n", now + PATIENCE / 2).unwrap();
    assert_eq!(lines.due, Some(now + PATIENCE));
}

#[test]
fn a_write_after_the_patience_ended_takes_all_along() {
    let disk = Disk::with_room(1000);
    let now = Instant::now();
    let mut lines = Lines::new(disk.clone());
    lines.write(b"1\n", now).unwrap();
    lines.write(b"2\n", now + PATIENCE).unwrap();
    assert_eq!((disk.text().as_str(), lines.due), ("1\n2\n", None));
}

#[test]
fn the_buffer_is_bounded_and_never_splits_a_line() {
    let disk = Disk::with_room(usize::MAX);
    let now = Instant::now();
    let mut lines = Lines::new(disk.clone());
    let line = [vec![b'x'; 29_999], vec![b'\n']].concat();
    for _ in 0..3 {
        lines.write(&line, now).unwrap();
    }
    assert_eq!(disk.0.borrow().writes, [60_000]);
    let long = [vec![b'y'; 2 * BUFFER_MAX], vec![b'\n']].concat();
    lines.write(&long, now).unwrap();
    assert_eq!(disk.0.borrow().writes, [60_000, 30_000, 2 * BUFFER_MAX + 1]);
    assert!(lines.buffer.capacity() <= BUFFER_MAX && lines.due.is_none());
}

#[test]
fn short_and_interrupted_writes_lose_nothing() {
    let disk = Disk::with_room(1000);
    disk.0.borrow_mut().gulp = 3;
    disk.0.borrow_mut().interruptions = 2;
    let now = Instant::now();
    let mut lines = Lines::new(disk.clone());
    lines.write(b"{\"a\":1}\n{\"b\":2}\n", now).unwrap();
    lines.flush().unwrap();
    assert_eq!(disk.text(), "{\"a\":1}\n{\"b\":2}\n");
}

#[test]
fn wherever_the_disk_fills_up_only_whole_lines_stay() {
    for room in 0..12 {
        let disk = Disk::with_room(room);
        let now = Instant::now();
        let mut lines = Lines::new(disk.clone());
        lines.write(b"one\ntwo\nsix\n", now).unwrap();
        assert_eq!(lines.flush().unwrap_err().kind(), ErrorKind::StorageFull);
        assert_eq!(disk.text(), "one\ntwo\n"[..room / 4 * 4], "room for {room}");
    }
}

#[test]
fn nothing_is_written_after_a_failure() {
    let disk = Disk::with_room(2);
    let now = Instant::now();
    let mut lines = Lines::new(disk.clone());
    lines.write(b"1\n2\n", now).unwrap();
    lines.flush().unwrap_err();
    disk.0.borrow_mut().room = 100;
    lines.write(b"3\n", now).unwrap_err();
    lines.flush().unwrap_err();
    drop(lines);
    assert_eq!(disk.text(), "1\n");
}

#[test]
fn lines_that_were_ready_survive_a_drop() {
    let disk = Disk::with_room(100);
    let now = Instant::now();
    let mut lines = Lines::new(disk.clone());
    lines.write(b"1\n", now).unwrap();
    drop(lines);
    assert_eq!(disk.text(), "1\n");
}

fn run(target: &Target, lines: &[u8]) -> Result<(), OutputError> {
    let mut output = JsonLines::open(target)?;
    output.write(lines)?;
    output.finish()
}

fn file(folder: &tempfile::TempDir, content: &str) -> std::path::PathBuf {
    let path = folder.path().join("pages.jsonl");
    fs::write(&path, content).unwrap();
    path
}

#[test]
fn append_makes_the_file_and_adds_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.jsonl");
    run(&Target::Append(path.clone()), b"1\n").unwrap();
    run(&Target::Append(path.clone()), b"2\n").unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), "1\n2\n");
}

#[test]
fn half_a_line_is_kept_and_never_glued_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "1\n{\"ha");
    let output = JsonLines::open(&Target::Append(path.clone())).unwrap();
    assert!(output.ended_mid_line());
    output.finish().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "1\n{\"ha", "a run without records changes nothing");
    run(&Target::Append(path.clone()), b"2\n3\n").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "1\n{\"ha\n2\n3\n");
}

#[test]
fn half_a_line_is_not_glued_to_a_line_larger_than_the_buffer() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "ha");
    let long = [vec![b'y'; 2 * BUFFER_MAX], vec![b'\n']].concat();
    run(&Target::Append(path.clone()), &long).unwrap();
    assert!(fs::read_to_string(&path).unwrap().starts_with("ha\nyy"));
}

#[test]
fn replace_empties_the_file_when_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "old\n");
    run(&Target::Replace(path.clone()), b"new\n").unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), "new\n");
}

#[test]
fn lines_are_out_when_they_are_due_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "");
    let mut output = JsonLines::open(&Target::Append(path.clone())).unwrap();
    output.write(b"1\n").unwrap();
    let due = output.due().unwrap();
    output.flush_if_due(due - Duration::from_millis(1)).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "");
    output.flush_if_due(due).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "1\n");
    assert_eq!(output.due(), None);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_device_is_a_full_disk() {
    for target in [Target::Append("/dev/full".into()), Target::Replace("/dev/full".into())] {
        let error = run(&target, b"1\n").unwrap_err();
        assert!(matches!(&error, OutputError::Write { to, .. } if to == "/dev/full"));
        assert_eq!(error.hint().unwrap(), "make room on the disk");
    }
    run(&Target::Replace("/dev/null".into()), b"1\n").unwrap();
}

fn make_fifo(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

#[test]
fn a_fifo_is_a_target_and_a_gone_reader_a_broken_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fifo");
    make_fifo(&path);
    let reader = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut line = String::new();
            BufReader::new(fs::File::open(path).unwrap()).read_line(&mut line).unwrap();
            line
        }
    });
    let mut output = JsonLines::open(&Target::Append(path)).unwrap();
    output.write(b"1\n").unwrap();
    output.flush().unwrap();
    assert_eq!(reader.join().unwrap(), "1\n");
    output.write(b"2\n").unwrap();
    assert!(matches!(output.flush(), Err(OutputError::BrokenPipe)));
}

#[test]
fn wherever_the_disk_fills_up_only_whole_pieces_stay() {
    let one = Compression::Gzip.pack(b"one\n").unwrap().len();
    for room in [0, 1, one - 1, one, one + 1] {
        let disk = Disk::with_room(room);
        let mut lines = Lines::new(disk.clone());
        lines.compression = Some(Compression::Gzip);
        lines.write(b"one\n", Instant::now()).unwrap();
        let _ = lines.end();
        lines.write(b"two\n", Instant::now()).ok();
        let _ = lines.end();
        let expected = if room < one { 0 } else { one };
        assert_eq!(disk.0.borrow().content.len(), expected, "room for {room}");
    }
}

#[test]
fn compressed_lines_wait_for_a_piece_and_not_for_a_time() {
    let disk = Disk::with_room(usize::MAX);
    let mut lines = Lines::new(disk.clone());
    lines.compression = Some(Compression::Zstd);
    let line = [vec![b'x'; PIECE / 2], vec![b'\n']].concat();
    lines.write(&line, Instant::now()).unwrap();
    lines.flush().unwrap();
    assert!(lines.due.is_none() && disk.0.borrow().content.is_empty());
    lines.write(&line, Instant::now()).unwrap();
    assert_eq!(disk.0.borrow().writes.len(), 1);
}

#[test]
fn compressed_files_are_appended_to_if_they_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    for (name, compression) in [("a.gz", Compression::Gzip), ("a.zst", Compression::Zstd)] {
        let path = folder.path().join(name);
        let target = Target::Append(path.clone());
        run(&target, b"1\n").unwrap();
        run(&target, b"2\n").unwrap();
        let both = [compression.pack(b"1\n").unwrap(), compression.pack(b"2\n").unwrap()].concat();
        assert_eq!(fs::read(&path).unwrap(), both);
        for wrong in [&both[..both.len() - 1], b"{}\n"] {
            fs::write(&path, wrong).unwrap();
            let error = run(&target, b"3\n").unwrap_err();
            assert!(matches!(&error, OutputError::NotCompressed { what, .. } if *what == compression.name()));
            assert!(error.hint().unwrap().contains("-O"));
            assert_eq!(fs::read(&path).unwrap(), wrong);
        }
        run(&Target::Replace(path.clone()), b"3\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), compression.pack(b"3\n").unwrap());
    }
}

/// Writes the lines into parts, each handed over alone or all at once, and gives what the parts hold by name.
fn rotate(
    folder: &tempfile::TempDir,
    replaces: bool,
    lines: &[&str],
) -> Result<Vec<(String, String)>, OutputError> {
    let names = PartNames::parse(folder.path().join("{part:02}").to_str().unwrap()).unwrap();
    let mut output = JsonLines::open(&Target::Parts(Parts { names, most_bytes: 6, replaces }))?;
    for line in lines {
        output.write(line.as_bytes())?;
    }
    output.finish()?;
    let mut found: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap())
        })
        .collect();
    found.sort();
    Ok(found)
}

fn named(parts: &[(&str, &str)]) -> Vec<(String, String)> {
    parts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn parts_end_between_lines_and_hold_no_more_than_they_may_but_for_one_long_line() {
    for lines in
        [&["a\n", "bb\n", "ccccccc\n", "d\n", "e\n", "f\n", "g\n"][..], &["a\nbb\nccccccc\nd\ne\nf\ng\n"]]
    {
        let folder = tempfile::tempdir().unwrap();
        let found = rotate(&folder, true, lines).unwrap();
        assert_eq!(
            found,
            named(&[("01", "a\nbb\n"), ("02", "ccccccc\n"), ("03", "d\ne\nf\n"), ("04", "g\n")])
        );
    }
}

#[test]
fn appending_begins_behind_all_parts_and_replacing_removes_them() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["01", "02", "other", "3"] {
        fs::write(folder.path().join(name), "old\n").unwrap();
    }
    let others = [("3", "old\n"), ("other", "old\n")];
    let old = [("01", "old\n"), ("02", "old\n"), ("03", "new\n")];
    assert_eq!(rotate(&folder, false, &["new\n"]).unwrap(), named(&[&old[..], &others].concat()));
    assert_eq!(
        rotate(&folder, true, &["new\n"]).unwrap(),
        named(&[&[("01", "new\n")], &others[..]].concat())
    );
}

#[test]
fn parts_behind_a_gap_are_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("01"), "old\n").unwrap();
    fs::write(folder.path().join("20240501"), "a day\n").unwrap();
    let error = rotate(&folder, true, &["new\n"]).unwrap_err();
    assert!(error.to_string().contains("20240501 on: ") && error.to_string().ends_with("02 is missing"));
    assert_eq!(fs::read_to_string(folder.path().join("01")).unwrap(), "old\n");
}

#[test]
fn a_part_that_another_made_meanwhile_is_not_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let names = PartNames::parse(folder.path().join("{part}").to_str().unwrap()).unwrap();
    let second = names.path(2);
    let mut output = JsonLines::open(&Target::Parts(Parts { names, most_bytes: 2, replaces: true })).unwrap();
    fs::write(&second, "foreign").unwrap();
    output.write(b"1\n2\n").unwrap();
    let error = output.flush().unwrap_err();
    assert!(error.to_string().starts_with(&format!("cannot write to {}: ", second.display())), "{error}");
    assert!(error.hint().unwrap().contains("move it away"));
    drop(output);
    assert_eq!(fs::read_to_string(second).unwrap(), "foreign");
}

#[test]
fn a_run_whose_half_line_was_taken_back_can_be_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let target = Target::Append(folder.path().join("out"));
    let note = folder.path().join("note");
    let mut output = JsonLines::open(&target).unwrap();
    output.keep_note(&note).unwrap();
    output.write(b"1\n").unwrap();
    let position = output.mark().unwrap().position().clone();
    output.write(b"2\n").unwrap();
    output.flush().unwrap();
    // A disk that takes a line in three bites, and fills up with the fourth.
    for bite in [b"3", b"3", b"3"] {
        output.lines.destination.write_all(bite).unwrap();
    }
    output.lines.destination.take_back(3);
    let path = folder.path().join("out");
    assert_eq!(fs::read_to_string(&path).unwrap(), "1\n2\n");
    for (text, is_ours) in [("1\n2\n", true), ("1\nx\n", false), ("1\n2\n3\n", false)] {
        fs::write(&path, text).unwrap();
        assert_eq!(JsonLines::resume(&target, &position, Some(&note)).is_ok(), is_ours, "{text}");
        if is_ours {
            assert_eq!(fs::read_to_string(&path).unwrap(), "1\n");
        }
        fs::write(&path, "1\n2\n").unwrap();
        // Going on has noted its cut.
        output.lines.destination.take_back(0);
    }
}
