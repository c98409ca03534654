//! When a write is cut and when it is not, in virtual time.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::Instant;

const WAIT: Duration = Duration::from_secs(30);

#[tokio::test(start_paused = true)]
async fn a_write_that_does_not_move_is_cut_in_time() {
    let (ours, _theirs) = duplex(64);
    let mut ours = Moving::new(ours, WAIT);
    let begun = Instant::now();
    let cut = ours.write_all(&[0; 65]).await.unwrap_err();
    assert_eq!((cut.kind(), begun.elapsed().as_secs()), (io::ErrorKind::TimedOut, 30));
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_not_a_silent_one() {
    let (ours, mut theirs) = duplex(1);
    let mut ours = Moving::new(ours, WAIT);
    let reader = tokio::spawn(async move {
        for _ in 0..10 {
            sleep(WAIT - Duration::from_secs(1)).await;
            theirs.read_u8().await.unwrap();
        }
    });
    ours.write_all(&[0; 10]).await.unwrap();
    reader.await.unwrap();
}
