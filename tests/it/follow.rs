use std::fs;

use crate::support::{pagemill, run, temp_dir};

const JOB: &str = r#"
[extract.listing]
follow = [
    { xpath = '//h3/a', to = "book", carry = { shelf = '//h1' } },
    '//li[@class="next"]/a',
]
[extract.book]
fields.title = "//h1"
fields.shelf = { carry = "shelf", default = "none" }
"#;

const LISTING: &str = "<base href='http://h/shop/'><h1>Crime</h1><h3><a href=b/1>One</a></h3><h3><a href='/b/2#x'>Two</a></h3>\
                       <h3><a href=b/3></a><h3><a href=b/4></a>";

#[test]
fn try_shows_what_each_entry_finds_and_where_it_leads() {
    let folder = temp_dir();
    fs::write(folder.path().join("job.toml"), JOB).unwrap();
    fs::write(folder.path().join("page.html"), LISTING).unwrap();
    let ran = run(pagemill(["try", "page.html", "-c", "job.toml"]).current_dir(folder.path()));
    // The last listing has no next one.
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(3), ""));
    let shown: Vec<&str> = ran.stdout.lines().skip(3).collect();
    assert_eq!(
        shown[..9],
        [
            "follow to book: //h3/a  ─ 4 matches",
            "  <a href=\"b/1\"> One",
            "  <a href=\"/b/2#x\"> Two",
            "  <a href=\"b/3\">",
            "  and 1 more",
            "  leads to http://h/shop/b/1  with {\"shelf\":\"Crime\"}",
            "  leads to http://h/b/2  with {\"shelf\":\"Crime\"}",
            "  leads to http://h/shop/b/3  with {\"shelf\":\"Crime\"}",
            "  and to 1 more",
        ]
    );
    assert!(shown[9].starts_with("follow: //li[@class=\"next\"]/a  ─ nothing"), "{shown:#?}");
    assert_eq!(shown.last(), Some(&"  leads nowhere"));
}

#[test]
fn try_shows_links_of_flags_beside_the_records() {
    let folder = temp_dir();
    fs::write(folder.path().join("page.html"), LISTING).unwrap();
    let flags = ["-e", "//h3", "-f", "t=./a", "--follow", "//h3[1]/a/@href"];
    let ran = run(pagemill(["try", "page.html"]).args(flags).current_dir(folder.path()));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains("\n{\"t\":\"One\"}\n"), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("\n  leads to http://h/shop/b/1\n"), "{}", ran.stdout);
}

#[test]
fn saved_pages_are_read_by_the_first_rule_or_by_the_chosen_one() {
    let folder = temp_dir();
    fs::write(folder.path().join("job.toml"), JOB).unwrap();
    fs::write(folder.path().join("page.html"), LISTING).unwrap();
    let extract = |flags: &[&str]| {
        run(pagemill(["extract", "page.html", "-c", "job.toml", "-q"]).args(flags).current_dir(folder.path()))
    };
    let ran = extract(&[]);
    assert_eq!((ran.code, &*ran.stdout, &*ran.stderr), (Some(0), "", ""));
    let ran = extract(&["--rule", "book"]);
    let record = "{\"title\":\"Crime\",\"shelf\":\"none\"}\n";
    assert_eq!((ran.code, &*ran.stdout, &*ran.stderr), (Some(0), record, ""));
}

#[test]
fn check_tells_of_misspelt_rules_and_of_those_that_no_link_leads_to() {
    let folder = temp_dir();
    fs::write(folder.path().join("job.toml"), JOB.replace("\"book\"", "\"bok\"")).unwrap();
    let check = || run(pagemill(["check", "-c", "job.toml", "http://h/"]).current_dir(folder.path()));
    let ran = check();
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("job.toml:4:30: extract.listing.follow.to: there is no rule"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("did you mean `book`?"), "{}", ran.stderr);
    fs::write(folder.path().join("job.toml"), format!("{JOB}[extract.alone]\nfields.x = '//x'\n")).unwrap();
    let ran = check();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("no link leads from the rule `listing` to the rule `alone`"),
        "{}",
        ran.stderr
    );
    assert!(ran.stdout.contains("\non pages of the rule book:\n"), "{}", ran.stdout);
}
