//! Static files, in the binary: style sheets and scripts of the pages.

use actix_web::http::header::{self, ETag, EntityTag, Header as _, IfNoneMatch};
use actix_web::{HttpRequest, HttpResponse, web};

/// A file that is served.
#[derive(Debug)]
struct Asset {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

/// Every file; nothing else is reachable.
const ASSETS: &[Asset] = &[
    Asset {
        name: "style.css",
        content_type: "text/css; charset=utf-8",
        bytes: include_bytes!("../../assets/style.css"),
    },
    Asset {
        name: "submit.js",
        content_type: "text/javascript; charset=utf-8",
        bytes: include_bytes!("../../assets/submit.js"),
    },
];

pub(super) fn routes(routes: &mut web::ServiceConfig) {
    routes.route("/assets/{name}", web::get().to(asset));
}

async fn asset(request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    let Some(asset) = ASSETS.iter().find(|a| a.name == name.as_str()) else {
        return super::error::not_found(request).await;
    };
    serve(&request, asset)
}

/// Cacheable for an hour, then asked for again with its strong tag (RFC 9110 §8.8.3).
fn serve(request: &HttpRequest, asset: &Asset) -> HttpResponse {
    let tag = EntityTag::new_strong(tag(asset.bytes));
    let unchanged = match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|t| t.weak_eq(&tag)),
        Err(_) => false,
    };
    let mut response = if unchanged { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
        .insert_header(ETag(tag));
    if unchanged {
        return response.finish();
    }
    response.content_type(asset.content_type).body(asset.bytes)
}

/// Of the content, so that a new binary with the same file keeps caches.
fn tag(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    hex::encode(digest.as_ref().get(..16).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    const STYLE: Asset =
        Asset { name: "x.css", content_type: "text/css; charset=utf-8", bytes: b"a{}" };

    #[test]
    fn a_file_carries_a_strong_tag_and_is_not_sent_twice() {
        let first = serve(&TestRequest::get().to_http_request(), &STYLE);
        let tag = first.headers().get(header::ETAG).unwrap().clone();
        assert_eq!(first.status(), 200);
        assert!(tag.to_str().unwrap().starts_with('"'));

        let again =
            TestRequest::get().insert_header((header::IF_NONE_MATCH, tag)).to_http_request();
        assert_eq!(serve(&again, &STYLE).status(), 304);
        let other =
            TestRequest::get().insert_header((header::IF_NONE_MATCH, "\"x\"")).to_http_request();
        assert_eq!(serve(&other, &STYLE).status(), 200);
    }
}
