//! The report as text: tables, and below each what to do. Alike components and alike obstacles share a line.

use super::Report;
use super::app::{AppReport, Part};
use super::hosts::{HostReport, Verdict};
use super::tools::{State, Tool};
use crate::table;

/// Renders the report, with an empty line between its parts.
pub fn render(report: &Report) -> String {
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
        let purpose = tool.purpose.to_owned();
        [
            tool.name.to_owned(),
            found(tool),
            purpose,
            path.unwrap_or_default(),
        ]
    });
    let mut text = table::align(["TOOL", "FOUND", "FOR", "FILE"], cells);
    // The faults of needed tools are errors, which are printed at the end.
    for tool in tools.iter().filter(|tool| !tool.is_needed) {
        if let Some(fault) = &tool.fault {
            text += &advised(fault, tool.advice.as_deref().unwrap_or_default());
        }
    }
    text
}

fn found(tool: &Tool) -> String {
    let version = tool.version.as_deref();
    match tool.state {
        State::Fine => version.unwrap_or("yes").to_owned(),
        State::TooOld => format!("{}, too old", version.unwrap_or_default()),
        State::Missing => "missing".to_owned(),
        State::Silent => "no answer".to_owned(),
        State::Unclear => "broken".to_owned(),
    }
}

fn of_app(app: &AppReport) -> String {
    let alike = |part: &&Part| (part.wasi.unwrap_or("?").to_owned(), needs(part));
    let cells = groups(app.components.iter(), alike);
    let cells = cells.into_iter().map(|((wasi, needs), parts)| {
        let ids = join(parts.iter().map(|part| part.component.clone()));
        [parts.len().to_string(), wasi, sizes(&parts), needs, ids]
    });
    let mut text = table::align(["COUNT", "WASI", "SIZE", "NEEDS", "COMPONENTS"], cells);
    if app.components.iter().any(|part| part.bytes.is_none()) {
        text += "`cargo waypost build` builds components that are not built\n";
    }
    text
}

/// Returns the sizes of the smallest and the largest of some components.
fn sizes(parts: &[&Part]) -> String {
    let sizes = || parts.iter().filter_map(|part| part.bytes);
    let kilobytes = |bytes: u64| bytes.div_ceil(1_000);
    match (sizes().min().map(kilobytes), sizes().max().map(kilobytes)) {
        (Some(least), Some(most)) if least < most => format!("{least} to {most} kB"),
        (_, Some(size)) => format!("{size} kB"),
        (_, None) => String::new(),
    }
}

/// Returns what a host must have for a component, or its fault.
fn needs(part: &Part) -> String {
    if let Some(fault) = &part.fault {
        return fault.clone();
    }
    let plain = part.wasi.map(|_| "WASI HTTP");
    join(plain.into_iter().chain(part.foreign()).map(str::to_owned))
}

fn of_hosts(hosts: &[HostReport]) -> String {
    let cells = hosts.iter().map(|host| {
        let how = match &host.lacks {
            Some(lacks) => format!("{} ({lacks})", host.how),
            None => host.how.to_owned(),
        };
        [host.host.to_owned(), verdict(host).to_owned(), how]
    });
    let notes = hosts.iter().filter(|host| host.verdict != Verdict::No);
    let notes = notes.filter_map(|host| Some(format!("on {}: {}\n", host.host, host.note?)));
    table::align(["HOST", "SERVES IT", "HOW"], cells)
        + &of_obstacles(hosts)
        + &notes.collect::<String>()
}

/// Obstacles that share a line of the report.
#[derive(Clone, PartialEq)]
struct Line {
    hosts: Vec<String>,
    components: Vec<String>,
    what: Vec<String>,
    advice: String,
}

fn of_obstacles(hosts: &[HostReport]) -> String {
    let lines = hosts.iter().flat_map(lines).collect();
    let lines = merge(lines, |line| &mut line.hosts);
    let lines = merge(lines, |line| &mut line.what);
    let lines = merge(lines, |line| &mut line.components);
    let render = |line: &Line| {
        let hosts = line.hosts.join(", ");
        // The verb is the same for all imports.
        let what = line.what.join(", ").replace(", imports ", ", ");
        let whose = match line.components.is_empty() {
            true => String::new(),
            false => format!(" (`{}`)", line.components.join("`, `")),
        };
        advised(&format!("not on {hosts}: {what}{whose}"), &line.advice)
    };
    lines.iter().map(render).collect()
}

fn lines(host: &HostReport) -> impl Iterator<Item = Line> {
    host.obstacles.iter().map(|obstacle| Line {
        hosts: vec![host.host.to_owned()],
        components: obstacle.component.iter().cloned().collect(),
        what: vec![obstacle.what.clone()],
        advice: obstacle.advice.clone(),
    })
}

/// Merges lines that differ in one field.
fn merge(lines: Vec<Line>, field: fn(&mut Line) -> &mut Vec<String>) -> Vec<Line> {
    let others = |line: &Line| {
        let mut others = line.clone();
        field(&mut others).clear();
        others
    };
    let merged = groups(lines.into_iter(), others).into_iter();
    merged
        .map(|(mut merged, lines)| {
            for mut line in lines {
                field(&mut merged).append(field(&mut line));
            }
            merged
        })
        .collect()
}

/// Groups items by a key, in the order in which the keys come first.
fn groups<T, K: PartialEq>(
    items: impl Iterator<Item = T>,
    key: impl Fn(&T) -> K,
) -> Vec<(K, Vec<T>)> {
    let mut groups: Vec<(K, Vec<T>)> = Vec::new();
    for item in items {
        let key = key(&item);
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, group)) => group.push(item),
            None => groups.push((key, vec![item])),
        }
    }
    groups
}

fn join(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

fn verdict(host: &HostReport) -> &'static str {
    match host.verdict {
        Verdict::Yes => "yes",
        Verdict::NotTried => "should; not tried",
        Verdict::No => "no",
        Verdict::Unknown => "?",
    }
}

fn advised(fault: &str, advice: &str) -> String {
    match advice {
        "" => format!("{fault}\n"),
        advice => format!("{fault}\n  hint: {advice}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::hosts::Obstacle;

    #[test]
    fn alike_obstacles_share_a_line() {
        let obstacle = |component: &str, what: &str| Obstacle {
            component: Some(component.to_owned()),
            what: what.to_owned(),
            advice: "remove it".to_owned(),
        };
        let host = |host, obstacles| HostReport {
            host,
            verdict: Verdict::No,
            obstacles,
            how: "",
            lacks: None,
            note: None,
        };
        let both = |component| {
            let of = |import| obstacle(component, import);
            ["imports `x`", "imports `y`"].map(of)
        };
        let alike = [both("a"), both("b")].concat();
        let other = [alike.clone(), vec![obstacle("b", "is large")]].concat();
        let text = of_obstacles(&[host("One", alike), host("Two", other)]);
        assert_eq!(
            text,
            "not on One, Two: imports `x`, `y` (`a`, `b`)\n  hint: remove it\n\
             not on Two: is large (`b`)\n  hint: remove it\n"
        );
    }
}
