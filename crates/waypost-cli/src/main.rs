//! The `waypost` binary; everything it does is in the library.

use std::process::ExitCode;

/// A request makes some hundred small allocations, on one thread and freed on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    keep_pages_small();
    waypost_cli::run(std::env::args_os())
}

/// Has the system back memory with ordinary pages. The allocator asks it for pages of 2 MiB, of which a host with some
/// instances uses a fraction each.
#[cfg(target_os = "linux")]
fn keep_pages_small() {
    let (on, unused): (libc::c_ulong, libc::c_ulong) = (1, 0);
    // SAFETY: this sets an attribute of the process (prctl(2)) and touches no memory. A system that does not know it
    // goes on as it was.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, on, unused, unused, unused) };
}
