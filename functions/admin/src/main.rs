//! The `admin` Lambda: composition only.

mod operator;

use std::process::ExitCode;

use admin::{Admin, router, settings::Settings};
use lectern_app::{
    audit::AuditHeads, clock::Clock, collections::Collections, experiments::Experiments,
    spending::Spending, subjects::Subjects,
};
use lectern_runtime::{lambda, log_levels::LogLevels};
use lectern_stack::{secrets::Secrets, settings::Budget, warm::warm_up};
use lectern_tables::Tables;

use self::operator::Operator;

fn main() -> ExitCode {
    lambda::main(env!("CARGO_PKG_NAME"), |settings: &Settings| &settings.process.telemetry, run)
}

async fn run(settings: Settings) -> Result<(), lambda::Error> {
    let callers = &settings.callers;
    let secrets = Secrets::prefetch([&callers.key_pepper]).await;
    let tables = Tables::connect(&settings.table.url).await?;
    let clock = Clock::system();
    let gate = callers.gate(secrets.get(&callers.key_pepper), &tables, &clock);
    warm_up(vec![("table", Box::pin(tables.ping())), ("issuers", Box::pin(gate.tokens.warm_up()))])
        .await;

    let levels = LogLevels::of(tables.clone(), clock.clone());
    let operator = Operator {
        levels: levels.clone(),
        keys: gate.keys.clone(),
        collections: Collections { tables: tables.clone(), clock: clock.clone() },
    };
    let Budget { prices, limits } = settings.budget;
    let spending = Spending { tables: tables.clone(), prices, limits, clock: clock.clone() };
    let audit = AuditHeads { tables: tables.clone() };
    let subjects = Subjects { tables: tables.clone(), clock };
    let experiments = Experiments { tables };
    let routes = router(Admin { gate, experiments, spending, audit, subjects });
    lambda::events::serve_with_routes(levels.around(routes), async |task, _| {
        Ok(serde_json::to_value(operator.run(serde_json::from_value(task)?).await?)?)
    })
    .await
}
