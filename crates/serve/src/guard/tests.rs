//! A handler's panic costs its own request and nothing else.

use super::*;
use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::get;
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;

async fn defect() -> &'static str {
    std::panic::panic_any("a secret")
}

#[tokio::test]
async fn a_panic_is_a_problem_that_tells_nothing() {
    let router: Router = Router::new().route("/", get(defect)).layer(CatchPanicLayer::custom(panicked));
    let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    let body = axum::body::to_bytes(response.into_body(), 1_024).await.unwrap();
    let body = std::str::from_utf8(&body).unwrap();
    assert!(body.contains("\"code\":\"internal\"") && !body.contains("secret"), "{body}");
}
