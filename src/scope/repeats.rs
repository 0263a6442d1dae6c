//! Paths that say the same again and again.
//!
//! Where a server answers any path with the same page, a relative link on it (`a/`, `../a/b/`) leads to `/a/`, `/a/a/`,
//! and so on for ever, and each is new.

/// More segments than this has no path that people made.
const MAX_SEGMENTS: usize = 64;

/// As often as this one segment may not stand in a path, wherever.
const TOO_OFTEN: usize = 4;

/// As often as this one sequence of two or more segments may not follow itself.
const TOO_OFTEN_IN_A_ROW: usize = 3;

/// Whether a segment stands in the path four times, a sequence of them three times in a row (`a/b/a/b/a/b`), or the path
/// has more than 64 segments.
///
/// Numbers may stand anywhere as often as they like (`/tiles/0/0/0/0`, `/2011/11/11/11`); only the sequences count.
pub(super) fn goes_in_circles(path: &str) -> bool {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut segments = [""; MAX_SEGMENTS];
    let mut count = 0;
    for segment in path.split('/') {
        let Some(place) = segments.get_mut(count) else {
            return true;
        };
        *place = segment;
        count += 1;
    }
    let segments = &segments[..count];
    count >= TOO_OFTEN && (has_one_too_often(segments) || has_sequence_too_often(segments))
}

fn has_one_too_often(segments: &[&str]) -> bool {
    let is_number = |segment: &str| !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
    // Of four that are the same one is followed by the three others.
    let firsts = 0..=segments.len() - TOO_OFTEN;
    firsts.into_iter().any(|at| {
        let segment = segments[at];
        !is_number(segment)
            && segments[at + 1..].iter().filter(|other| **other == segment).count() >= TOO_OFTEN - 1
    })
}

fn has_sequence_too_often(segments: &[&str]) -> bool {
    (2..=segments.len() / TOO_OFTEN_IN_A_ROW).any(|length| {
        let mut same = 0;
        (length..segments.len()).any(|at| {
            same = if segments[at] == segments[at - length] { same + 1 } else { 0 };
            same == length * (TOO_OFTEN_IN_A_ROW - 1)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_grow_by_what_they_have_are_found() {
        for (path, does) in [
            ("", false),
            ("/", false),
            ("/a/a/a", false),
            ("/a/a/a/", false),
            ("/a/a/a/a", true),
            ("/a/b/a/c/a/d/a", true),
            ("/a/b/a/c/a/d/e", false),
            ("/a/b/a/b/a/b", true),
            ("/x/y/a/b/a/b/a/b/z/", true),
            ("/a/b/a/b/c/a/b", false),
            ("/a/b/c/a/b/c/a/b", false),
            ("/a/b/c/a/b/c/a/b/c", true),
            ("/////", true),
            ("/a//b", false),
            ("/2011/11/11/11/11", false),
            ("/1/2/1/2/1/2", true),
            ("/0/0/0/0/0", false),
            ("/0/0/0/0/0/0", true),
        ] {
            assert_eq!(goes_in_circles(path), does, "{path}");
        }
    }

    #[test]
    fn no_path_has_more_than_64_segments() {
        let path = |count: u32| (0..count).map(|at| format!("/s{at}")).collect::<String>();
        assert!(!goes_in_circles(&path(64)));
        assert!(!goes_in_circles(&(path(64) + "/")));
        assert!(goes_in_circles(&path(65)));
    }
}
