//! What the compiler says of mistakes in a route file: each program of `messages/` does not
//! compile, and the file beside it holds the message. `TRYBUILD=overwrite` writes them anew.

#[test]
fn mistakes_are_compile_errors_that_name_the_fix() {
    trybuild::TestCases::new().compile_fail("tests/messages/*.rs");
}
