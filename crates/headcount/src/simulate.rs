//! `headcount simulate`: the simulated Genesys Cloud alone, for `serve` and for anybody's own tests.

use crate::cli::{WrongUse, print};
use crate::run;
use anyhow::Context;
use simulator::Simulator;

/// Plays until the conversations are played out and it is told to stop.
///
/// # Errors
/// Wrong options, or an address that cannot be bound.
pub fn run(options: Box<simulator::Options>) -> anyhow::Result<()> {
    let problems = options.problems();
    if !problems.is_empty() {
        return Err(WrongUse(problems.join("; ")).into());
    }
    run::to_the_end(async {
        let (id, dialect) = (options.client_id.clone(), options.dialect);
        let simulator = Simulator::start(*options).await.context("the simulator could not start")?;
        let urls = simulator.urls();
        print(&format!(
            "GENESYS_LOGIN_URL={}\nGENESYS_API_URL={}\nGENESYS_EVENTS_URL={}\nGENESYS_CLIENT_ID={id}\n",
            urls.login, urls.api, urls.events
        ))?;
        tracing::info!(
            "simulating {dialect:?} on {}; the client secret is the one given, or `demo`",
            simulator.address()
        );
        let signal = run::told_to_stop()?;
        tokio::pin!(signal);
        tokio::select! {
            why = &mut signal => tracing::info!("{why}: stopping"),
            () = simulator.finished() => {
                tracing::info!("all conversations are played out; REST and sockets stay up until Ctrl-C");
                signal.await;
            }
        }
        simulator.stop().await;
        Ok(())
    })
}
