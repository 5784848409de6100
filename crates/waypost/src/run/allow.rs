//! The value of the `Allow` header of a route.

use crate::run::route::Verb;

/// The methods that a route supports (RFC 9110 section 10.2.1): those that it implements, HEAD if it implements GET,
/// and OPTIONS. The text is built at compile time.
pub struct Allow {
    text: [u8; Self::LONGEST],
    length: usize,
}

impl Allow {
    const LONGEST: usize = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT".len();

    /// Returns the value for a route that implements these methods.
    pub const fn of(verbs: &[Verb]) -> Self {
        let mut allow = Self {
            text: [0; Self::LONGEST],
            length: 0,
        };
        let mut index = 0;
        while index < Verb::ALL.len() {
            let verb = Verb::ALL[index];
            let is_implied = match verb {
                Verb::Options => true,
                Verb::Head => contains(verbs, Verb::Get),
                _ => false,
            };
            if is_implied || contains(verbs, verb) {
                allow.add(verb.name());
            }
            index += 1;
        }
        allow
    }

    const fn add(&mut self, name: &str) {
        if self.length > 0 {
            self.push(b", ");
        }
        self.push(name.as_bytes());
    }

    const fn push(&mut self, bytes: &[u8]) {
        let mut index = 0;
        while index < bytes.len() {
            self.text[self.length] = bytes[index];
            self.length += 1;
            index += 1;
        }
    }

    /// Returns the text of the header.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.text.get(..self.length).unwrap_or_default()
    }
}

const fn contains(verbs: &[Verb], wanted: Verb) -> bool {
    let mut index = 0;
    while index < verbs.len() {
        if verbs[index] as u8 == wanted as u8 {
            return true;
        }
        index += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_sorted_and_complete() {
        for (verbs, allow) in [
            (&[Verb::Post, Verb::Get][..], "GET, HEAD, OPTIONS, POST"),
            (&[Verb::Put, Verb::Delete], "DELETE, OPTIONS, PUT"),
            (&[], "OPTIONS"),
            (&Verb::ALL, "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"),
        ] {
            assert_eq!(Allow::of(verbs).as_bytes(), allow.as_bytes());
        }
    }
}
