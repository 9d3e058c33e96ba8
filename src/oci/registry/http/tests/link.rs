use super::*;

#[test]
fn the_link_to_the_next_page_is_found_in_any_form() {
    for (header, target) in [
        ("</a?last=b>; rel=\"next\"", Some("/a?last=b")),
        ("</a>;rel=next", Some("/a")),
        ("</a>; rel='next'", Some("/a")),
        ("</a>; REL = \"NEXT\"", Some("/a")),
        ("</a>; rel=\"last next\"", Some("/a")),
        ("< /a >; rel=next", Some("/a")),
        ("/a?last=b; rel=\"next\"", Some("/a?last=b")),
        ("\"/a\"; rel=next", Some("/a")),
        ("</a; rel=next", Some("/a")),
        ("<>; rel=next", Some("")),
        ("</a>; rel=\"next", Some("/a")),
        ("</a,b;c>; rel=next", Some("/a,b;c")),
        ("</z>; rel=prev, </a>; rel=next", Some("/a")),
        (
            "</z>; title=\"a, <b>; rel=next\"; rel=prev, </a>; rel=next",
            Some("/a"),
        ),
        ("</a>; title=\"\\\"; rel=prev\"; rel=next", Some("/a")),
        ("</z>,, </a>; rel=next", Some("/a")),
        ("</list?last=b>", Some("/list?last=b")),
        ("/list?last=b", Some("/list?last=b")),
        ("</list?last=b>; rel=prev", None),
        ("</a>; rel=\"previous\"", None),
        ("</a>; rel=nextish", None),
        ("</a>; title=next", None),
        ("</a>", None),
        ("<", None),
        ("", None),
    ] {
        let found = next_target(header, |target| target.starts_with("/list?"));
        assert_eq!(found.as_deref(), target, "{header}");
    }
}
