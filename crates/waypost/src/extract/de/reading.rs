//! Types that don't say what they expect of a value: flattened structs, untagged and internally tagged enums.
//!
//! serde buffers a value for them before it knows the type of the field, and what it buffers as text never becomes a
//! number or a list afterwards. So their values are tried as text, as a number, and as a list of one, until one way
//! of reading fits.

use std::cell::Cell;

use super::Error;

/// How many combinations are tried, beside those that read all values in the same way.
const ATTEMPTS: usize = 64;

/// How a text without a known type is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    /// As a number or `bool`, if it is one.
    pub(super) is_scalar: bool,
    /// As a list of one text.
    pub(super) is_list: bool,
}

const READINGS: [(bool, bool); 4] = [(false, false), (true, false), (false, true), (true, true)];

/// The readings of one attempt.
pub(super) struct Readings {
    choice: Choice,
    /// The number of combinations that the values so far have.
    combinations: Cell<usize>,
}

#[derive(Clone, Copy)]
enum Choice {
    /// The same for all values.
    Same(usize),
    /// The combination of this number.
    Combination(usize),
}

impl Readings {
    fn new(choice: Choice) -> Self {
        let combinations = Cell::new(1);
        Self {
            choice,
            combinations,
        }
    }

    /// Chooses how the next value is read.
    pub(super) fn next(&self, can_be_scalar: bool, can_be_list: bool) -> Reading {
        let possible = READINGS.into_iter().filter(|(is_scalar, is_list)| {
            (can_be_scalar || !is_scalar) && (can_be_list || !is_list)
        });
        let possible: Vec<_> = possible.collect();
        let before = self.combinations.get();
        self.combinations.set(before.saturating_mul(possible.len()));
        let (is_scalar, is_list) = match self.choice {
            Choice::Same(reading) => {
                let wanted = READINGS[reading];
                let fits = possible.contains(&wanted);
                if fits {
                    wanted
                } else {
                    (false, wanted.1 && can_be_list)
                }
            }
            Choice::Combination(number) => possible[number / before % possible.len()],
        };
        Reading { is_scalar, is_list }
    }
}

/// Deserializes with one reading after another, and returns the first value that fits.
pub(super) fn first_that_fits<T>(
    mut attempt: impl FnMut(&Readings) -> Result<T, Error>,
) -> Result<T, Error> {
    let texts = Readings::new(Choice::Same(0));
    let error = match attempt(&texts) {
        Ok(value) => return Ok(value),
        Err(error) if texts.combinations.get() == 1 => return Err(error),
        Err(error) => error,
    };
    for reading in 1..READINGS.len() {
        if let Ok(value) = attempt(&Readings::new(Choice::Same(reading))) {
            return Ok(value);
        }
    }
    for number in 1..ATTEMPTS {
        let readings = Readings::new(Choice::Combination(number));
        if let Ok(value) = attempt(&readings) {
            return Ok(value);
        }
        if number + 1 >= readings.combinations.get() {
            // No reading of what the client sent fits.
            return Err(error.into_input());
        }
    }
    let why = "a flattened field or an enum without external tags mixes too many types";
    Err(Error::Type(format!("{why}: {error}")))
}
