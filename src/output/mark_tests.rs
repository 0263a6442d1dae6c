//! Facts about marks: what they notice, and what they are not for.

use std::fs::OpenOptions;
use std::io::Write;

use super::super::{JsonLines, Target};
use super::*;

/// An output that was marked behind its first line, with the mark.
fn marked(folder: &tempfile::TempDir) -> (JsonLines, Mark, PathBuf) {
    let path = folder.path().join("out.jsonl");
    let mut output = JsonLines::open(&Target::Append(path.clone())).unwrap();
    output.keep_note(&folder.path().join("note")).unwrap();
    output.write(b"1\n").unwrap();
    let mark = output.mark().unwrap();
    (output, mark, path)
}

#[test]
fn a_mark_is_synced_elsewhere_while_writing_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (mut output, mark, path) = marked(&folder);
    assert_eq!(mark.position().end.length, 2);
    output.write(b"2\n").unwrap();
    output.flush().unwrap();
    std::thread::spawn(move || mark.sync().unwrap()).join().unwrap();
    output.mark().unwrap().sync().unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), "1\n2\n");
}

#[test]
fn a_file_that_is_removed_renamed_or_replaced_is_noticed() {
    type Harm = fn(&Path);
    let harms: [Harm; 3] = [
        |path| fs::remove_file(path).unwrap(),
        |path| fs::rename(path, path.with_extension("moved")).unwrap(),
        |path| {
            fs::write(path.with_extension("new"), "1\n").unwrap();
            fs::rename(path.with_extension("new"), path).unwrap();
        },
    ];
    for harm in harms {
        let folder = tempfile::tempdir().unwrap();
        let (mut output, mark, path) = marked(&folder);
        harm(&path);
        assert!(matches!(mark.sync(), Err(OutputError::Removed(found)) if found == path));
        assert!(matches!(output.mark().unwrap().sync(), Err(OutputError::Removed(_))));
    }
}

#[test]
fn a_file_that_is_cut_is_noticed_even_if_it_has_grown_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut output, mark, path) = marked(&folder);
    OpenOptions::new().write(true).truncate(true).open(&path).unwrap();
    assert!(matches!(mark.sync(), Err(OutputError::Cut { length: 0, expected: 2, .. })));
    output.write(b"two\n").unwrap();
    let error = output.mark().unwrap_err();
    assert!(matches!(error, OutputError::Cut { length: 4, expected: 6, .. }));
    assert!(error.hint().unwrap().contains("--fresh"));
}

#[test]
fn another_writer_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut output, _, path) = marked(&folder);
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b"foreign\n").unwrap();
    assert!(matches!(output.mark(), Err(OutputError::Shared { length: 10, expected: 2, .. })));
}

#[test]
fn finished_parts_may_be_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let names = super::super::PartNames::parse(folder.path().join("{part}").to_str().unwrap()).unwrap();
    let first = names.path(1);
    let parts = super::super::Parts { names, most_bytes: 2, replaces: true };
    let mut output = JsonLines::open(&Target::Parts(parts)).unwrap();
    output.keep_note(&folder.path().join("note")).unwrap();
    output.write(b"1\n2\n").unwrap();
    let mark = output.mark().unwrap();
    assert_eq!((mark.position().end.part, mark.position().end.length), (2, 2));
    assert_eq!(mark.finished.len(), 1);
    fs::remove_file(first).unwrap();
    mark.sync().unwrap();
}

#[test]
fn what_is_no_file_has_no_position() {
    let folder = tempfile::tempdir().unwrap();
    let mut output = JsonLines::open(&Target::Append("/dev/null".into())).unwrap();
    assert!(!output.is_file());
    output.keep_note(&folder.path().join("note")).unwrap();
    output.write(b"1\n").unwrap();
    let mark = output.mark().unwrap();
    mark.sync().unwrap();
    assert_eq!(*mark.position(), Position::default());
    assert!(!mark.position().is_in_file());
    JsonLines::resume(&Target::Stdout, mark.position(), None).unwrap();
}

#[test]
fn after_a_failed_write_there_are_no_marks() {
    let mut output = JsonLines::open(&Target::Append("/dev/full".into())).unwrap();
    output.write(b"1\n").unwrap();
    assert!(output.mark().is_err());
    assert!(output.mark().is_err());
}
