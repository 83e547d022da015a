//! `lectern openapi`: the description of the API, made from the types.

use lectern_runtime::openapi;

use crate::{failure::Failure, output::Output};

pub(super) fn run(output: &Output) -> Result<(), Failure> {
    Ok(output.write(description())?)
}

/// Returns the description as the site serves it.
fn description() -> String {
    let parts = [
        query::openapi(),
        upload::openapi(),
        backup::openapi(),
        admin::openapi(),
        health::openapi(),
    ];
    let mut text = openapi::document(parts).to_pretty_json().expect("a description is plain data");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_site_serves_the_description_of_this_build() {
        let is_current = site::files::release().openapi.content == description();
        assert!(is_current, "lectern openapi > functions/site/assets/openapi.json");
    }
}
