//! The longer texts of `--help`.

pub(super) const ABOUT: &str = "Turns a web site into JSON Lines: many pages at once, from one command";

pub(super) const AFTER: &str = "\
Try it without a network:  pagemill demo
One page after the other:  pagemill crawl 'https://example.com/list?page={page}' -p 1-20 \\
                               -e '//article' -f 'title=.//h3/text()' -f 'link=.//a/@href' -o list.jsonl";

pub(super) const CRAWL: &str = "Fetch pages and write their records as JSON Lines";

pub(super) const CHECK: &str = "Say what a job would do, or all that is wrong with it; nothing is fetched";

pub(super) const TRY: &str = "Look at one page: what expressions match there, and what nearly does";

pub(super) const AFTER_TRY: &str = "\
Shows for each expression how many matches it has and the first ones, for one that matches
nothing what comes near, and the first records. -v tells which engine runs each expression.
Without any expression it asks for them, line by line; :help tells the rest.

Exit codes: 0 every expression matched, 1 the page could not be fetched or read, 2 wrong usage
or job, 3 an expression matched nothing or failed on this page. Line by line it is 0.";

pub(super) const EXTRACT: &str = "Read saved pages and write their records as JSON Lines, as crawl does";

pub(super) const AFTER_EXTRACT: &str = "\
What a page is, is told by its bytes. With --with-meta, _url is the file: URL of the page and
_fetched_at the time the file was last changed. The job file's [source] does not count here.

Exit codes: 0 all pages done, 1 the run failed, 2 wrong usage or job, 3 done but some pages
failed (a file that cannot be read is a failed page), 4 a check is broken, 75 stopped by
--max-time with pages left, 130 and 143 interrupted.";

pub(super) const STATUS: &str = "Tell how far a run has come: pages by state, rule and host, and what failed";

pub(super) const AFTER_STATUS: &str = "\
A run keeps its state beside its output, as FILE.pagemill, until it is done without a failed page;
with --state or --since-last for good. What it says is not changed. While a run is at work its counts
cannot be read; what it does is told all the same.

Exit codes: 0 it could be told, 1 the state is damaged or of another version, 2 wrong usage or no
state, 75 a run is at work.";

pub(super) const RETRY: &str = "Give the failed pages of a run that is done another try";

pub(super) const AFTER_RETRY: &str = "\
Asks again for the pages that had failed, and for what they lead to as the crawl would. Their
records go to the end of the same output; what is there stays. The job is the one of the state: its
job file, and what was on the command line and in the environment then. Flags and variables of now
go before that, where they do not change what is fetched. Secrets are not kept: they have to be
given again. Interrupted, the same command goes on with it, and so does that of the crawl.

Exit codes: as of crawl: 0 no page is left that failed, 3 some failed again; 2 also where the run is
not done, or was another job; 75 stopped by --max-time with pages left, or another process is at it.";

pub(super) const DEMO: &str =
    "Open a practice bookshop on this machine and crawl its 50 listing pages; needs no network";

pub(super) const AFTER_CRAWL: &str = "\
Records go to standard output, all messages to standard error.
Each flag can also be given as a key of the job file, or in the environment: --max-body as PAGEMILL_MAX_BODY
(the values of a flag that may be repeated on lines of their own). A flag wins over the environment, that over
the file, that over the default; fields, headers and namespaces are merged by name.
Proxies are taken from HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY. NO_COLOR turns colours off.

Exit codes: 0 all pages done, 1 the run failed, 2 wrong usage or job, 3 done but some pages failed,
4 done but a check is broken (--min-records and the like), which goes before 3 and 5,
5 robots.txt or refusals (401, 403, 429 ..) left no page, 75 stopped by --max-time with pages left,
130 and 143 interrupted (Ctrl-C, SIGTERM) after a clean end.
pagemill status FILE tells of a run with -o FILE that is not done or has failed pages; pagemill retry FILE
gives those another try.
Ctrl-C waits for the pages under way; a second one cuts them off.";
