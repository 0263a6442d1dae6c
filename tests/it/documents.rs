//! README, example job and help are checked against the program, so that they cannot rot.

use pagemill::config::{FIELD_KEYS, FOLLOW_KEYS};
use pagemill::extract::convert::Type;
use pagemill::settings::{Kind, SETTINGS, Section};

use crate::support::{pagemill, run};

const EXAMPLE: &str = include_str!("../../config.example.toml");

/// The `key = value` of a line of the example, and whether it is commented out.
fn key_value(line: &str) -> Option<(&str, &str, bool)> {
    let (line, is_comment) = match line.strip_prefix("# ") {
        Some(rest) => (rest, true),
        None => (line, false),
    };
    let (key, value) = line.split_once(" = ")?;
    let is_key = key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    is_key.then_some((key, value, is_comment))
}

#[test]
fn the_example_job_is_valid_and_check_explains_it() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config.example.toml");
    let ran = run(&mut pagemill(["check", path]));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains("https://book.douban.com/top250?start=225"), "{}", ran.stdout);
}

#[test]
fn the_example_has_every_key_in_its_section_with_its_default() {
    for setting in SETTINGS {
        let section = match setting.name {
            // These have a shape of their own in [extract.NAME].
            "field" | "namespace" | "key-field" => continue,
            _ => setting.section,
        };
        let heading = if section == Section::Extract {
            "[extract.book]".to_owned()
        } else {
            format!("[{}]", section.name())
        };
        let start = EXAMPLE.find(&format!("\n{heading}\n")).unwrap();
        let text = &EXAMPLE[start + heading.len() + 2..];
        let text = text.find("\n[").map_or(text, |end| &text[..end]);
        let found = text.lines().filter_map(key_value).find(|(key, ..)| *key == setting.name);
        let (_, value, is_comment) =
            found.unwrap_or_else(|| panic!("`{}` is missing in {heading}", setting.name));
        match (setting.kind, setting.default) {
            (_, Some(default)) => {
                assert!(!is_comment, "`{}` has a default and is commented out", setting.name);
                assert_eq!(value.trim_matches('"'), default, "{}", setting.name);
            }
            (Kind::List, None) if setting.name != "url" => {
                assert_eq!((value, is_comment), ("[]", false), "{}", setting.name);
            }
            // The classic example itself, and standard output by its name.
            (_, None) if ["url", "pages", "each", "output"].contains(&setting.name) => assert!(!is_comment),
            (_, None) => assert!(is_comment, "`{}` has no default and should stand behind a #", setting.name),
        }
    }
}

#[test]
fn the_example_has_every_key_and_type_of_a_field() {
    let start = EXAMPLE.find("\n[extract.every-key]\n").unwrap();
    let text = &EXAMPLE[start + 1..];
    let rule = text.find("\n[").map_or(text, |end| &text[..end]);
    let fields: String = rule.lines().filter(|line| line.starts_with("fields.")).collect();
    for key in FIELD_KEYS {
        assert!(fields.contains(&format!("{key} = ")), "`{key}` is missing");
    }
    for kind in Type::ALL {
        assert!(rule.contains(kind.name()), "the type `{}` is missing", kind.name());
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config.example.toml");
    let ran = run(&mut pagemill(["check", path, "--rule", "every-key"]));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains("  price      ./p[@class='price']  (regex ([\\d.,]+), "), "{}", ran.stdout);
}

#[test]
fn the_example_has_every_key_of_a_link_to_follow() {
    let start = EXAMPLE.find("\n[extract.listing]\n").unwrap();
    let rule = EXAMPLE[start + 1..].split("\n[").next().unwrap();
    // A link has one language; the fields above show all three, and `from`.
    for key in FOLLOW_KEYS.into_iter().filter(|key| !["json", "from"].contains(key)) {
        let is_there = rule.contains(&format!("{key} = ")) || rule.contains(&format!("`{key}`"));
        assert!(is_there, "`{key}` is missing");
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config.example.toml");
    let ran = run(&mut pagemill(["check", path, "--rule", "listing"]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("  on to the rule detail by  //h3/a  (priority 1)\n"), "{}", ran.stdout);
}

#[test]
fn the_example_names_no_key_that_does_not_exist() {
    for (key, ..) in EXAMPLE.lines().filter_map(key_value) {
        assert!(SETTINGS.iter().any(|setting| setting.name == key), "`{key}`");
    }
}

#[test]
fn help_tells_every_flag_with_its_default_and_the_exit_codes() {
    let help = run(&mut pagemill(["crawl", "--help"])).stdout;
    // The help is wrapped wherever the line ends.
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for setting in SETTINGS.iter().filter(|setting| setting.name != "url") {
        assert!(help.contains(&format!("--{}", setting.name)), "--{}", setting.name);
        if let (Kind::Value, Some(default)) = (setting.kind, setting.default) {
            assert!(help.contains(&format!("[default: {default}]")), "--{}", setting.name);
        }
    }
    for code in [
        "0 all pages done",
        "2 wrong usage",
        "4 done but a check",
        "5 robots.txt",
        "75 stopped",
        "130 and 143",
    ] {
        assert!(help.contains(code), "{code}");
    }
}

/// The shell commands in the code blocks of a document, with continued lines joined.
fn commands(document: &str) -> Vec<String> {
    let blocks = document.split("```sh\n").skip(1).filter_map(|block| block.split("```").next());
    blocks
        .flat_map(|block| {
            block.replace("\\\n", " ").replace("|\n", "| ").lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn every_command_of_the_documents_is_a_valid_job() {
    let folder = crate::support::temp_dir();
    std::fs::write(folder.path().join("config.example.toml"), EXAMPLE).unwrap();
    std::fs::write(folder.path().join("job.toml"), EXAMPLE).unwrap();
    std::fs::write(folder.path().join("cookies.txt"), "").unwrap();
    let mut checked = 0;
    for document in [include_str!("../../README.md"), include_str!("../../docs/cookbook.md")] {
        for command in commands(document) {
            let Some(arguments) = command.strip_prefix("pagemill crawl ") else { continue };
            // The first part of a pipe; outputs would need folders that only the reader has.
            let arguments = arguments.split(" | ").next().unwrap().replace("/var/lib/", "");
            let line = format!("{} check {arguments}", env!("CARGO_BIN_EXE_pagemill"));
            let ran = run(std::process::Command::new("sh").args(["-c", &line]).current_dir(folder.path()));
            assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{command}");
            checked += 1;
        }
    }
    assert!(checked >= 15, "only {checked} commands were found");
}

#[test]
fn the_flags_of_the_other_commands_in_the_documents_exist() {
    let mut checked = 0;
    for command in commands(include_str!("../../docs/cookbook.md")) {
        let Some((_, arguments)) = command.split_once("pagemill ") else { continue };
        if !["try ", "extract ", "status ", "retry "].iter().any(|name| arguments.starts_with(name)) {
            continue;
        }
        let arguments = arguments.split(" | ").next().unwrap();
        // Everything before it is parsed, and nothing done.
        let line = format!("{} {arguments} --help", env!("CARGO_BIN_EXE_pagemill"));
        let ran = run(std::process::Command::new("sh").args(["-c", &line]));
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{command}");
        checked += 1;
    }
    assert!(checked >= 10, "only {checked} commands were found");
}

#[test]
fn the_readme_names_its_two_commands_and_only_flags_that_exist() {
    let readme = include_str!("../../README.md");
    assert!(readme.contains("cargo run --release -- demo\n") && readme.contains("\ncargo test\n"));
    let rows = readme.lines().filter(|line| line.starts_with("| `-"));
    let flags: Vec<&str> = rows
        .flat_map(|row| {
            row.split('|').nth(1).unwrap_or_default().split('`').filter(|word| word.starts_with('-'))
        })
        .map(|flag| flag.split(' ').next().unwrap_or(flag))
        .collect();
    assert!(flags.len() > 15, "{flags:?}");
    for flag in flags {
        let known = SETTINGS.iter().any(|setting| {
            flag.strip_prefix("--") == Some(setting.name)
                || setting.short.is_some_and(|letter| flag == format!("-{letter}"))
        });
        assert!(known || ["-c", "--config"].contains(&flag), "{flag}");
    }
}

/// The job files in the code blocks of a document.
fn job_files(document: &str) -> Vec<&str> {
    let blocks = document.split("```toml\n").skip(1);
    blocks.filter_map(|block| block.split("```").next()).collect()
}

#[test]
fn every_job_file_of_the_documents_is_valid() {
    let folder = crate::support::temp_dir();
    let path = folder.path().join("job.toml");
    let files = job_files(include_str!("../../docs/cookbook.md"));
    for file in &files {
        std::fs::write(&path, file).unwrap();
        let ran = run(&mut pagemill(["check", "--config", path.to_str().unwrap(), "http://localhost/"]));
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{file}");
    }
    assert!(files.len() >= 4, "only {} job files were found", files.len());
}
