//! A chat as `ConverseStream` takes it.

use aws_sdk_bedrockruntime::{
    error::BuildError,
    types::{ContentBlock, ConversationRole, Message, SystemContentBlock},
};
use lectern_core::ports::{ChatMessage, Role};

/// Returns the instructions and the turns of a chat.
///
/// Bedrock refuses a conversation that does not begin with the user or in which somebody speaks twice in a row, and
/// text without a visible character (Amazon Bedrock API Reference, "`Converse`"). So what is said twice in a row becomes one
/// turn of several blocks, and an answer whose question fell out of the history goes too.
pub(super) fn conversation(
    messages: &[ChatMessage],
) -> Result<(Vec<SystemContentBlock>, Vec<Message>), BuildError> {
    let mut system = Vec::new();
    let mut turns: Vec<(ConversationRole, Vec<ContentBlock>)> = Vec::new();
    for message in messages.iter().filter(|message| !message.content.trim().is_empty()) {
        let text = message.content.clone();
        let role = match message.role {
            Role::System => {
                system.push(SystemContentBlock::Text(text));
                continue;
            }
            Role::User => ConversationRole::User,
            Role::Assistant if turns.is_empty() => continue,
            Role::Assistant => ConversationRole::Assistant,
        };
        match turns.last_mut() {
            Some((last, blocks)) if *last == role => blocks.push(ContentBlock::Text(text)),
            _ => turns.push((role, vec![ContentBlock::Text(text)])),
        }
    }
    let turns = turns
        .into_iter()
        .map(|(role, blocks)| Message::builder().role(role).set_content(Some(blocks)).build());
    Ok((system, turns.collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(lines: &[(Role, &str)]) -> (Vec<String>, Vec<(String, Vec<String>)>) {
        let message =
            |(role, text): &(Role, &str)| ChatMessage { role: *role, content: (*text).to_owned() };
        let messages: Vec<_> = lines.iter().map(message).collect();
        let (system, turns) = conversation(&messages).unwrap();
        let texts = |blocks: &[ContentBlock]| {
            blocks.iter().map(|block| block.as_text().unwrap().clone()).collect()
        };
        let turn = |turn: &Message| (turn.role().to_string(), texts(turn.content()));
        let system = system.iter().map(|block| block.as_text().unwrap().clone()).collect();
        (system, turns.iter().map(turn).collect())
    }

    #[test]
    fn speakers_take_turns_and_the_user_begins() {
        let (system, turns) = said(&[
            (Role::System, "be brief"),
            (Role::Assistant, "an answer without its question"),
            (Role::User, "one"),
            (Role::User, "two"),
            (Role::User, " \n"),
            (Role::Assistant, "three"),
            (Role::System, "and kind"),
            (Role::Assistant, "four"),
            (Role::User, "five"),
        ]);
        assert_eq!(system, ["be brief", "and kind"]);
        let turn = |role: &str, texts: &[&str]| {
            (role.to_owned(), texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
        };
        let expected = [
            turn("user", &["one", "two"]),
            turn("assistant", &["three", "four"]),
            turn("user", &["five"]),
        ];
        assert_eq!(turns, expected);
    }
}
