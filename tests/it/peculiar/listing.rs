//! Lists of tags whose pages are linked in unusual ways.

use crate::support::{Answer, Asked, Environment, Server};

const TAGS: [&str; 5] = ["a", "b", "c", "d", "e"];
const PATH: &str = "/v2/org/x/tags/list";

/// Answers with the two tags after `last`. Unless these are the last tags, adds the header that `link` makes of the
/// second one.
fn page(asked: &Asked, link: impl Fn(&str) -> Vec<String>) -> Answer {
    let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
    if path != PATH {
        return Answer::status("404 Not Found");
    }
    let last = query.split('&').find_map(|pair| pair.strip_prefix("last="));
    let start = last.map_or(0, |last| {
        TAGS.iter().position(|tag| *tag == last).unwrap() + 1
    });
    let tags = &TAGS[start..TAGS.len().min(start + 2)];
    let list = format!(r#"{{"name": "org/x", "tags": {tags:?}}}"#);
    let mut answer = Answer::body(list).header("content-type", "application/json");
    if start + 2 < TAGS.len() {
        for link in link(tags[1]) {
            answer = answer.header("link", link);
        }
    }
    answer
}

#[test]
fn all_pages_are_listed_whatever_form_the_link_has() {
    let environment = Environment::new();
    for form in [
        "</v2/org/x/tags/list?last=LAST&n=2>; rel=\"next\"",
        "</v2/org/x/tags/list?n=2&last=LAST>; rel=next",
        "</v2/org/x/tags/list?last=LAST>; REL=\"next\"",
        "</v2/org/x/tags/list?last=LAST>;rel = 'Next'",
        "</v2/org/x/tags/list?last=LAST>; rel=\"next last\"",
        "</v2/org/x/tags/list?last=LAST>; title=\"a, b; <c>; rel=prev\"; rel=\"next\"",
        "</v2/org/x/tags/list?last=a>; rel=\"prev\", </v2/org/x/tags/list?last=LAST>; rel=\"next\"",
        "</v2/org/x/tags/list?last=a>; rel=\"first\"\n</v2/org/x/tags/list?last=LAST>; rel=\"next\"",
        "< /v2/org/x/tags/list?last=LAST >; rel=\"next\"",
        "/v2/org/x/tags/list?last=LAST; rel=\"next\"",
        "</v2/org/x/tags/list?last=LAST>",
        "<?last=LAST>; rel=\"next\"",
        "<list?last=LAST>; rel=\"next\"",
        "<v2/org/x/tags/list?last=LAST>; rel=\"next\"",
        "<org/x/tags/list?last=LAST>; rel=\"next\"",
        "</registry/v2/org/x/tags/list?last=LAST>; rel=\"next\"",
        "</v2/org%2Fx/tags/list?last=LAST>; rel=\"next\"",
        "<http://ADDRESS/v2/org/x/tags/list?last=LAST>; rel=\"next\"",
        "<https://ADDRESS/v2/org/x/tags/list?last=LAST>; rel=\"next\"",
        "<http://127.0.0.1:1/v2/org/x/tags/list?last=LAST>; rel=\"next\"",
        "<//registry.internal/v2/org/x/tags/list?last=LAST>; rel=\"next\"",
        "</v2/org/x/tags/list?n=2\\u0026last=LAST>; rel=\"next\"",
        "</v2/org/x/tags/list?n=2&amp;last=LAST>; rel=\"next\"",
    ] {
        let server = Server::start(move |asked, address| {
            page(asked, |last| {
                let link = form.replace("LAST", last).replace("ADDRESS", address);
                link.lines().map(str::to_owned).collect()
            })
        });
        let listed = environment.par(["tags", &server.reference("org/x")]);
        assert_eq!(listed.code, 0, "{form}\n{listed}");
        assert_eq!(listed.stdout, "a\nb\nc\nd\ne\n", "{form}");
    }
}

#[test]
fn an_empty_page_does_not_end_the_list() {
    let environment = Environment::new();
    let server = Server::start(|asked, _| {
        let (tags, next) = match asked.target.split_once("page=") {
            None => (r#"["a"]"#, Some(2)),
            Some((_, "2")) => ("null", Some(3)),
            Some((_, "3")) => ("[]", Some(4)),
            _ => (r#"["b"]"#, None),
        };
        let answer = Answer::body(format!(r#"{{"tags": {tags}}}"#));
        match next {
            None => answer,
            Some(next) => answer.header("link", format!("<{PATH}?page={next}>; rel=\"next\"")),
        }
    });
    let listed = environment.par(["tags", &server.reference("org/x")]);
    assert_eq!(listed.success().stdout, "a\nb\n");
}

#[test]
fn a_list_that_cannot_be_read_to_its_end_is_an_error_with_the_link() {
    let environment = Environment::new();
    for (link, shown) in [
        // The link is to the first page again.
        ("<>; rel=\"next\"", "link to its next page"),
        (
            "</v2/org/x/tags/list>; rel=\"next\"",
            "`/v2/org/x/tags/list`",
        ),
        // Two pages link to each other.
        ("</v2/org/x/tags/list?last=b>; rel=\"next\"", "list?last=b"),
        // The next page is missing.
        (
            "</v2/org/x/tags/more?last=b>; rel=\"next\"",
            "/v2/org/x/tags/more?last=b",
        ),
        // The link is to another list.
        ("</v2/_catalog?last=b>; rel=\"next\"", "/v2/_catalog?last=b"),
        (
            "</v2/org/y/tags/list?last=b>; rel=\"next\"",
            "`/v2/org/y/tags/list?last=b`, leads to another list",
        ),
        ("<no link>; rel=\"next\"", "no%20link"),
        ("<https://[/>; rel=\"next\"", "https://[/"),
        (
            "<https://cdn.example/pages/2>; rel=\"next\"",
            "https://cdn.example/pages/2",
        ),
    ] {
        let server = Server::start(move |asked, _| page(asked, |_| vec![link.to_owned()]));
        let refused = environment.par(["tags", &server.reference("org/x")]);
        assert_eq!(
            (refused.code, &*refused.stdout),
            (5, ""),
            "{link}\n{refused}"
        );
        assert!(refused.stderr.contains(shown), "{link}\n{refused}");
    }
}

#[test]
fn a_next_page_that_is_not_a_list_is_an_error_with_its_link() {
    let environment = Environment::new();
    for body in [
        r#"{"errors": [{"code": "UNKNOWN"}]}"#,
        "<html></html>",
        "[]",
        "",
    ] {
        let server = Server::start(move |asked, _| {
            if asked.target.contains("last=") {
                return Answer::body(body);
            }
            page(asked, |last| vec![format!("<?last={last}>; rel=\"next\"")])
        });
        let refused = environment.par(["tags", &server.reference("org/x")]);
        let refused = refused.exit(5);
        assert!(refused.stderr.contains("list?last=b"), "{body}\n{refused}");
    }
}

#[test]
fn no_credentials_are_sent_to_another_host_of_a_link() {
    let environment = Environment::new();
    let stranger = Server::start(|_, _| Answer::body(r#"{"tags": ["z"]}"#));
    let address = stranger.address().to_owned();
    let server = Server::start(move |asked, _| {
        if asked.head.get("authorization").is_none() {
            let wants = Answer::status("401 Unauthorized");
            return wants.header("www-authenticate", "Basic realm=\"tests\"");
        }
        page(asked, |last| {
            vec![format!(
                "<http://{address}{PATH}?last={last}>; rel=\"next\""
            )]
        })
    });
    let user = ["--user", "tester", "--password", "secret"];
    let reference = server.reference("org/x");
    let listed = environment.par(["tags", &reference].iter().chain(&user));
    assert_eq!(listed.success().stdout, "a\nb\nc\nd\ne\n");
    assert!(stranger.asked("GET", "").is_empty());
}
