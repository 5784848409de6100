//! What the manifest grants: `/set?k`, `/get?k`, `/keys`, `/delete?k` in the store `default`, `/fill?n`
//! writes n values of 64 KiB there, `/open?s`
//! opens the store `s`, `/variable?v`, `/environment?e`, `/file?f` reads a file, `/write?f` writes one, `/pipe?f` answers
//! with one of the first folder as it is, and exits before it is read.

mod bindings {
    wit_bindgen::generate!({ path: "../../../wit", world: "waypost:host/imports", generate_all });
}

use bindings::spin::key_value::key_value::Store;
use bindings::spin::variables::variables;
use wasip3::filesystem::preopens;
use wasip3::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};
use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wasip3::http_compat::http_into_wasi_response;
use wasip3::wit_future;

struct State;
wasip3::http::service::export!(State);

impl wasip3::exports::http::handler::Guest for State {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let target = request.get_path_with_query().unwrap_or_default();
        let (path, argument) = target.split_once('?').unwrap_or((&target, ""));
        if path == "/pipe" {
            return piped(argument).await;
        }
        http_into_wasi_response(http::Response::new(answer(path, argument.to_owned()).await))
    }
}

async fn piped(name: &str) -> Result<Response, ErrorCode> {
    let folders = preopens::get_directories();
    let (folder, _) = folders.first().ok_or(ErrorCode::DestinationNotFound)?;
    let file = folder
        .open_at(
            PathFlags::empty(),
            name.to_owned(),
            OpenFlags::empty(),
            DescriptorFlags::READ,
        )
        .await
        .map_err(|_| ErrorCode::DestinationNotFound)?;
    let (contents, _) = file.read_via_stream(0);
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (response, _) = Response::new(Fields::new(), Some(contents), trailers);
    Ok(response)
}

async fn answer(path: &str, argument: String) -> String {
    let outcome = match path {
        "/open" => Store::open(argument)
            .await
            .map(|_| "opened".to_owned())
            .map_err(|e| format!("{e:?}")),
        "/variable" => variables::get(argument).await.map_err(|e| format!("{e:?}")),
        "/environment" => std::env::var(argument).map_err(|e| format!("{e:?}")),
        "/file" => std::fs::read_to_string(argument).map_err(|e| format!("{:?}", e.kind())),
        "/write" => std::fs::write(argument, "x")
            .map(|()| "written".to_owned())
            .map_err(|e| format!("{:?}", e.kind())),
        _ => stored(path, argument).await.map_err(|e| format!("{e:?}")),
    };
    outcome.unwrap_or_else(|error| error)
}

async fn stored(
    path: &str,
    key: String,
) -> Result<String, bindings::spin::key_value::key_value::Error> {
    let store = Store::open("default".to_owned()).await?;
    Ok(match path {
        "/set" => {
            store
                .set(key.clone(), format!("value of {key}").into_bytes())
                .await?;
            "set".to_owned()
        }
        "/get" => format!("{:?}", store.get(key).await?.map(String::from_utf8)),
        "/fill" => {
            let value = vec![0; 64 << 10];
            for number in 0..key.parse().unwrap_or(0) {
                store.set(format!("fill {number}"), value.clone()).await?;
            }
            "filled".to_owned()
        }
        "/exists" => store.exists(key).await?.to_string(),
        "/delete" => {
            store.delete(key).await?;
            "deleted".to_owned()
        }
        _ => {
            let (keys, outcome) = store.get_keys().await;
            let keys = keys.collect().await;
            outcome.await?;
            keys.join(",")
        }
    })
}
