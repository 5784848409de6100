//! Bindings to the interfaces in `wit/`, made by Wasmtime.

wasmtime::component::bindgen!({
    path: "wit",
    world: "waypost:host/imports",
    imports: {
        "spin:key-value/key-value@3.0.0": async | store | trappable,
        default: async | trappable,
    },
    with: {
        "spin:key-value/key-value@3.0.0.store": crate::key_value::OpenStore,
        "fermyon:spin/key-value@2.0.0.store": crate::key_value::OpenStore,
    },
});
