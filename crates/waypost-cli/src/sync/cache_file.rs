//! `router/cache.txt`, the policies with which the router is compiled if a route has one.
//!
//! It has a line for each route with a policy: the component's id and the policy (`waypost_cache::policy::Draft::to_line`).
//! Settings of `waypost.toml` are applied. Lines that begin with `#` are comments.

use waypost_cache::Policy;

const HEAD: &str = "# Made by `waypost build` from the compiled handlers and `waypost.toml`: <component> <cache policy>\n";

/// Renders the file. The order of `policies` does not matter.
pub(super) fn render(policies: &[(&str, &Policy)]) -> String {
    let mut policies = policies.to_vec();
    policies.sort_by_key(|(id, _)| *id);
    let line = |(id, policy): &(&str, &Policy)| format!("{id} {}\n", policy.to_draft().to_line());
    let lines: String = policies.iter().map(line).collect();
    HEAD.to_owned() + &lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use waypost_cache::policy::Draft;

    #[test]
    fn times_are_in_seconds() {
        let draft = Draft {
            life: Some("minutes".to_owned()),
            tags: vec!["post {slug}".to_owned()],
            ..Draft::default()
        };
        let (first, second) = (Policy::default(), draft.check(&[]).unwrap());
        let text = render(&[("posts", &second), ("a", &first)]);
        let lines: Vec<_> = text.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "a revalidate=never expire=31536000",
                "posts revalidate=60 expire=3600 tags=post%20%7Bslug%7D",
            ]
        );
    }
}
