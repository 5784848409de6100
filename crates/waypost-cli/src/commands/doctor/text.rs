//! The report of the doctor as people read it: tables, and below each what to do.

use super::Report;
use crate::doctor::{AppReport, HostReport, Part, State, Tool, Verdict};
use crate::table;

/// The report, with an empty line between its parts.
pub(super) fn render(report: &Report) -> String {
    let mut parts = vec![of_tools(&report.tools)];
    if let Some(app) = &report.app {
        parts.push(of_app(app));
        parts.push(of_hosts(&report.hosts));
    }
    parts.join("\n")
}

fn of_tools(tools: &[Tool]) -> String {
    let cells = tools.iter().map(|tool| {
        let path = tool.path.as_ref();
        let path = path.map(|path| path.display().to_string());
        [
            tool.name.clone(),
            found(tool),
            tool.purpose.clone(),
            path.unwrap_or_default(),
        ]
    });
    let mut text = table::align(["TOOL", "FOUND", "FOR", "FILE"], cells);
    // What is needed is an error, at the end.
    let optional = tools.iter().filter(|tool| !tool.is_needed);
    for tool in optional {
        if let Some(fault) = &tool.fault {
            text += &advised(fault, tool.advice.as_deref());
        }
    }
    text
}

fn found(tool: &Tool) -> String {
    match (tool.state, &tool.version) {
        (State::Fine, Some(version)) => version.clone(),
        (State::Fine, None) => "yes".to_owned(),
        (State::TooOld, Some(version)) => format!("{version}, too old"),
        (State::TooOld, None) => "too old".to_owned(),
        (State::Missing, _) => "missing".to_owned(),
        (State::Silent, _) => "no answer".to_owned(),
        (State::Unclear, _) => "broken".to_owned(),
    }
}

fn of_app(app: &AppReport) -> String {
    let cells = app.components.iter().map(|part| {
        [
            part.component.clone(),
            part.pattern.clone().unwrap_or_default(),
            part.wasi.clone().unwrap_or_else(|| "?".to_owned()),
            size(part),
            needs(part),
        ]
    });
    let mut text = table::align(["COMPONENT", "PATTERN", "WASI", "SIZE", "NEEDS"], cells);
    if app.components.iter().any(|part| part.bytes.is_none()) {
        text += "`cargo waypost build` builds what is not built\n";
    }
    text
}

fn size(part: &Part) -> String {
    match part.bytes {
        Some(bytes) => format!("{} kB", bytes.div_ceil(1_000)),
        None => String::new(),
    }
}

/// What a host must have for it: what all have is one word.
fn needs(part: &Part) -> String {
    if let Some(fault) = &part.fault {
        return fault.clone();
    }
    let plain = part.wasi.iter().map(|_| "WASI HTTP");
    plain.chain(part.foreign()).collect::<Vec<_>>().join(", ")
}

fn of_hosts(hosts: &[HostReport]) -> String {
    let cells = hosts.iter().map(|host| {
        let lacks = host.lacks.as_ref();
        let how = match lacks {
            Some(lacks) => format!("{} ({lacks})", host.how),
            None => host.how.to_owned(),
        };
        [host.host.to_owned(), verdict(host).to_owned(), how]
    });
    let mut text = table::align(["HOST", "SERVES IT", "HOW"], cells);
    for host in hosts {
        for obstacle in &host.obstacles {
            let what = match &obstacle.component {
                Some(component) => format!("`{component}` {}", obstacle.what),
                None => obstacle.what.clone(),
            };
            text += &advised(
                &format!("not {}: {what}", host.host),
                Some(&obstacle.advice),
            );
        }
    }
    text
}

fn verdict(host: &HostReport) -> &'static str {
    match host.verdict {
        Verdict::Yes => "yes",
        Verdict::NotTried => "should; not tried",
        Verdict::No => "no",
        Verdict::Unknown => "?",
    }
}

fn advised(fault: &str, advice: Option<&str>) -> String {
    match advice {
        Some(advice) => format!("{fault}\n  hint: {advice}\n"),
        None => format!("{fault}\n"),
    }
}
