//! The engine, the device and the architecture, which the parser does not report, derived from words in the header.

use super::{Device, DeviceType, Product};

/// Engines that appear by name, with the word before their version.
const ENGINES: [(&str, &str); 4] = [
    ("EdgeHTML", "Edge/"),
    ("Trident", "Trident/"),
    ("Presto", "Presto/"),
    ("Gecko", " rv:"),
];

/// Finds the engine. Chromium has been Blink since version 28, and still calls itself WebKit.
pub(super) fn engine(ua: &str) -> Product {
    for (name, word) in ENGINES {
        let gecko_like = name == "Gecko" && !ua.contains(" Gecko/");
        if let (Some(version), false) = (after(ua, word), gecko_like) {
            return Product::of(name, version);
        }
    }
    match (after(ua, "Chrome/"), after(ua, "AppleWebKit/")) {
        (Some(version), Some(_)) => Product::of("Blink", version),
        (None, Some(version)) => Product::of("WebKit", version),
        (_, None) => Product::default(),
    }
}

/// Words for an architecture, with its name in Next. The 64-bit ones come first, because a browser on such a system
/// may name both.
const ARCHITECTURES: [(&str, &str); 10] = [
    ("x86_64", "amd64"),
    ("amd64", "amd64"),
    ("win64", "amd64"),
    ("wow64", "amd64"),
    ("aarch64", "arm64"),
    ("arm64", "arm64"),
    ("armv7", "armhf"),
    ("i686", "ia32"),
    ("i386", "ia32"),
    ("x86", "ia32"),
];

/// Finds the architecture.
pub(super) fn architecture(ua: &str) -> Option<&'static str> {
    let ua = ua.to_ascii_lowercase();
    let found = ARCHITECTURES.iter().find(|(word, _)| ua.contains(word));
    found.map(|(_, architecture)| *architecture)
}

/// Words of television sets.
const TELEVISION: [&str; 6] = [
    "SMART-TV", "SmartTV", "HbbTV", "Web0S", "AppleTV", "GoogleTV",
];

/// Finds the device; `category` is that of the parser.
pub(super) fn device(ua: &str, category: &str) -> Device {
    let apple = ["iPad", "iPhone", "iPod", "Macintosh"];
    let apple = apple.into_iter().find(|model| ua.contains(model));
    Device {
        kind: kind(ua, category),
        vendor: apple.map(|_| "Apple".to_owned()),
        model: apple.or_else(|| android_model(ua)).map(str::to_owned),
    }
}

fn kind(ua: &str, category: &str) -> Option<DeviceType> {
    if TELEVISION.iter().any(|word| ua.contains(word)) {
        return Some(DeviceType::SmartTv);
    }
    // Chrome sends `Mobile` on a phone and not on a tablet.
    let tablet = ua.contains("iPad") || ua.contains("Android") && !ua.contains("Mobile");
    match category {
        "smartphone" if tablet => Some(DeviceType::Tablet),
        "smartphone" | "mobilephone" => Some(DeviceType::Mobile),
        "appliance" if ua.contains("TV") => Some(DeviceType::SmartTv),
        "appliance" => Some(DeviceType::Console),
        _ => None,
    }
}

/// Returns the model, which follows the version of Android: `(Linux; Android 14; Pixel 8)`.
fn android_model(ua: &str) -> Option<&str> {
    let (_, rest) = ua.split_once("Android ")?;
    let (_, model) = rest.split(')').next()?.split_once("; ")?;
    let model = model.split(" Build/").next()?;
    // Firefox sends the kind of device and the version of its engine, but no model.
    (!model.contains(';') && !model.starts_with("rv:")).then_some(model)
}

/// Returns the version after a word, or `None` if the word is missing.
fn after<'u>(ua: &'u str, word: &str) -> Option<&'u str> {
    let (_, rest) = ua.split_once(word)?;
    let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'));
    Some(&rest[..end.unwrap_or(rest.len())])
}
