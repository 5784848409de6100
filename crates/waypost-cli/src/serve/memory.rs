//! Keeps the memory of a serving process small.

use libmimalloc_sys::{mi_collect, mi_option_set_default, mi_option_t};

/// `mi_option_purge_delay`: how long free pages are kept, in milliseconds. The bindings do not name it.
const PURGE_DELAY: mi_option_t = 15;

/// Returns free pages to the system at once instead of after a second, and turns off pages of 2 MiB, of which most
/// would stay unused.
///
/// Compiling a component takes a tenth longer with this; requests do not. The environment variable
/// `MIMALLOC_PURGE_DELAY` overrides it.
pub(super) fn keep_small() {
    leave_small_pages();
    give_back();
}

#[expect(
    unsafe_code,
    reason = "the allocator has no other way to set an option"
)]
fn give_back() {
    // SAFETY: the first function has no preconditions. The second stores a number; a thread that frees memory
    // meanwhile reads the old or the new one.
    unsafe {
        // Pages that are free already are returned now.
        mi_collect(true);
        mi_option_set_default(PURGE_DELAY, 0);
    }
}

/// Child processes inherit the setting, which can make them slower and nothing else.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "a system call that no library here has")]
fn leave_small_pages() {
    let (on, unused): (libc::c_ulong, libc::c_ulong) = (1, 0);
    // SAFETY: this sets an attribute of the process (prctl(2)) and touches no memory. A system that does not know the
    // attribute returns an error and changes nothing.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, on, unused, unused, unused) };
}

/// Other systems do not make huge pages by themselves.
#[cfg(not(target_os = "linux"))]
fn leave_small_pages() {}

#[cfg(test)]
mod tests {
    use super::PURGE_DELAY;
    use libmimalloc_sys::mi_option_get;

    #[test]
    #[expect(
        unsafe_code,
        reason = "the allocator has no other way to tell an option"
    )]
    fn the_option_is_the_delay() {
        // SAFETY: the function reads a number.
        let default = unsafe { mi_option_get(PURGE_DELAY) };
        assert_eq!(default, 1000, "no other option has this default");
    }
}
