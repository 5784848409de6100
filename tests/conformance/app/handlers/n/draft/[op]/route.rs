//! `/n/draft/[op]`: draft mode, switched on and off.

use serde_json::{Value, json};
use waypost::extract::DraftMode;
use waypost::{Context, Json, Result};

async fn get(draft: DraftMode, ctx: Context) -> Result<Json<Value>> {
    let before = draft.is_enabled();
    match ctx.params.get("op").unwrap_or_default() {
        "enable" => draft.enable()?,
        "disable" => draft.disable()?,
        _ => {}
    }
    Ok(Json(
        json!({ "before": before, "after": draft.is_enabled() }),
    ))
}

waypost::export!(get);
