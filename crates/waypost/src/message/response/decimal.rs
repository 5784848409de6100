//! Numbers as decimal text, with a third of the code of `to_string`.

/// Returns the decimal digits of a number.
pub(crate) fn decimal(number: usize) -> Vec<u8> {
    let mut digits = match number {
        0..10 => Vec::new(),
        _ => decimal(number / 10),
    };
    digits.push(b"0123456789"[number % 10]);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for number in [0, 7, 10, 65_536, usize::MAX] {
            assert_eq!(decimal(number), number.to_string().into_bytes());
        }
    }
}
