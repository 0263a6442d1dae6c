//! Facts about going on after a kill, and about what is refused.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;

use proptest::prelude::*;
use tempfile::TempDir;

use super::super::destination::Parts;
use super::super::parts::PartNames;
use super::super::{Compression, JsonLines, Mark};
use super::*;

fn append(folder: &TempDir) -> Target {
    Target::Append(folder.path().join("out.jsonl"))
}

fn parts(folder: &TempDir, name: &str, most_bytes: u64) -> Target {
    let names = PartNames::parse(folder.path().join(name).to_str().unwrap()).unwrap();
    Target::Parts(Parts { names, most_bytes, replaces: false })
}

fn note_in(folder: &TempDir) -> PathBuf {
    folder.path().join("note")
}

fn begin(folder: &TempDir, target: &Target) -> JsonLines {
    let mut output = JsonLines::open(target).unwrap();
    output.keep_note(&note_in(folder)).unwrap();
    output.mark().unwrap();
    output
}

fn position(mark: &Mark) -> Position {
    mark.sync().unwrap();
    mark.position().clone()
}

fn resume(folder: &TempDir, target: &Target, position: &Position) -> Result<JsonLines, OutputError> {
    JsonLines::resume(target, position, Some(&note_in(folder)))
}

fn add(path: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

fn cut(path: &Path, length: u64) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// All that a target holds, unpacked, part after part.
fn content(target: &Target) -> String {
    let paths: Vec<PathBuf> = match target {
        Target::Parts(parts) => {
            parts.names.existing().unwrap().into_iter().map(|part| parts.names.path(part)).collect()
        }
        target => vec![target.path(0).unwrap()],
    };
    let mut text = String::new();
    for path in paths {
        let file = File::open(&path).unwrap();
        match Compression::of(&path) {
            None => io::BufReader::new(file).read_to_string(&mut text),
            Some(Compression::Gzip) => flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text),
            Some(Compression::Zstd) => {
                unpack_zstd(&fs::read(&path).unwrap()).as_slice().read_to_string(&mut text)
            }
        }
        .unwrap();
    }
    text
}

/// By another library than the one that packs.
fn unpack_zstd(bytes: &[u8]) -> Vec<u8> {
    let mut rest = bytes;
    let mut unpacked = Vec::new();
    while !rest.is_empty() {
        ruzstd::decoding::StreamingDecoder::new(&mut rest).unwrap().read_to_end(&mut unpacked).unwrap();
    }
    unpacked
}

/// A run that kept a position behind `1`, and was killed after it wrote `2` and `3` behind it.
fn killed(folder: &TempDir, target: &Target) -> Position {
    let mut output = begin(folder, target);
    output.write(b"1\n").unwrap();
    let position = position(&output.mark().unwrap());
    output.write(b"2\n").unwrap();
    output.flush().unwrap();
    output.write(b"333\n").unwrap();
    output.flush().unwrap();
    // Nothing is left to be written when this is dropped, so it is as if it had been killed.
    position
}

#[test]
fn what_a_killed_run_wrote_behind_the_position_is_cut_off() {
    for length in 4..=8 {
        let folder = tempfile::tempdir().unwrap();
        let target = append(&folder);
        let path = target.path(0).unwrap();
        fs::write(&path, "old").unwrap();
        let position = killed(&folder, &target);
        assert_eq!(read(&path), "old\n1\n2\n333\n");
        cut(&path, 4 + length);
        let mut output = resume(&folder, &target, &position).unwrap();
        output.write(b"again\n").unwrap();
        output.finish().unwrap();
        assert_eq!(read(&path), "old\n1\nagain\n");
    }
}

#[test]
fn a_run_that_goes_on_before_its_first_line_still_begins_a_line_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let target = append(&folder);
    fs::write(target.path(0).unwrap(), "half").unwrap();
    let position = position(&begin(&folder, &target).mark().unwrap());
    let mut output = resume(&folder, &target, &position).unwrap();
    output.write(b"1\n").unwrap();
    output.finish().unwrap();
    assert_eq!(content(&target), "half\n1\n");
}

#[test]
fn what_is_not_ours_is_refused_and_stays() {
    type Harm = fn(&Path, &Path);
    type Expected = fn(&OutputError) -> bool;
    let longer: Expected = |error| matches!(error, OutputError::Longer { committed: 2, .. });
    let cases: [(&str, Harm, Expected); 11] = [
        (
            "removed",
            |path, _| fs::remove_file(path).unwrap(),
            |error| matches!(error, OutputError::Missing(_)),
        ),
        (
            "cut",
            |path, _| cut(path, 1),
            |error| matches!(error, OutputError::Shorter { length: 1, committed: 2, .. }),
        ),
        (
            "changed",
            |path, _| fs::write(path, "x\n2\n333\n").unwrap(),
            |error| matches!(error, OutputError::Changed(_)),
        ),
        ("added behind the end", |path, _| add(path, b"foreign\n"), longer),
        ("added within the last write", |path, _| fs::write(path, "1\n2\nx\n").unwrap(), longer),
        ("added within an earlier write", |path, _| fs::write(path, "1\nx\n").unwrap(), longer),
        ("cut within an earlier write", |path, _| cut(path, 3), longer),
        ("changed within an earlier write", |path, _| fs::write(path, "1\nx\n333\n").unwrap(), longer),
        ("no note", |_, note| fs::remove_file(note).unwrap(), longer),
        ("half a note", |_, note| cut(note, 700), longer),
        (
            "a damaged note",
            |_, note| {
                OpenOptions::new().write(true).open(note).unwrap().write_all_at(b"x", 530).unwrap();
            },
            longer,
        ),
    ];
    for (name, harm, is_expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let target = append(&folder);
        let path = target.path(0).unwrap();
        let position = killed(&folder, &target);
        harm(&path, &note_in(&folder));
        let before = fs::read(&path).ok();
        let error = resume(&folder, &target, &position).unwrap_err();
        assert!(is_expected(&error), "{name}: {error}");
        assert!(error.hint().unwrap().contains("--fresh"), "{name}");
        assert_eq!(fs::read(&path).ok(), before, "{name}");
    }
}

#[test]
fn a_position_that_the_note_does_not_know_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let target = append(&folder);
    let first = killed(&folder, &target);
    let mut output = JsonLines::open(&target).unwrap();
    output.keep_note(&note_in(&folder)).unwrap();
    drop(output);
    assert!(matches!(resume(&folder, &target, &first), Err(OutputError::Longer { .. })));
}

#[test]
fn behind_a_clean_end_everything_is_foreign() {
    let folder = tempfile::tempdir().unwrap();
    let target = append(&folder);
    let position = killed(&folder, &target);
    assert!(matches!(JsonLines::resume(&target, &position, None), Err(OutputError::Longer { .. })));
    cut(&target.path(0).unwrap(), 2);
    JsonLines::resume(&target, &position, None).unwrap();
}

#[test]
fn after_a_power_cut_whatever_is_behind_the_position_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let target = append(&folder);
    let position = killed(&folder, &target);
    add(&target.path(0).unwrap(), &[0; 100]);
    note::make_foreign(&note_in(&folder));
    resume(&folder, &target, &position).unwrap();
    assert_eq!(content(&target), "1\n");
}

#[test]
fn a_kill_while_the_file_is_cut_back_is_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let target = parts(&folder, "{part}", 4);
    let position = killed(&folder, &target);
    let path = |part| target.path(part).unwrap();
    assert_eq!((read(&path(1)), read(&path(2))), ("1\n2\n".into(), "333\n".into()));
    let verified = verify(&target, &position, None);
    assert!(matches!(verified, Err(OutputError::Longer { .. })));
    // As `cut_back` begins: noted, and the last part is gone.
    let before = End { part: 2, length: 4 };
    note::announce_cut(&note_in(&folder), position.end, before).unwrap();
    fs::remove_file(path(2)).unwrap();
    resume(&folder, &target, &position).unwrap();
    assert_eq!(content(&target), "1\n");
}

#[test]
fn parts_made_since_are_removed_and_foreign_ones_refused() {
    let folder = tempfile::tempdir().unwrap();
    let target = parts(&folder, "{part}", 4);
    let position = killed(&folder, &target);
    let path = |part| target.path(part).unwrap();
    fs::write(path(3), "foreign").unwrap();
    assert!(resume(&folder, &target, &position).is_err());
    assert_eq!(content(&target), "1\n2\n333\nforeign");
    fs::remove_file(path(3)).unwrap();
    resume(&folder, &target, &position).unwrap().keep_note(&note_in(&folder)).unwrap();
    assert_eq!(content(&target), "1\n");
    fs::write(path(2), "foreign").unwrap();
    assert!(
        matches!(resume(&folder, &target, &position), Err(OutputError::ForeignPart(found)) if found == path(2))
    );
}

#[test]
fn a_part_that_was_announced_and_not_made_is_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let target = parts(&folder, "{part}", 4);
    let mut output = begin(&folder, &target);
    output.write(b"1\n").unwrap();
    let position = position(&output.mark().unwrap());
    output.write(b"2\n").unwrap();
    output.flush().unwrap();
    let mut note = note::Note::begin(&note_in(&folder), position.end).unwrap();
    note.wrote(b"2\n");
    note.announce_part(2).unwrap();
    resume(&folder, &target, &position).unwrap();
    assert_eq!(content(&target), "1\n");
}

#[test]
fn starting_over_takes_back_what_the_run_wrote_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let target = append(&folder);
    let path = target.path(0).unwrap();
    fs::write(&path, "old\n").unwrap();
    let position = killed(&folder, &target);
    add(&path, b"foreign\n");
    let (mut output, is_taken_back) =
        JsonLines::restart(&target, &position, Some(&note_in(&folder))).unwrap();
    assert!(!is_taken_back);
    output.write(b"new\n").unwrap();
    output.finish().unwrap();
    assert_eq!(read(&path), "old\n1\n2\n333\nforeign\nnew\n");

    fs::write(&path, "old\n").unwrap();
    let position = killed(&folder, &target);
    let (_, is_taken_back) = JsonLines::restart(&target, &position, Some(&note_in(&folder))).unwrap();
    assert!(is_taken_back);
    assert_eq!(read(&path), "old\n");
}

#[test]
fn starting_over_takes_back_parts_from_where_the_run_began() {
    let folder = tempfile::tempdir().unwrap();
    let target = parts(&folder, "{part}", 2);
    fs::write(target.path(1).unwrap(), "o\n").unwrap();
    let position = killed(&folder, &target);
    assert_eq!(content(&target), "o\n1\n2\n333\n");
    let (mut output, is_taken_back) =
        JsonLines::restart(&target, &position, Some(&note_in(&folder))).unwrap();
    assert!(is_taken_back);
    output.write(b"n\n").unwrap();
    output.finish().unwrap();
    assert_eq!(content(&target), "o\nn\n");
}

/// What a run does.
#[derive(Debug, Clone)]
enum Deal {
    /// Hands over a line of about so many bytes.
    Line(usize),
    Flush,
    /// Makes a mark, which is kept or not.
    Mark(bool),
}

fn deals() -> impl Strategy<Value = Vec<Deal>> {
    let deal = prop_oneof![
        6 => prop_oneof![9 => 0..200_usize, 1 => 0..100_000_usize].prop_map(Deal::Line),
        1 => Just(Deal::Flush),
        3 => any::<bool>().prop_map(Deal::Mark),
    ];
    proptest::collection::vec(deal, 0..40)
}

/// A line by its number, which nothing repeats.
fn line(number: usize, length: usize) -> String {
    let noise: String = (0..length).map(|at| char::from(b'a' + ((at * at + number) % 23) as u8)).collect();
    format!("{number}:{noise}\n")
}

fn target_of(kind: usize, most: u64, folder: &TempDir) -> Target {
    let path = |name| folder.path().join(name);
    match kind {
        0 => Target::Append(path("o.jsonl")),
        1 => Target::Append(path("o.jsonl.gz")),
        2 => Target::Append(path("o.jsonl.zst")),
        3 => parts(folder, "o-{part}.jsonl", most),
        4 => parts(folder, "o-{part}.jsonl.gz", most),
        _ => parts(folder, "o-{part:03}.jsonl.zst", most),
    }
}

/// A copy of the folder as a kill leaves it: of the last write that was announced, the file has any beginning, unless the
/// mark at `marked` came after it.
fn kill(folder: &TempDir, target: impl Fn(&TempDir) -> Target, marked: End, at: f64) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    let announced = note::read(&fs::read(note_in(&copy)).unwrap()).unwrap();
    let path = target(&copy).path(announced.before.part).unwrap();
    let (before, end) = (announced.before, fs::metadata(&path).unwrap().len());
    let start = if marked.part == before.part { before.length.max(marked.length) } else { before.length };
    let length = start + ((end - start) as f64 * at) as u64;
    cut(&path, length);
    if length == before.length && end > length {
        // The kill may have come before the bytes were noted, too.
        cut(&note_in(&copy), 1024);
    }
    copy
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn whenever_it_is_killed_every_line_is_there_once(
        kind in 0..6_usize,
        most in 1..30_000_u64,
        runs in proptest::collection::vec((deals(), prop_oneof![Just(0.0), Just(1.0), 0.0..1.0]), 1..4),
    ) {
        let mut folder = tempfile::tempdir().unwrap();
        let target = |folder: &TempDir| target_of(kind, most, folder);
        let mut lines: Vec<String> = Vec::new();
        let mut kept: Option<Position> = None;
        for (deals, at) in runs {
            let mut output = match &kept {
                None => JsonLines::open(&target(&folder)).unwrap(),
                Some(position) => resume(&folder, &target(&folder), position).unwrap(),
            };
            output.keep_note(&note_in(&folder)).unwrap();
            let mut position_now = position(&output.mark().unwrap());
            let (mut count_kept, mut marked) = (lines.len(), position_now.end);
            let mut ahead = 0;
            for deal in deals {
                match deal {
                    Deal::Line(length) => {
                        lines.push(line(lines.len(), length));
                        output.write(lines.last().unwrap().as_bytes()).unwrap();
                    }
                    Deal::Flush => output.flush().unwrap(),
                    Deal::Mark(is_kept) => {
                        let mark = output.mark().unwrap();
                        ahead += 1;
                        marked = mark.position().end;
                        if is_kept || ahead == note::MARKS - 1 {
                            (position_now, count_kept, ahead) = (position(&mark), lines.len(), 0);
                        }
                    }
                }
            }
            let copy = kill(&folder, target, marked, at);
            drop(output);
            folder = copy;
            lines.truncate(count_kept);
            let mut bytes = vec![];
            position_now.to_bytes(&mut bytes);
            kept = Position::from_bytes(&bytes);
        }
        let target = target(&folder);
        let mut output = resume(&folder, &target, kept.as_ref().unwrap()).unwrap();
        lines.push(line(lines.len(), 10));
        output.write(lines.last().unwrap().as_bytes()).unwrap();
        output.finish().unwrap();
        prop_assert!(content(&target) == lines.concat());
        if let Target::Parts(parts) = &target {
            for part in parts.names.existing().unwrap() {
                let path = parts.names.path(part);
                let is_one_line = || unpacked(&path).matches('\n').count() == 1;
                prop_assert!(fs::metadata(&path).unwrap().len() <= most || is_one_line());
            }
        }
    }
}

fn unpacked(path: &Path) -> String {
    content(&Target::Append(path.into()))
}
