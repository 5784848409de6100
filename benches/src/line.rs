//! [`Line`]: a line of the table, which measures one server.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::native::Framework;
use crate::server;
use crate::workload::Workload;
use crate::workspace::{Need, Workspace};

/// A line of the table.
pub struct Line {
    pub name: &'static str,
    pub is: &'static str,
    pub kind: Kind,
}

/// The server of a line.
#[derive(Clone, Copy)]
pub enum Kind {
    Native(Framework),
    /// The component of the route, without a router.
    Bare(Host),
    /// The app on Waypost's host.
    Up,
    /// The app as one component.
    Composed(Host),
    /// The app on Waypost's host, asked in another way.
    UpWith(Caching),
    /// nginx with a cache in front of plain hyper.
    NginxCache,
    /// Many copies of one route, on Waypost's host.
    UpCopies(usize),
    /// Many copies of one route as one component.
    ComposedCopies(usize, Flags),
    Next,
    Deno,
    Bun,
    Workerd,
}

/// The flags of `wasmtime serve`.
#[derive(Clone, Copy)]
pub enum Flags {
    /// The flags of every line.
    Usual,
    /// Also the flags that `waypost compose` advises.
    Advised,
}

/// What the response cache does with the requests of a line.
#[derive(Clone, Copy)]
pub enum Caching {
    /// The route has no policy.
    None,
    /// The stored response is stale, and a new one is being made.
    Stale,
    /// The client has the response.
    NotModified,
    /// Nothing is stored for any request yet.
    Fill,
}

#[derive(Clone, Copy)]
pub enum Host {
    Waypost,
    Wasmtime,
}

impl Line {
    /// Returns all lines, in the order of the table.
    pub fn all() -> Vec<Self> {
        let line = |name, is, kind| Self { name, is, kind };
        vec![
            line(
                "hyper",
                "hyper alone, native",
                Kind::Native(Framework::Hyper),
            ),
            line("axum", "axum, native", Kind::Native(Framework::Axum)),
            line(
                "bare-wasmtime",
                "the handler alone on `wasmtime serve`",
                Kind::Bare(Host::Wasmtime),
            ),
            line(
                "bare-waypost",
                "the handler alone on `waypost serve`",
                Kind::Bare(Host::Waypost),
            ),
            line("up", "router and handlers on `waypost up`", Kind::Up),
            line(
                "up-uncached",
                "the same response of a route without a cache policy",
                Kind::UpWith(Caching::None),
            ),
            line(
                "up-stale",
                "a stored response that is stale, while a new one is made",
                Kind::UpWith(Caching::Stale),
            ),
            line(
                "up-304",
                "a client that has the stored response",
                Kind::UpWith(Caching::NotModified),
            ),
            line(
                "up-fill",
                "a route with a cache policy, each time with another path",
                Kind::UpWith(Caching::Fill),
            ),
            line(
                "nginx-cache",
                "nginx with `proxy_cache`, in front of hyper",
                Kind::NginxCache,
            ),
            line(
                "composed-wasmtime",
                "the app as one component on `wasmtime serve`",
                Kind::Composed(Host::Wasmtime),
            ),
            line(
                "composed-waypost",
                "the app as one component on `waypost serve`",
                Kind::Composed(Host::Waypost),
            ),
            line(
                "composed-2",
                "2 routes as one component on `wasmtime serve`",
                Kind::ComposedCopies(2, Flags::Usual),
            ),
            line(
                "composed-30",
                "30 routes as one component on `wasmtime serve`",
                Kind::ComposedCopies(30, Flags::Usual),
            ),
            line(
                "composed-30-flags",
                "the same, with the flags that `waypost compose` advises",
                Kind::ComposedCopies(30, Flags::Advised),
            ),
            line("up-10", "10 routes on `waypost up`", Kind::UpCopies(10)),
            line(
                "up-1000",
                "1,000 routes on `waypost up`",
                Kind::UpCopies(1000),
            ),
            line("next", "Next, `next build` and `next start`", Kind::Next),
            line("deno", "Deno", Kind::Deno),
            line("bun", "Bun", Kind::Bun),
            line("workerd", "workerd", Kind::Workerd),
        ]
    }

    /// Returns `workload` as this line is asked for it, or `None` if the line does not serve it.
    pub fn asked(&self, workload: &Workload) -> Option<Workload> {
        let of = |name: &str| (workload.name == name).then_some(workload);
        match self.kind {
            Kind::UpCopies(_) | Kind::ComposedCopies(..) => {
                of("hello").map(|workload| workload.under("/any/r1"))
            }
            Kind::NginxCache => of("cached").cloned(),
            Kind::UpWith(Caching::None) => of("cached").map(|workload| workload.under("/hello")),
            Kind::UpWith(Caching::Stale) => of("cached").map(|workload| workload.under("/stale")),
            Kind::UpWith(Caching::NotModified) => of("cached").map(Workload::not_modified),
            Kind::UpWith(Caching::Fill) => {
                of("numbered").map(|workload| workload.under("/filled/"))
            }
            _ => Some(workload.clone()),
        }
    }

    /// Returns what must be built first.
    pub fn needs(&self) -> Vec<Need> {
        match self.kind {
            Kind::Native(_) => vec![],
            Kind::NginxCache => vec![Need::Nginx],
            Kind::Bare(Host::Waypost) | Kind::Up | Kind::UpWith(_) => vec![Need::App],
            Kind::Bare(Host::Wasmtime) => vec![Need::Wasmtime, Need::App],
            Kind::Composed(Host::Waypost) => vec![Need::Composed],
            Kind::Composed(Host::Wasmtime) => vec![Need::Wasmtime, Need::Composed],
            Kind::UpCopies(count) => vec![Need::Copies(count)],
            Kind::ComposedCopies(count, _) => vec![Need::Wasmtime, Need::ComposedCopies(count)],
            Kind::Next => vec![Need::Next],
            Kind::Deno => vec![Need::Npm("deno")],
            Kind::Bun => vec![Need::Npm("bun")],
            Kind::Workerd => vec![Need::Npm("workerd")],
        }
    }

    /// Returns the command that serves a workload. An error is the reason why it can't.
    pub fn command(
        &self,
        workspace: &Workspace,
        workload: &Workload,
        address: SocketAddr,
    ) -> Result<Command, String> {
        let port = address.port().to_string();
        let scripts = workspace.javascript();
        let state = workspace.run().join(format!("state-{}", self.name));
        Ok(match self.kind {
            Kind::Native(framework) => {
                let program = std::env::current_exe().map_err(|error| error.to_string())?;
                let name = match framework {
                    Framework::Hyper => "hyper",
                    Framework::Axum => "axum",
                };
                with(
                    Command::new(program),
                    ["native", name, &address.to_string()],
                )
            }
            Kind::Bare(host) => serve(
                workspace,
                host,
                &workspace.component(workload.route),
                address,
            ),
            Kind::Composed(host) => serve(workspace, host, &workspace.composed(), address),
            Kind::ComposedCopies(count, flags) => {
                let component = workspace.composed_copies(count);
                let mut command = serve(workspace, Host::Wasmtime, &component, address);
                if let Flags::Advised = flags {
                    let advice = fs::read_to_string(workspace.advice(count));
                    let advice = advice.map_err(|error| error.to_string())?;
                    if advice.is_empty() {
                        return Err("`waypost compose` advises no flags".to_owned());
                    }
                    command.args(advice.split_whitespace());
                }
                command
            }
            Kind::NginxCache => {
                let origin = server::free_address().map_err(|error| error.to_string())?;
                let folder = workspace.run().join("nginx");
                nginx(&folder, address, origin).map_err(|error| error.to_string())?
            }
            Kind::Up | Kind::UpWith(_) | Kind::UpCopies(_) => {
                let app = match self.kind {
                    Kind::UpCopies(count) => workspace.copies(count),
                    _ => workspace.app(),
                };
                let mut command = workspace.waypost(&app);
                command
                    .args([
                        "up",
                        "--no-build",
                        "--no-compile",
                        "--listen",
                        &address.to_string(),
                        "--state-dir",
                    ])
                    .arg(&state)
                    .arg("--cache-dir")
                    .arg(state);
                command
            }
            Kind::Next => {
                let next = scripts.join("node_modules/next/dist/bin/next");
                let mut command = Command::new("node");
                command
                    .arg(next)
                    .args(["start", "-H", "127.0.0.1", "-p", &port])
                    .current_dir(scripts);
                command
            }
            Kind::Deno => {
                let files = ["@deno/linux-x64-glibc/deno", ".bin/deno"];
                let deno = Command::new(
                    workspace
                        .npm(&files)
                        .ok_or("npm has no binary for this machine")?,
                );
                let mut command = with(deno, ["run", "--allow-net", "deno.js", &port]);
                command.current_dir(scripts);
                command
            }
            Kind::Bun => {
                let files = ["@oven/bun-linux-x64/bin/bun", ".bin/bun"];
                let bun = Command::new(
                    workspace
                        .npm(&files)
                        .ok_or("npm has no binary for this machine")?,
                );
                let mut command = with(bun, ["bun.js", &port]);
                command.current_dir(scripts);
                command
            }
            Kind::Workerd => {
                let files = ["@cloudflare/workerd-linux-64/bin/workerd", ".bin/workerd"];
                let workerd = Command::new(
                    workspace
                        .npm(&files)
                        .ok_or("npm has no binary for this machine")?,
                );
                let mut command = with(
                    workerd,
                    [
                        "serve",
                        "workerd.capnp",
                        &format!("--socket-addr=http={address}"),
                    ],
                );
                command.current_dir(scripts);
                command
            }
        })
    }
}

/// Returns the command that serves hyper's responses from a cache. It ends with hyper.
fn nginx(folder: &Path, address: SocketAddr, origin: SocketAddr) -> std::io::Result<Command> {
    fs::create_dir_all(folder)?;
    let at = folder.display();
    let config = format!(
        "daemon off;\nworker_processes auto;\npid {at}/pid;\nerror_log {at}/error.log;\n\
         events {{ worker_connections 4096; }}\n\
         http {{\n\
         access_log off;\nkeepalive_requests 1000000000;\n\
         proxy_temp_path {at}/proxy;\nclient_body_temp_path {at}/body;\n\
         fastcgi_temp_path {at}/fastcgi;\nuwsgi_temp_path {at}/uwsgi;\nscgi_temp_path {at}/scgi;\n\
         proxy_cache_path {at}/cache keys_zone=all:10m;\n\
         server {{\nlisten {address};\nlocation / {{\n\
         proxy_pass http://{origin};\nproxy_cache all;\nproxy_cache_valid 200 1h;\n\
         add_header x-cache $upstream_cache_status;\n}}\n}}\n}}\n"
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, config)?;
    let mut command = Command::new("sh");
    command
        .args(["-c", "\"$0\" native hyper \"$1\" & exec nginx -c \"$2\""])
        .arg(std::env::current_exe()?)
        .arg(origin.to_string())
        .arg(file);
    Ok(command)
}

fn serve(workspace: &Workspace, host: Host, component: &Path, address: SocketAddr) -> Command {
    let address = address.to_string();
    let mut command = match host {
        Host::Wasmtime => with(
            Command::new("wasmtime"),
            ["serve", "-Scli", "--addr", &address],
        ),
        Host::Waypost => {
            let mut command = with(
                workspace.waypost(&workspace.run()),
                ["serve", "--listen", &address, "--cache-dir"],
            );
            command.arg(workspace.run().join("state-serve"));
            command
        }
    };
    command.arg(component);
    command
}

fn with<const N: usize>(mut command: Command, arguments: [&str; N]) -> Command {
    command.args(arguments);
    command
}
