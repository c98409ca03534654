//! Outputs that refuse, stand still and come back.

use super::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

const SOON: Duration = Duration::from_secs(10);

/// Waits for a word before each line, and refuses while it is told to.
struct Output {
    go: Receiver<()>,
    refuses: Arc<AtomicBool>,
    written: Sender<Vec<u8>>,
}

impl Write for Output {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let _gone = self.go.recv();
        if self.refuses.load(Ordering::SeqCst) {
            return Err(ErrorKind::BrokenPipe.into());
        }
        self.written.send(line.to_vec()).unwrap();
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn rig() -> (Lines, Sender<()>, Arc<AtomicBool>, Receiver<Vec<u8>>) {
    let ((go, gone), (written, seen)) = (channel(), channel());
    let refuses = Arc::new(AtomicBool::new(false));
    let output = Output { go: gone, refuses: refuses.clone(), written };
    (Lines::into(output), go, refuses, seen)
}

#[test]
fn lines_come_in_their_order() {
    let (lines, go, _, seen) = rig();
    drop(go);
    ["a", "b", "c"].iter().for_each(|line| lines.put(line.as_bytes().to_vec()));
    assert!(lines.flush(SOON));
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), [b"a", b"b", b"c"]);
    assert_eq!(lines.lost().get(), 0);
}

#[test]
fn an_output_that_stands_still_holds_up_nobody_and_bounds_what_waits() {
    let (lines, go, _, seen) = rig();
    let line = vec![b'x'; 1 << 10];
    let fit = WAITING_BYTES_MAX / line.len();
    (0..fit * 3).for_each(|_| lines.put(line.clone()));
    assert!(!lines.flush(Duration::from_millis(1)), "it was not written");
    let lost = usize::try_from(lines.lost().get()).unwrap();
    assert!((fit * 2 - 1..=fit * 2).contains(&lost), "{lost} of {} lost", fit * 3);
    drop(go);
    assert!(lines.flush(SOON));
    assert_eq!(seen.try_iter().count() + lost, fit * 3, "each was written or counted");
}

#[test]
fn what_is_refused_is_counted_and_later_lines_are_tried() {
    let (lines, go, refuses, seen) = rig();
    refuses.store(true, Ordering::SeqCst);
    lines.put(b"refused".to_vec());
    go.send(()).unwrap();
    assert!(lines.flush(SOON));
    assert_eq!(lines.lost().get(), 1);
    refuses.store(false, Ordering::SeqCst);
    drop(go);
    lines.put(b"taken".to_vec());
    assert!(lines.flush(SOON));
    assert_eq!(seen.recv_timeout(SOON).unwrap(), b"taken");
    assert_eq!(lines.lost().get(), 1);
}
