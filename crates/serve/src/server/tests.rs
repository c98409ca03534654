//! What the system is told of a connection.

use super::*;

#[tokio::test]
async fn the_system_watches_over_every_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    tend(&client);
    assert!(sockopt::socket_keepalive(&client).unwrap());
    let silent = sockopt::tcp_keepidle(&client).unwrap()
        + sockopt::tcp_keepintvl(&client).unwrap() * sockopt::tcp_keepcnt(&client).unwrap();
    assert_eq!(silent.as_secs(), 60, "a peer that is gone is noticed within a minute");
    #[cfg(target_os = "linux")]
    assert_eq!(sockopt::tcp_user_timeout(&client).unwrap(), 60_000);
}
