//! In-memory replacements for a host's interfaces in native tests, with the names and signatures of `spin-sdk` 7.0,
//! so that the same handler compiles in a test and in a component.
//!
//! Their contents belong to one thread, and exist only during the call that sets them.

pub mod key_value;
pub mod sqlite;
pub mod variables;

/// Checks that a handler that uses all of it also compiles with `spin-sdk` itself.
#[cfg(test)]
mod tests {
    use crate::test::{block_on, with_stores, with_variables};

    macro_rules! handlers {
        ($name:ident of $origin:ident) => {
            #[allow(
                dead_code,
                reason = "those of `spin-sdk` need a host: they only compile"
            )]
            mod $name {
                use $origin::key_value::{Error, Keys, Store};
                use $origin::sqlite::{Connection, QueryResult, RowResult, Value};
                use $origin::variables;

                pub async fn values(store: &Store) -> Result<Vec<u8>, Error> {
                    store.set("a", "1").await?;
                    store.set(String::from("b"), [2]).await?;
                    store.delete("b").await?;
                    assert!(store.exists("a").await? && !store.exists("b").await?);
                    Ok(store.get("a").await?.unwrap_or_default())
                }

                pub async fn json(store: &Store) -> Result<Option<Vec<u32>>, anyhow::Error> {
                    store.set_json("list", &[1, 2]).await?;
                    store.get_json("list").await
                }

                pub async fn keys(store: &Store) -> Result<Vec<String>, Error> {
                    let mut keys: Keys = store.get_keys().await;
                    let first: Option<String> = keys.next().await;
                    keys.result().await?;
                    let all = store.get_keys().await.collect().await?;
                    assert_eq!(first.as_ref(), all.first());
                    Ok(all)
                }

                pub async fn opened(label: &str) -> Result<(Store, Store), Error> {
                    Ok((Store::open_default().await?, Store::open(label).await?))
                }

                pub async fn variable(name: &str) -> Result<String, variables::Error> {
                    match variables::get(name).await {
                        Err(variables::Error::Undefined(_)) => Ok("none".to_owned()),
                        found => found,
                    }
                }

                pub async fn names() -> Result<Vec<String>, $origin::sqlite::Error> {
                    let database = Connection::open_default().await?;
                    let _ = Connection::open("other").await?;
                    let mut rows: QueryResult = database
                        .execute("SELECT name FROM users WHERE age > ?", [Value::Integer(7)])
                        .await?;
                    assert_eq!(rows.columns(), ["name"]);
                    let row: Option<RowResult> = rows.next().await;
                    let first = row.and_then(|row| row.get::<&str>(0).map(str::to_owned));
                    rows.result().await?;
                    let rest = database.execute("SELECT name FROM users", []).await?;
                    let rest = rest.collect().await?.len();
                    let counts = (database.changes().await, database.last_insert_rowid().await);
                    Ok(Vec::from_iter(
                        first.or_else(|| Some(format!("{rest} {counts:?}"))),
                    ))
                }
            }
        };
    }

    handlers!(component of spin_sdk);
    handlers!(native of crate);

    #[test]
    fn stores_are_there_for_a_test() {
        let (first, again) = with_stores(["default", "orders"], || {
            block_on(async {
                let (default, orders) = native::opened("orders").await.unwrap();
                assert_eq!(native::values(&default).await.unwrap(), b"1");
                assert_eq!(native::json(&default).await.unwrap().unwrap(), [1, 2]);
                assert_eq!(native::keys(&default).await.unwrap(), ["a", "list"]);
                assert!(native::keys(&orders).await.unwrap().is_empty());
                let again = native::opened("orders").await.unwrap().0;
                (
                    default.get("a").await.unwrap(),
                    again.get("a").await.unwrap(),
                )
            })
        });
        assert_eq!(first, again);
        let empty = with_stores(["default"], || {
            block_on(async { native::keys(&native::opened("default").await?.0).await })
        });
        assert!(empty.unwrap().is_empty());
    }

    #[test]
    fn what_is_not_granted_says_how_to_grant_it() {
        let error = block_on(native::opened("orders")).err().unwrap();
        let error = crate::Error::from(error).to_string();
        assert!(
            error.contains("`key_value_stores`") && error.contains("with_stores"),
            "{error}"
        );
        let error = block_on(crate::variables::get("a")).unwrap_err();
        let error = crate::Error::from(error).to_string();
        assert!(
            error.contains("[component.") && error.contains("with_variables"),
            "{error}"
        );
        let error = block_on(native::names()).unwrap_err();
        let error = crate::Error::from(error).to_string();
        assert!(error.contains("a native test has no SQLite"), "{error}");
    }

    #[test]
    fn variables_are_there_for_a_test() {
        let read = |name: &str| block_on(native::variable(name));
        let (key, other) =
            with_variables([("api_key", "7f3a")], || (read("api_key"), read("other")));
        assert_eq!(
            (key.unwrap().as_str(), other.unwrap().as_str()),
            ("7f3a", "none")
        );
        assert_eq!(read("api_key").unwrap(), "none");
        let error = block_on(crate::variables::get("Api-Key")).unwrap_err();
        assert!(matches!(error, crate::variables::Error::InvalidName(_)));
    }
}
