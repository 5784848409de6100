//! The client by its `User-Agent` header, like Next's
//! [`userAgent`](https://nextjs.org/docs/app/api-reference/functions/userAgent).
//!
//! [`woothee`] detects the browser and the operating system. Engine, device and architecture are derived from words that
//! most clients send. A client can send any header, so don't rely on it.

mod bots;
mod words;

use http::header;
use serde::Serialize;
use woothee::parser::{Parser, WootheeResult};

use crate::extract::{Exchange, FromRequest};
use crate::message::header_value::latin1;
use crate::{Request, Result};

/// The client by its `User-Agent` header: from [`Request::user_agent`], or an argument of a handler.
///
/// Unknown values are `None`. As JSON it has the names of Next, such as `isBot` and `device.type`.
///
/// # Examples
///
/// ```
/// use waypost::user_agent::{DeviceType, UserAgent};
///
/// async fn get(agent: UserAgent) -> &'static str {
///     match agent.device.kind {
///         _ if agent.is_bot => "beep",
///         Some(DeviceType::Mobile) => "a small page",
///         _ => "a large page",
///     }
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct UserAgent {
    /// The header itself, empty if the client sent none.
    pub ua: String,
    /// Whether the client is a bot: a crawler that [`woothee`] knows, a link preview, or a client that calls itself a
    /// bot.
    pub is_bot: bool,
    /// The browser: `Chrome`, `Firefox`, `Safari`, `Edge`…
    pub browser: Product,
    /// The engine: `Blink`, `Gecko`, `WebKit`, `EdgeHTML`, `Trident` or `Presto`.
    pub engine: Product,
    /// The operating system: `Windows`, `Mac OS`, `iOS`, `Android`, `Linux`, `ChromeOS`…
    pub os: Product,
    /// The device.
    pub device: Device,
    /// The processor.
    pub cpu: Cpu,
}

/// A piece of software, with its version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Product {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its version, as the client writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// A device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Device {
    /// Its type. As in Next `None` for a desktop computer, or if it is unknown.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<DeviceType>,
    /// Its maker, if that is Apple.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Its model: for Apple's devices, and for Android devices as the client writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// The type of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DeviceType {
    /// A telephone.
    Mobile,
    /// A tablet.
    Tablet,
    /// A games console.
    Console,
    /// A television set.
    SmartTv,
}

/// A processor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Cpu {
    /// Its architecture: `amd64`, `ia32`, `arm64` or `armhf`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
}

impl UserAgent {
    /// Parses the value of a `User-Agent` header.
    ///
    /// # Examples
    ///
    /// ```
    /// use waypost::user_agent::UserAgent;
    ///
    /// let agent = UserAgent::parse(
    ///     "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
    /// );
    /// assert_eq!(agent.browser.name.as_deref(), Some("Firefox"));
    /// assert_eq!(agent.browser.version.as_deref(), Some("128.0"));
    /// assert_eq!(agent.os.name.as_deref(), Some("Windows"));
    /// ```
    pub fn parse(ua: &str) -> Self {
        let parser = Parser::new();
        let found = parser.parse(ua).unwrap_or_default();
        let is_bot = found.category == "crawler" || bots::is_bot(ua);
        // A bot may claim to be a browser on a device, as Google's for phones does. As in Next these are separate answers.
        let claimed = if is_bot { bots::claimed(ua) } else { ua.into() };
        let found = match is_bot {
            true => parser.parse(&claimed).unwrap_or_default(),
            false => found,
        };
        Self {
            is_bot,
            browser: browser(&found),
            engine: words::engine(ua),
            os: os(&found),
            device: words::device(&claimed, found.category),
            cpu: Cpu {
                architecture: words::architecture(ua).map(str::to_owned),
            },
            ua: ua.to_owned(),
        }
    }
}

impl Request {
    /// Parses the `User-Agent` header, like Next's
    /// [`userAgent`](https://nextjs.org/docs/app/api-reference/functions/userAgent).
    ///
    /// # Examples
    ///
    /// ```
    /// # use waypost::Request;
    /// let req = Request::get("/").with_header("user-agent", "Googlebot/2.1");
    /// assert!(req.user_agent().is_bot);
    /// ```
    pub fn user_agent(&self) -> UserAgent {
        UserAgent::parse(self.header(header::USER_AGENT.as_str()).unwrap_or_default())
    }
}

#[diagnostic::do_not_recommend]
impl FromRequest for UserAgent {
    async fn from_request(exchange: &mut Exchange) -> Result<Self> {
        let header = exchange.headers().get(header::USER_AGENT);
        let ua = header.map(|value| latin1(value.as_bytes()));
        Ok(Self::parse(&ua.unwrap_or_default()))
    }
}

impl Product {
    /// Creates a product. `woothee` writes `UNKNOWN` for an unknown value.
    fn of(name: &str, version: &str) -> Self {
        let known = |text: &str| (!matches!(text, "" | "UNKNOWN")).then(|| text.to_owned());
        Self {
            name: known(name),
            version: known(version),
        }
    }
}

/// Returns the browser, if the client is one: `woothee` also reports consoles and libraries such as curl.
fn browser(found: &WootheeResult<'_>) -> Product {
    match found.name == found.os || found.category == "misc" {
        true => Product::default(),
        false => Product::of(found.name, found.version),
    }
}

/// Returns the operating system under the name that Next uses: `woothee` has `Windows 10`, `Mac OSX` and `iPhone`.
fn os(found: &WootheeResult<'_>) -> Product {
    match found.os {
        "Mac OSX" => Product::of("Mac OS", &found.os_version),
        "iPhone" | "iPad" | "iPod" => Product::of("iOS", &found.os_version),
        os => match os.strip_prefix("Windows ") {
            Some(version) if !version.starts_with(['P', 'C', 'U']) => {
                Product::of("Windows", version)
            }
            Some(_) | None => Product::of(os, &found.os_version),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Browser, engine, system, type, model and architecture on one line; a dash for an unknown value.
    fn line(ua: &str) -> String {
        let agent = UserAgent::parse(ua);
        let dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let product =
            |product: Product| format!("{} {}", dash(product.name), dash(product.version));
        let kind = agent.device.kind.map(|kind| format!("{kind:?}"));
        [
            product(agent.browser),
            product(agent.engine),
            product(agent.os),
            dash(kind),
            dash(agent.device.model),
            dash(agent.cpu.architecture),
        ]
        .join(" | ")
    }

    #[test]
    fn clients_of_today() {
        for (ua, expected) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
                "Chrome 126.0.0.0 | Blink 126.0.0.0 | Windows 10 | - | - | amd64",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.2592.68",
                "Edge 126.0.2592.68 | Blink 126.0.0.0 | Windows 10 | - | - | amd64",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
                "Safari 17.5 | WebKit 605.1.15 | Mac OS 10.15.7 | - | Macintosh | -",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
                "Firefox 127.0 | Gecko 127.0 | Linux - | - | - | amd64",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
                "Safari 17.5 | WebKit 605.1.15 | iOS 17.5 | Mobile | iPhone | -",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1",
                "Safari 16.6 | WebKit 605.1.15 | iOS 16.6 | Tablet | iPad | -",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
                "Chrome 126.0.0.0 | Blink 126.0.0.0 | Android 14 | Mobile | Pixel 8 | -",
            ),
            (
                "Mozilla/5.0 (Linux; Android 13; SM-X906C Build/QP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/80.0 Safari/537.36",
                "Webview 4.0 | Blink 80.0 | Android 13 | Tablet | SM-X906C | -",
            ),
            (
                "Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0",
                "Firefox 127.0 | Gecko 127.0 | Android 14 | Mobile | - | -",
            ),
            (
                "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
                "Internet Explorer 11.0 | Trident 7.0 | Windows 7 | - | - | amd64",
            ),
            (
                "Mozilla/5.0 (PlayStation 4 11.02) AppleWebKit/605.1.15 (KHTML, like Gecko)",
                "- - | WebKit 605.1.15 | PlayStation 4 11.02 | Console | - | -",
            ),
            (
                "Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/63.0 TV Safari/537.36",
                "Chrome 63.0 | Blink 63.0 | Linux - | SmartTv | - | -",
            ),
            ("curl/8.5.0", "- - | - - | - - | - | - | -"),
            ("", "- - | - - | - - | - | - | -"),
        ] {
            assert_eq!(line(ua), expected, "{ua}");
        }
    }

    /// Browser, engine, system and device are those that a bot claims to have.
    #[test]
    fn bots_that_claim_to_be_browsers() {
        for (ua, expected) in [
            (
                "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.6478.61 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
                "Chrome 126.0.6478.61 | Blink 126.0.6478.61 | Android 6.0.1 | Mobile | Nexus 5X | -",
            ),
            (
                "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
                "- - | - - | - - | - | - | -",
            ),
            (
                "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/126.0.0.0 Safari/537.36",
                "Chrome 126.0.0.0 | Blink 126.0.0.0 | - - | - | - | -",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 14_7_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/14.1.2 Mobile/15E148 Safari/604.1 (compatible; AdsBot-Google-Mobile; +http://www.google.com/mobile/adsbot.html)",
                "Safari 14.1.2 | WebKit 605.1.15 | iOS 14.7.1 | Mobile | iPhone | -",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; Storebot-Google/1.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/79.0.3945.88 Safari/537.36",
                "Chrome 79.0.3945.88 | Blink 79.0.3945.88 | Linux - | - | - | amd64",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 7_0 like Mac OS X) AppleWebKit/537.51.1 (KHTML, like Gecko) Version/7.0 Mobile/11A465 Safari/9537.53 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
                "Safari 7.0 | WebKit 537.51.1 | iOS 7.0 | Mobile | iPhone | -",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.1.1 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)",
                "Safari 13.1.1 | WebKit 605.1.15 | Mac OS 10.15.5 | - | Macintosh | -",
            ),
            (
                "Mozilla/5.0 (Linux; Android 7.0; SM-G930V) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/59.0.3071.125 Mobile Safari/537.36 Chrome-Lighthouse",
                "Chrome 59.0.3071.125 | Blink 59.0.3071.125 | Android 7.0 | Mobile | SM-G930V | -",
            ),
            (
                "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
                "- - | - - | - - | - | - | -",
            ),
        ] {
            assert_eq!(line(ua), expected, "{ua}");
        }
    }

    #[test]
    fn bots() {
        for bot in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "facebookexternalhit/1.1",
            "WhatsApp/2.23",
            "SkypeUriPreview",
            "GoogleOther",
            "Mozilla/5.0 (compatible; Google-InspectionTool/1.0;)",
            "Mozilla/5.0 (X11; Linux x86_64; Storebot-Google/1.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/79.0 Safari/537.36",
            "Mozilla/5.0 (compatible; YandexImages/3.0; +http://yandex.com/bots)",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_10_1) AppleWebKit/600.2.5 (KHTML, like Gecko) Version/8.0.2 Safari/600.2.5 (Applebot/0.1)",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
            "my-crawler/1.0",
        ] {
            assert!(UserAgent::parse(bot).is_bot, "{bot}");
        }
        for other in [
            "curl/8.5.0",
            "",
            "caf\u{e9}\u{ff} Windows (",
            "Android ",
            "Android 1; )",
        ] {
            assert!(!UserAgent::parse(other).is_bot, "{other}");
        }
    }

    #[test]
    fn as_json_it_has_the_names_of_next() {
        let agent = UserAgent::parse("Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X)");
        let json = serde_json::to_value(agent).unwrap();
        assert_eq!(json["isBot"], false);
        assert_eq!(json["device"]["type"], "tablet");
        assert_eq!(json["os"]["version"], "16.6");
        assert_eq!(json["cpu"], serde_json::json!({}));
    }
}
