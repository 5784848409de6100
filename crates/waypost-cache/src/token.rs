//! Tokens: random values that change with every invalidation.
//!
//! A store keeps one pair of tokens for each [`Subject`](crate::Subject), and one token, the epoch, that changes with
//! every invalidation. An entry keeps the tokens that were current before its run began. It is valid as long as they are
//! equal to those of the store. No invalidation needs a list of entries, a clock or an atomic operation.
//!
//! The order of operations matters. A writer sets the tokens of the subjects, and then the epoch. A filler reads the
//! epoch, then the tokens, and then runs the handler. So an entry that is valid was made after every invalidation that
//! had returned.
//!
//! A response may name tags of its own, whose tokens could not be read before the run. The filler reads them after it, and
//! then the epoch again. If the epoch changed, the response is not stored
//! ([`Unstorable::Invalidated`](crate::Unstorable::Invalidated)).

use crate::Verdict;

/// A random value of 16 bytes that is replaced by an invalidation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Token(pub [u8; 16]);

impl Token {
    /// The token of a subject that was never invalidated.
    ///
    /// A store that may lose its tokens while entries survive elsewhere should instead use a token that it created
    /// at random when it was created. Otherwise an invalidation is undone by the loss.
    pub const NEVER: Self = Self([0; 16]);
}

/// The tokens of one subject. There are two, so that a soft invalidation does not hide a hard one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TokenPair {
    /// Changes when responses become stale.
    pub soft: Token,
    /// Changes when responses must not be served any more.
    pub hard: Token,
}

/// The tokens that a response depends on, in the order of [`Subject::of_response`](crate::Subject::of_response).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// The epoch that was read before the pairs.
    pub epoch: Token,
    /// The tokens of each subject.
    pub pairs: Vec<TokenPair>,
}

impl Tokens {
    /// Compares the tokens of an entry with the current ones of the same subjects.
    ///
    /// If the result is [`Verdict::Fresh`], the caller may replace the entry's epoch with the one that it read before the
    /// current tokens. Then the next comparison needs only the epoch. After any other result the epoch must stay.
    pub fn compare(&self, current: &[TokenPair]) -> Verdict {
        // Another number of subjects means that the caller asked for other ones.
        if self.pairs.len() != current.len() {
            return Verdict::Gone;
        }
        let pairs = || self.pairs.iter().zip(current);
        if pairs().any(|(stored, current)| stored.hard != current.hard) {
            Verdict::Gone
        } else if pairs().any(|(stored, current)| stored.soft != current.soft) {
            Verdict::Stale
        } else {
            Verdict::Fresh
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(soft: u8, hard: u8) -> TokenPair {
        TokenPair {
            soft: Token([soft; 16]),
            hard: Token([hard; 16]),
        }
    }

    #[test]
    fn changed_tokens_are_found() {
        let tokens = Tokens {
            epoch: Token([9; 16]),
            pairs: vec![pair(0, 0), pair(1, 2)],
        };
        for (current, expected) in [
            (vec![pair(0, 0), pair(1, 2)], Verdict::Fresh),
            (vec![pair(3, 0), pair(1, 2)], Verdict::Stale),
            (vec![pair(0, 0), pair(1, 3)], Verdict::Gone),
            // A soft change does not hide a hard one.
            (vec![pair(3, 0), pair(1, 3)], Verdict::Gone),
            (vec![pair(3, 3), pair(1, 2)], Verdict::Gone),
            (vec![pair(0, 0)], Verdict::Gone),
            (vec![], Verdict::Gone),
        ] {
            assert_eq!(tokens.compare(&current), expected, "{current:?}");
        }
        assert_eq!(Tokens::default().compare(&[]), Verdict::Fresh);
    }
}
