//! Dead addresses of either family, in virtual time.

use super::*;
use tokio::time::Instant;

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// What becomes of an attempt: after how many milliseconds, and whether it connects; `None`: nothing is ever heard of it.
type Fate = Option<(u64, bool)>;

/// Who won and after how many milliseconds.
async fn raced(fates: &[(&str, Fate)]) -> (Result<SocketAddr, io::ErrorKind>, u128) {
    let begun = Instant::now();
    let addresses = in_turn(fates.iter().map(|(text, _)| address(text)));
    let connect = async |to: SocketAddr| {
        let (_, fate) = fates.iter().find(|(text, _)| address(text) == to).unwrap();
        let Some((after, connects)) = *fate else { return std::future::pending().await };
        tokio::time::sleep(Duration::from_millis(after)).await;
        if connects { Ok(to) } else { Err(io::ErrorKind::ConnectionRefused.into()) }
    };
    let outcome = race(addresses, connect).await.map_err(|error| error.kind());
    (outcome, begun.elapsed().as_millis())
}

#[tokio::test(start_paused = true)]
async fn a_dead_address_costs_a_quarter_of_a_second_and_not_the_connection() {
    let (six, four) = ("[2001:db8::1]:443", "192.0.2.1:443");
    assert_eq!(raced(&[(six, None), (four, Some((20, true)))]).await, (Ok(address(four)), 270));
    assert_eq!(raced(&[(six, Some((30, true))), (four, Some((5, true)))]).await, (Ok(address(six)), 30));
    assert_eq!(raced(&[(six, Some((5, false))), (four, Some((20, true)))]).await, (Ok(address(four)), 25));
    assert_eq!(raced(&[(six, Some((400, true))), (four, Some((300, true)))]).await, (Ok(address(six)), 400));
}

#[tokio::test(start_paused = true)]
async fn families_take_turns_and_when_all_fail_it_is_said() {
    let all = ["[2001:db8::1]:443", "[2001:db8::2]:443", "[2001:db8::3]:443", "192.0.2.1:443"];
    let dead = all.map(|text| (text, if text.starts_with('[') { None } else { Some((10, true)) }));
    assert_eq!(raced(&dead).await, (Ok(address(all[3])), 260), "the second attempt is of the other family");
    let refused = all.map(|text| (text, Some((5, false))));
    assert_eq!(raced(&refused).await, (Err(io::ErrorKind::ConnectionRefused), 20));
    assert_eq!(raced(&[]).await.0, Err(io::ErrorKind::NotFound));
}
