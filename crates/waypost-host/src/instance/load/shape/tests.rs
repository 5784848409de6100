use super::*;

fn refused(text: &str) -> Option<&'static str> {
    let bytes = wat::parse_str(text).expect("the text is valid");
    match check_shape(&bytes).err()? {
        ShapeError::TooLarge { what, .. } => Some(what),
        ShapeError::PassesComponents => Some("it passes components"),
        ShapeError::Malformed { reason, .. } => panic!("{reason}"),
    }
}

#[test]
fn ordinary_components_pass() {
    assert_eq!(refused("(component)"), None);
    let text = "(component
        (component $a (core module $m (func)) (core instance (instantiate $m)))
        (instance $x (instantiate $a)) (instance $y (instantiate $a))
        (component $b (alias outer 1 $a (component $c)) (instance (instantiate $c))))";
    assert_eq!(refused(text), None);
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| "(component ".repeat(depth) + &")".repeat(depth);
    assert_eq!(refused(&nested(MAX_DEPTH)), None);
    assert_eq!(
        refused(&nested(MAX_DEPTH + 1)),
        Some("its components are nested too deep")
    );
}

#[test]
fn the_number_of_parts_is_bounded() {
    let flat = |parts: u64| {
        let count = usize::try_from(parts).expect("it is small");
        format!("(component {})", "(component)".repeat(count))
    };
    assert_eq!(refused(&flat(MAX_PARTS - 1)), None);
    assert_eq!(
        refused(&flat(MAX_PARTS)),
        Some("it consists of too many components and modules")
    );
}

/// Each level makes two instances of the one inside: 30 of them would be a billion.
#[test]
fn instances_that_double_are_bounded() {
    let doubled = |levels: usize| {
        let mut text = "(component $c)".to_owned();
        for _ in 0..levels {
            text = format!(
                "(component $c {text} (instance (instantiate $c)) (instance (instantiate $c)))"
            );
        }
        text.replacen("$c ", "", 1)
    };
    assert_eq!(refused(&doubled(10)), None);
    let what = Some("one instance of it consists of too many instances");
    assert_eq!(refused(&doubled(30)), what);
}

/// The same side by side, where each component is seen by the next through an alias.
#[test]
fn instances_that_double_through_aliases_are_bounded() {
    let mut text = "(component (component $c0)".to_owned();
    for level in 1..30 {
        let below = level - 1;
        text += &format!(
            "(component $c{level} (alias outer 1 $c{below} (component $c))
                (instance (instantiate $c)) (instance (instantiate $c)))"
        );
    }
    let what = Some("one instance of it consists of too many instances");
    assert_eq!(refused(&(text + ")")), what);
}

/// A component that gets another makes instances of whatever it is given, so their number is not known.
#[test]
fn components_that_are_passed_on_are_refused() {
    for text in [
        "(component (import \"c\" (component)))",
        "(component (component $c) (export \"c\" (component $c)))",
        "(component (component $c) (instance (export \"c\" (component $c))))",
        "(component (import \"i\" (instance $i (export \"c\" (component)))) (alias export $i \"c\" (component)))",
    ] {
        assert_eq!(refused(text), Some("it passes components"), "{text}");
    }
}

#[test]
fn the_size_of_a_function_is_bounded() {
    let function = |nops: u64| {
        let nops = "nop ".repeat(usize::try_from(nops).expect("it is small"));
        format!("(component (core module (func {nops})))")
    };
    assert_eq!(refused(&function(MAX_FUNCTION - 100)), None);
    assert_eq!(
        refused(&function(MAX_FUNCTION)),
        Some("a function of it has too many bytes")
    );
}

/// 4,000 variables and 25,000 loops: 200 kB that take the compiler more than a gigabyte.
#[test]
fn jumps_over_many_variables_are_bounded() {
    let function = |params: usize, locals: usize, loops: usize| {
        let (params, locals) = ("i32 ".repeat(params), "i32 ".repeat(locals));
        let loops = "(loop (local.set 0 (i32.const 1)) (br_if 0 (local.get 0)))".repeat(loops);
        format!("(component (core module (func (param {params}) (local {locals}) {loops})))")
    };
    let what = Some("a function of it has too many jumps for its number of variables");
    assert_eq!(refused(&function(1, 4_000, 5_000)), None);
    assert_eq!(refused(&function(1, 4_000, 25_000)), what);
    assert_eq!(refused(&function(900, 0, 30_000)), None);
    assert_eq!(refused(&function(900, 0, 40_000)), what);
    let table = "0 ".repeat(20_000);
    let text = format!(
        "(component (core module (func (local {}) (block (br_table {table} (i32.const 0))))))",
        "i32 ".repeat(4_000)
    );
    assert_eq!(refused(&text), what);
}

#[test]
fn jumps_of_all_functions_together_are_bounded() {
    let function = format!(
        "(func (local {}) {})",
        "i32 ".repeat(4_000),
        "(block)".repeat(10_000)
    );
    let module = |count: usize| format!("(core module {})", function.repeat(count));
    let modules = |count: usize| format!("(component {})", module(5).repeat(count));
    let what = Some("its functions have too many jumps for their numbers of variables");
    assert_eq!(refused(&modules(4)), None);
    assert_eq!(refused(&modules(6)), what);
}

#[test]
fn the_bytes_of_types_are_bounded() {
    let name = "n".repeat(90_000);
    let types = format!("(type (enum \"{name}\"))").repeat(400);
    let text = format!("(component {types})");
    assert_eq!(
        refused(&text),
        Some("its types, imports, exports and aliases have too many bytes")
    );
}

#[test]
fn malformed_bytes_are_refused() {
    for bytes in [
        &b""[..],
        b"\0asm",
        b"\0asm\x0d\0\x01\0\x04\xff\xff\xff\xff\x0f",
    ] {
        assert!(matches!(
            check_shape(bytes),
            Err(ShapeError::Malformed { .. })
        ));
    }
}
