use wasmparser::{CanonicalFunction, ElementKind, Instance, Operator, Parser, Payload};

use super::{Compacted, Options, UnknownShape};

/// A component as `wit-component` makes it. `SHIM` is the body of a function of the shim, `MAIN` further items of the main
/// module.
const COMPONENT: &str = r#"(component
    (import "host" (instance $host (export "name" (func (result string)))))
    (import "wasi:cli/exit@0.2.6" (instance $end
        (export "exit" (func (param "status" (result))))))
    (import "wasi:cli/environment@0.2.6" (instance $cli
        (export "get-environment" (func (result (list (tuple string string)))))))
    (core module $main
        (type $out (func (param i32)))
        (import "wasi:cli/exit@0.2.6" "exit" (func $exit (type $out)))
        (import "wasi:cli/environment@0.2.6" "get-environment" (func $environment (type $out)))
        (import "host" "name" (func $name (type $out)))
        (import "host" "now" (func $now (result i32)))
        (memory (export "memory") 1)
        (table 2 2 funcref)
        (elem (i32.const 1) func $run)
        (func $run (export "run") (result i32)
            (call $environment (i32.const 32))
            (call $name (i32.const 8))
            (call $exit (i32.const 1))
            (call $now))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 64) MAIN)
    (core module $shim
        (type $out (func (param i32)))
        (table (export "$imports") 2 2 funcref)
        (func (export "0") (type $out) local.get 0 i32.const 0 call_indirect (type $out))
        (func (export "1") (type $out) SHIM))
    (core module $fix-up
        (import "" "0" (func $environment (param i32)))
        (import "" "1" (func $name (param i32)))
        (import "" "$imports" (table 2 2 funcref))
        (elem (i32.const 0) func $environment $name))
    (core module $other
        (func (export "now") (result i32) i32.const 5))
    (core instance $other (instantiate $other))
    (core instance $shim (instantiate $shim))
    (alias core export $other "now" (core func $now))
    (alias core export $shim "0" (core func $indirect-environment))
    (alias core export $shim "1" (core func $indirect-name))
    (core func $exit (canon lower (func $end "exit")))
    (core instance $host-of-main
        (export "name" (func $indirect-name))
        (export "now" (func $now)))
    (core instance $environment-of-main (export "get-environment" (func $indirect-environment)))
    (core instance $exit-of-main (export "exit" (func $exit)))
    (core instance $main (instantiate $main
        (with "host" (instance $host-of-main))
        (with "wasi:cli/environment@0.2.6" (instance $environment-of-main))
        (with "wasi:cli/exit@0.2.6" (instance $exit-of-main))))
    (alias core export $main "memory" (core memory $memory))
    (alias core export $main "realloc" (core func $realloc))
    (alias core export $shim "$imports" (core table $table))
    (core func $environment
        (canon lower (func $cli "get-environment") (memory $memory) (realloc $realloc)))
    (core func $name (canon lower (func $host "name") (memory $memory) (realloc $realloc)))
    (core instance $arguments
        (export "$imports" (table $table))
        (export "0" (func $environment))
        (export "1" (func $name)))
    (core instance (instantiate $fix-up (with "" (instance $arguments))))
    (func (export "run") (result u32) (canon lift (core func $main "run"))))"#;

/// The imports that a stub meets here.
fn is_stubbed(import: &str) -> bool {
    import.starts_with("wasi:cli/e")
}

fn compact_with(component: &[u8], has_environment: bool) -> Result<Compacted, UnknownShape> {
    let options = Options {
        is_stubbed: &is_stubbed,
        has_environment,
    };
    super::compact(component, options)
}

fn compact(component: &[u8]) -> Result<Vec<u8>, UnknownShape> {
    compact_with(component, false).map(|Compacted { component, .. }| component)
}

const CALL: &str = "local.get 0 i32.const 1 call_indirect (type $out)";

fn component(shim: &str, main: &str) -> Vec<u8> {
    wat::parse_str(text(shim, main)).unwrap()
}

fn text(shim: &str, main: &str) -> String {
    COMPONENT.replace("SHIM", shim).replace("MAIN", main)
}

/// Returns the number of core instances that are instances of a module.
fn core_instances(component: &[u8]) -> usize {
    let payloads = Parser::new(0).parse_all(component).map(Result::unwrap);
    let instances = |payload| match payload {
        Payload::InstanceSection(section) => section.into_iter().collect(),
        _ => Vec::new(),
    };
    let is_of_a_module = |instance: &_| matches!(instance, Ok(Instance::Instantiate { .. }));
    payloads.flat_map(instances).filter(is_of_a_module).count()
}

/// Returns the names of the imports and exports of a component.
fn interface(component: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        match payload.unwrap() {
            Payload::ComponentImportSection(imports) => {
                names.extend(
                    imports
                        .into_iter()
                        .map(|item| item.unwrap().name.name.to_owned()),
                );
            }
            Payload::ComponentExportSection(exports) => {
                names.extend(
                    exports
                        .into_iter()
                        .map(|item| item.unwrap().name.name.to_owned()),
                );
            }
            _ => {}
        }
    }
    names
}

/// Returns the lengths of the tables.
fn tables(component: &[u8]) -> Vec<u64> {
    let payloads = Parser::new(0).parse_all(component).map(Result::unwrap);
    let tables = |payload| match payload {
        Payload::TableSection(section) => section.into_iter().collect(),
        _ => Vec::new(),
    };
    let tables = payloads.flat_map(tables);
    tables.map(|table| table.unwrap().ty.initial).collect()
}

/// Returns the number of lowered functions.
fn lowered(component: &[u8]) -> usize {
    let functions = |payload| match payload {
        Payload::ComponentCanonicalSection(section) => section.into_iter().collect(),
        _ => Vec::new(),
    };
    let payloads = Parser::new(0).parse_all(component).map(Result::unwrap);
    let is_lower = |function: &_| matches!(function, Ok(CanonicalFunction::Lower { .. }));
    payloads.flat_map(functions).filter(is_lower).count()
}

#[test]
fn an_empty_environment_is_a_constant() {
    let component = component(CALL, "");
    let of = |has_environment| compact_with(&component, has_environment).unwrap();
    let (without, with) = (of(false), of(true));
    for compacted in [&without, &with] {
        wasmparser::Validator::new()
            .validate_all(&compacted.component)
            .unwrap();
    }
    assert_eq!(lowered(&component), 3);
    assert_eq!(
        (lowered(&without.component), without.calls_stub),
        (1, false)
    );
    assert_eq!((lowered(&with.component), with.calls_stub), (2, true));
    assert_eq!(core_instances(&without.component), 3);
}

#[test]
fn an_import_met_inside_the_component_is_still_called() {
    let own = text(CALL, "")
        .replace(
            r#"(func (export "now")"#,
            r#"(func (export "environment") (param i32)) (func (export "now")"#,
        )
        .replace(
            "(core func $environment\n        (canon lower (func $cli \"get-environment\") (memory $memory) (realloc $realloc)))",
            r#"(alias core export $other "environment" (core func $environment))"#,
        );
    let component = wat::parse_str(own).unwrap();
    assert_eq!(lowered(&component), 2);
    // Nothing was removed, so both functions are still in their slots.
    let compacted = compact_with(&component, false).unwrap();
    assert_eq!(
        (lowered(&compacted.component), compacted.calls_stub),
        (1, true)
    );
    assert_eq!(tables(&compacted.component), [4]);
}

#[test]
fn the_shim_is_removed() {
    let component = component(CALL, "");
    let compacted = compact(&component).unwrap();
    wac_graph::types::Package::from_bytes(
        "test:part",
        None,
        compacted.clone(),
        &mut wac_graph::types::Types::default(),
    )
    .unwrap();
    assert_eq!(
        (core_instances(&component), tables(&component).len()),
        (4, 2)
    );
    assert_eq!(
        (core_instances(&compacted), tables(&compacted).len()),
        (3, 1)
    );
    assert_eq!(interface(&component), interface(&compacted));
}

#[test]
fn the_main_module_calls_slots_of_its_own_table() {
    let compacted = compact(&component(CALL, "")).unwrap();
    let (mut called, mut traps, mut filled) = (Vec::new(), 0, Vec::new());
    for payload in Parser::new(0).parse_all(&compacted) {
        match payload.unwrap() {
            Payload::ElementSection(section) => {
                for element in section {
                    if let ElementKind::Active { offset_expr, .. } = element.unwrap().kind {
                        filled.push(offset_expr.get_operators_reader().read().unwrap());
                    }
                }
            }
            Payload::CodeSectionEntry(body) => {
                let operators = body.get_operators_reader().unwrap();
                let operators: Vec<_> = operators.into_iter().map(Result::unwrap).collect();
                for pair in operators.windows(2) {
                    if let [Operator::I32Const { value }, Operator::CallIndirect { .. }] = pair {
                        called.push(*value);
                    }
                }
                traps += usize::from(operators.contains(&Operator::Unreachable));
            }
            _ => {}
        }
    }
    assert_eq!((tables(&compacted), called, traps), (vec![3], vec![2], 1));
    let at = |value| Operator::I32Const { value };
    assert_eq!(filled, [at(1), at(2)]);
}

#[test]
fn another_shape_is_refused_with_its_difference() {
    let swapped = text(CALL, "").replace("func $environment $name))", "func $name $environment))");
    assert_eq!(
        compact(&wat::parse_str(swapped).unwrap()),
        Err(UnknownShape::FixUp)
    );
    for (shim, main, expected) in [
        ("unreachable", "", UnknownShape::Shim),
        (
            "local.get 0 i32.const 0 call_indirect (type $out)",
            "",
            UnknownShape::Shim,
        ),
        (
            "i32.const 7 i32.const 1 call_indirect (type $out)",
            "",
            UnknownShape::Shim,
        ),
        (CALL, "(table 1 funcref)", UnknownShape::MainModule),
        (CALL, "(memory 1)", UnknownShape::MainModule),
    ] {
        assert_eq!(
            compact(&component(shim, main)),
            Err(expected),
            "{shim} {main}"
        );
    }
    let no_shim = wat::parse_str("(component (core module))").unwrap();
    assert_eq!(compact(&no_shim), Err(UnknownShape::NoShim));
    let module = wat::parse_str("(module)").unwrap();
    for other in [&module, &Vec::new(), &b"\0asm".to_vec()] {
        assert!(compact(other).is_err());
    }
}

#[test]
fn broken_components_do_not_panic() {
    let component = component(CALL, "");
    for end in 0..component.len() {
        let _ = compact(&component[..end]);
    }
    for index in 0..component.len() {
        let mut broken = component.clone();
        broken[index] ^= 0x55;
        let _ = compact(&broken);
    }
}
