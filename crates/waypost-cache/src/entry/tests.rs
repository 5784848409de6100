use sha2::{Digest as _, Sha256};

use super::*;

fn entry() -> Entry {
    let pair = |byte| TokenPair {
        soft: Token([byte; 16]),
        hard: Token([byte + 1; 16]),
    };
    Entry {
        key: Key::from_encoded(b"the key".to_vec()),
        status: 200,
        headers: vec![("content-type".to_owned(), b"text/plain".to_vec())],
        tags: vec!["posts".to_owned()],
        tokens: Tokens {
            epoch: Token([9; 16]),
            pairs: vec![pair(1), pair(3)],
        },
        life: Life::new(
            Some(Duration::from_secs(60)),
            Some(Duration::from_secs(100)),
        )
        .unwrap(),
        made: Duration::from_millis(1_000_001),
    }
}

/// Replaces the checksum, as a writer with a fault of its own would.
fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() - 16);
    let digest = Sha256::digest(&bytes);
    bytes.extend(&digest[..16]);
    bytes
}

#[test]
fn an_entry_is_decoded_as_it_was_encoded() {
    for body in [&[][..], &[b"".as_slice()], &[b"hello, ", b"world"]] {
        let bytes = entry().to_bytes(body);
        assert_eq!(Entry::from_bytes(&bytes), Ok((entry(), body.to_vec())));
    }
}

#[test]
fn the_encoding_is_stable() {
    // Another encoding needs another `VERSION`. The last bytes are the digest of all others.
    let bytes = entry().to_bytes(&[b"body"]);
    assert_eq!(bytes[..6], *b"WPC\x01\xc8\0");
    assert_eq!(bytes[bytes.len() - 4..], [24, 128, 197, 234]);
}

#[test]
fn every_truncation_and_every_flipped_bit_is_found() {
    let bytes = entry().to_bytes(&[b"body"]);
    for end in 0..bytes.len() {
        assert_eq!(Entry::from_bytes(&bytes[..end]), Err(EntryError::Damaged));
    }
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(Entry::from_bytes(&damaged).is_err(), "{bit}");
    }
    let longer = [bytes.as_slice(), b"x"].concat();
    assert_eq!(Entry::from_bytes(&longer), Err(EntryError::Damaged));
}

#[test]
fn another_version_is_an_error() {
    let mut bytes = entry().to_bytes(&[]);
    bytes[3] = 2;
    let error = Entry::from_bytes(&bytes).unwrap_err();
    assert_eq!(error, EntryError::Version(2));
    assert_eq!(
        error.to_string(),
        "the cache entry has the version 2, not 1"
    );
}

#[test]
fn lengths_are_not_trusted() {
    let bytes = entry().to_bytes(&[]);
    // The length of the key is at 30. After it, each length in turn claims 4 GiB.
    for at in 30..bytes.len() - 20 {
        let mut damaged = bytes.clone();
        damaged[at..at + 4].fill(0xFF);
        let damaged = with_checksum(damaged);
        let result = Entry::from_bytes(&damaged);
        let is_unchanged = result.is_ok_and(|(found, _)| found == entry());
        assert!(!is_unchanged, "{at}");
    }
}

#[test]
fn invalid_parts_are_errors_even_if_the_checksum_is_right() {
    let damaged = |change: fn(&mut Entry)| {
        let mut entry = entry();
        change(&mut entry);
        Entry::from_bytes(&entry.to_bytes(&[])).err()
    };
    let expected = Some(EntryError::Damaged);
    assert_eq!(damaged(|_| {}), None);
    assert_eq!(damaged(|entry| entry.status = 199), expected);
    assert_eq!(damaged(|entry| entry.status = 600), expected);
    assert_eq!(
        damaged(|entry| entry.headers[0].0 = "A".to_owned()),
        expected
    );
    assert_eq!(
        damaged(|entry| entry.headers[0].0 = "a: b".to_owned()),
        expected
    );
    assert_eq!(
        damaged(|entry| entry.headers[0].1 = b"a\r\nb: c".to_vec()),
        expected
    );
    let mut bytes = entry().to_bytes(&[]);
    // `expire` is less than `revalidate`.
    bytes[14] = 59;
    assert_eq!(Entry::from_bytes(&with_checksum(bytes)).err(), expected);
}

#[test]
fn verdicts_join_age_and_tokens() {
    let entry = entry();
    let now = |seconds| Duration::from_secs(seconds);
    let current = entry.tokens.pairs.clone();
    assert_eq!(entry.verdict(&current, now(1001)), Verdict::Fresh);
    assert_eq!(entry.verdict(&current, now(1070)), Verdict::Stale);
    assert_eq!(entry.verdict(&current, now(1101)), Verdict::Gone);
    let mut soft = current.clone();
    soft[0].soft = Token([7; 16]);
    assert_eq!(entry.verdict(&soft, now(1001)), Verdict::Stale);
    assert_eq!(entry.verdict(&soft, now(1101)), Verdict::Gone);
    let mut hard = current;
    hard[1].hard = Token([7; 16]);
    assert_eq!(entry.verdict(&hard, now(1001)), Verdict::Gone);
    assert_eq!(entry.age(now(1002)), Duration::from_millis(1999));
    assert_eq!(entry.age(now(0)), Duration::ZERO);
}

#[test]
fn an_equal_epoch_needs_no_tokens() {
    let entry = entry();
    let verdict =
        |epoch, seconds| entry.verdict_of_epoch(Token([epoch; 16]), Duration::from_secs(seconds));
    assert_eq!(verdict(9, 1001), Some(Verdict::Fresh));
    assert_eq!(verdict(9, 1070), Some(Verdict::Stale));
    assert_eq!(verdict(8, 1001), None);
}

#[test]
fn the_weight_counts_everything() {
    let mut entry = entry();
    let weight = entry.weight(100);
    assert_eq!(weight - entry.weight(0), 100);
    entry.headers.push(("x-a".to_owned(), vec![0; 10]));
    assert_eq!(entry.weight(100), weight + 3 + 10 + 64);
    entry.tags.push("ab".to_owned());
    entry.tokens.pairs.push(TokenPair::default());
    entry.key = Key::from_encoded(vec![0; 1007]);
    assert_eq!(entry.weight(100), weight + 77 + 66 + 32 + 1000);
    assert_eq!(entry.weight(usize::MAX), usize::MAX);
}

#[test]
fn an_encoded_entry_is_not_larger_than_its_weight() {
    let bytes = entry().to_bytes(&[b"body"]);
    assert!(bytes.len() <= entry().weight(4));
}
