//! `waypost cache`: the response cache of a running app.

mod answers;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Value, json};
use waypost_config::{Fault, Settings};

use crate::admin::Admin;
use crate::cli::AppArgs;
use crate::failure::Failure;
use crate::listen::Listen;
use crate::output;
use crate::table::align;
use answers::{Entry, Listing, Revalidated, details};

/// The path of the cache on an admin address.
const CACHE: &str = "/.well-known/waypost/cache";

/// The most responses that the app lists.
const MOST: u16 = 1000;

/// List, show and revalidate the stored responses of a running app
///
/// Asks the app at its admin address: `admin` in `[server]` of `waypost.toml`, or `--admin`. Bodies are not shown.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo waypost cache ls --prefix /blog                  what is stored below `/blog`
  cargo waypost cache show /blog/first                   all about the responses of one path
  cargo waypost cache revalidate --tag posts             make new responses in the background
  cargo waypost cache revalidate --tag posts --expire    serve no old ones
  cargo waypost cache revalidate --path /blog/first --admin 10.0.0.7:9090")]
pub struct CacheArgs {
    #[command(subcommand)]
    action: ActionArgs,
}

#[derive(Debug, clap::Subcommand)]
enum ActionArgs {
    Ls(LsArgs),
    Show(ShowArgs),
    Revalidate(RevalidateArgs),
}

/// List stored responses, ordered by path
///
/// FRESH is for how long a response is fresh, `-` if until it is revalidated; HITS is how often it was served.
#[derive(Debug, clap::Args)]
struct LsArgs {
    /// Only paths that begin with this text
    #[arg(long, value_name = "PATH")]
    prefix: Option<String>,
    /// Only responses with this tag
    #[arg(long)]
    tag: Option<String>,
    /// How many at most
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST)))]
    limit: u16,
    #[command(flatten)]
    to: AdminArgs,
}

/// Show all about stored responses, but their bodies
#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// The id from `ls`, or a path, which stands for all responses of it
    #[arg(value_name = "ID|PATH")]
    which: String,
    #[command(flatten)]
    to: AdminArgs,
}

/// Revalidate tags, paths and routes, and say how many responses that concerns
///
/// Responses with a tag become stale: they are served until a new one is made. With `--expire`, and for paths and routes, the next
/// request waits for a new one.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true).args(["tag", "path", "below", "route"]))]
struct RevalidateArgs {
    /// A tag; can be repeated
    #[arg(long)]
    tag: Vec<String>,
    /// A path, with any query; can be repeated
    #[arg(long)]
    path: Vec<String>,
    /// A path and all below it, `/` for everything; can be repeated
    #[arg(long, value_name = "PATH")]
    below: Vec<String>,
    /// The pattern of a route, such as `/blog/[slug]`; can be repeated
    #[arg(long, value_name = "PATTERN")]
    route: Vec<String>,
    /// Serve no old responses with the tags
    #[arg(long, requires = "tag")]
    expire: bool,
    #[command(flatten)]
    to: AdminArgs,
}

/// The running app, and the form of the output.
#[derive(Debug, clap::Args)]
struct AdminArgs {
    /// The admin address of the running app [default: the one in `waypost.toml`]
    #[arg(long, value_name = "ADDR")]
    admin: Option<Listen>,
    /// Print JSON, as the app sends it
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    app: AppArgs,
}

/// An action on the cache of a running app.
pub struct CacheCommand {
    admin: Admin,
    form: Form,
    action: Action,
}

enum Action {
    List { query: String },
    Show { which: String },
    Revalidate { body: Value },
}

enum Form {
    Table,
    Json,
}

impl CacheArgs {
    pub fn resolve(self) -> anyhow::Result<CacheCommand> {
        let (to, action) = match self.action {
            ActionArgs::Ls(args) => {
                let query = query(args.limit, args.prefix.as_deref(), args.tag.as_deref());
                (args.to, Action::List { query })
            }
            ActionArgs::Show(args) => (args.to, Action::Show { which: args.which }),
            ActionArgs::Revalidate(args) => {
                let body = json!({
                    "tags": args.tag,
                    "paths": args.path,
                    "below": args.below,
                    "routes": args.route,
                    "expire": args.expire,
                });
                (args.to, Action::Revalidate { body })
            }
        };
        Ok(CacheCommand {
            admin: to.admin()?,
            form: if to.json { Form::Json } else { Form::Table },
            action,
        })
    }
}

impl AdminArgs {
    fn admin(&self) -> anyhow::Result<Admin> {
        let address = match &self.admin {
            Some(address) => Some(address.resolve()?),
            None => match self.app.find_any()? {
                Some(app) => Settings::load(&app.waypost_toml())?.server.admin,
                None => None,
            },
        };
        let address = address.filter(|address| address.port() != 0);
        let address = address.ok_or_else(|| {
            Failure::new("the admin address of the app is not known").hint(
                "name it with `--admin 127.0.0.1:9090`, or write `admin = \"127.0.0.1:9090\"` in `[server]` of `waypost.toml` and start the app again",
            )
        })?;
        Ok(Admin::at(address))
    }
}

impl CacheCommand {
    pub fn exec(self) -> anyhow::Result<()> {
        match &self.action {
            Action::List { query } => self.list(query),
            Action::Show { which } => self.show(which),
            Action::Revalidate { body } => self.revalidate(body),
        }
    }

    fn list(&self, query: &str) -> anyhow::Result<()> {
        let answer = self.admin.get(&format!("{CACHE}?{query}"))?;
        let list = Listing::deserialize(&answer).context(UNKNOWN_FORM)?;
        self.print(&answer, || {
            let rows = list.entries.iter().map(Entry::row);
            align(
                [
                    "ID", "STATUS", "STATE", "AGE", "FRESH", "SIZE", "HITS", "PATH", "TAGS",
                ],
                rows,
            )
        })?;
        output::note(&list.summary());
        Ok(())
    }

    fn show(&self, which: &str) -> anyhow::Result<()> {
        let ids = match which.starts_with('/') {
            false => vec![which.to_owned()],
            true => self.ids_of(which)?,
        };
        let mut shown = Vec::new();
        for id in ids {
            let id: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
            shown.push(self.admin.get(&format!("{CACHE}/{id}"))?);
        }
        let tables = || -> Vec<String> { shown.iter().map(details).collect() };
        self.print(&shown.as_slice().into(), || tables().join("\n"))
    }

    /// Returns the ids of the stored responses of a path.
    fn ids_of(&self, path: &str) -> anyhow::Result<Vec<String>> {
        let query = query(MOST, Some(path), None);
        let answer = self.admin.get(&format!("{CACHE}?{query}"))?;
        let list = Listing::deserialize(&answer).context(UNKNOWN_FORM)?;
        let of_path = list.entries.into_iter().filter(|entry| entry.path == path);
        let ids: Vec<_> = of_path.map(|entry| entry.id).collect();
        match ids.is_empty() {
            true => Err(Failure::new(format!("no response of `{path}` is stored"))
                .hint("`cargo waypost cache ls` lists what is stored")
                .into()),
            false => Ok(ids),
        }
    }

    fn revalidate(&self, body: &Value) -> anyhow::Result<()> {
        let answer = self.admin.post(&format!("{CACHE}/revalidate"), body)?;
        let done = Revalidated::deserialize(&answer).context(UNKNOWN_FORM)?;
        self.print(&answer, || {
            let rows = done.revalidated.iter();
            align(
                ["REVALIDATED", "RESPONSES"],
                rows.map(|row| [row.what.clone(), row.entries.to_string()]),
            )
        })?;
        for warning in done.warnings {
            output::fault(&Fault::warning(warning));
        }
        Ok(())
    }

    fn print(&self, answer: &Value, table: impl FnOnce() -> String) -> anyhow::Result<()> {
        output::print(&match self.form {
            Form::Table => table(),
            Form::Json => serde_json::to_string_pretty(answer)? + "\n",
        });
        Ok(())
    }
}

const UNKNOWN_FORM: &str = "the app answers in another form; is it of another version?";

fn query(limit: u16, prefix: Option<&str>, tag: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("limit", &limit.to_string());
    for (name, value) in [("prefix", prefix), ("tag", tag)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    query.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_escaped() {
        assert_eq!(
            query(5, Some("/a b"), Some("x&y")),
            "limit=5&prefix=%2Fa+b&tag=x%26y"
        );
        assert_eq!(query(5, None, None), "limit=5");
    }
}
