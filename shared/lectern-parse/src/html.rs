//! HTML: the main content in reading order, without navigation, scripts and hidden text.

use std::collections::HashSet;

use ego_tree::{NodeId, iter::Edge};
use scraper::{Html, Node};

use crate::{
    error::ParseError,
    html_writer::{HtmlWriter, layout_tables},
    sink::Sink,
};

/// Share of the page's text, in percent, that a `main` or lone `article` must hold to be trusted.
const MAIN_PERCENT: usize = 40;
/// Share of the page's text, in percent, below which dropping navigation has dropped content.
const KEPT_PERCENT: usize = 20;

/// Items from which a list of nothing but links is navigation.
const LINK_LIST_ITEMS: usize = 30;
/// Share of a list's text, in percent, that stands in links when it is nothing but links.
const LINK_LIST_PERCENT: usize = 95;

/// Elements whose text is no content.
const SILENT: [&str; 16] = [
    "script", "style", "template", "noscript", "head", "svg", "math", "iframe", "object", "embed",
    "select", "textarea", "button", "canvas", "audio", "video",
];
const NAVIGATION_ROLES: [&str; 5] = ["navigation", "search", "contentinfo", "menu", "menubar"];

/// Reads a page.
pub(crate) fn parse(text: &str, sink: &mut Sink) -> Result<(), ParseError> {
    let page = Html::parse_document(text);
    if sink.title.is_none() {
        sink.title = title(&page);
    }
    let (root, policy) = content_root(&page);
    let skipped = if policy == Policy::Content { link_lists(&page) } else { HashSet::new() };
    write(&page, root, policy, &skipped, sink)
}

/// Reads HTML inside another format, for example in Markdown: everything is content.
pub(crate) fn parse_fragment(text: &str, sink: &mut Sink) -> Result<(), ParseError> {
    let page = Html::parse_fragment(text);
    write(&page, page.tree.root().id(), Policy::Everything, &HashSet::new(), sink)
}

/// What is left out besides scripts and hidden text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    /// Navigation, side bars and footers.
    Content,
    /// Nothing.
    Everything,
}

fn title(page: &Html) -> Option<String> {
    let in_head = |id: NodeId| {
        let node = page.tree.get(id)?;
        let element = node.value().as_element()?;
        let parent = node.parent()?.value().as_element()?.name() == "head";
        (element.name() == "title" && parent).then(|| {
            node.children()
                .filter_map(|child| child.value().as_text().map(|text| &**text))
                .collect()
        })
    };
    page.tree.nodes().find_map(|node| in_head(node.id()))
}

fn content_root(page: &Html) -> (NodeId, Policy) {
    let root = page.tree.root().id();
    let all = text_length(page, root, Policy::Everything);
    let content = text_length(page, root, Policy::Content);
    let policy =
        if content * 100 < all * KEPT_PERCENT { Policy::Everything } else { Policy::Content };
    let named = |wanted: &str, role: &str| -> Vec<NodeId> {
        let is_wanted = |node: &Node| {
            node.as_element().is_some_and(|element| {
                element.name() == wanted || element.attr("role") == Some(role)
            })
        };
        page.tree.nodes().filter(|node| is_wanted(node.value())).map(|node| node.id()).collect()
    };
    for found in [named("main", "main"), named("article", "article")] {
        if let [only] = found.as_slice() {
            let length = text_length(page, *only, policy);
            if length * 100 >= text_length(page, root, policy) * MAIN_PERCENT {
                return (*only, policy);
            }
        }
    }
    (root, policy)
}

/// Counts the bytes of visible text below `root`.
fn text_length(page: &Html, root: NodeId, policy: Policy) -> usize {
    let mut length = 0;
    walk(page, root, policy, &HashSet::new(), |edge| {
        if let Edge::Open(node) = edge
            && let Node::Text(text) = node.value()
        {
            length += text.trim().len();
        }
        Ok(())
    })
    .expect("counting never fails");
    length
}

/// Returns the long lists in which everything is a link: menus, whatever their markup says.
fn link_lists(page: &Html) -> HashSet<NodeId> {
    let mut found = HashSet::new();
    // Per open list: items, bytes of text, bytes of it in links.
    let mut lists: Vec<[usize; 3]> = Vec::new();
    let mut links = 0_usize;
    for edge in page.tree.root().traverse() {
        match edge {
            Edge::Open(node) => match (node.value(), lists.last_mut()) {
                (Node::Element(element), open) => match (element.name(), open) {
                    ("ul" | "ol", _) => lists.push([0; 3]),
                    ("li", Some(list)) => list[0] += 1,
                    ("a", _) => links += 1,
                    _ => {}
                },
                (Node::Text(text), Some(list)) => {
                    let length = text.trim().len();
                    list[1] += length;
                    list[2] += if links > 0 { length } else { 0 };
                }
                _ => {}
            },
            Edge::Close(node) => {
                match node.value().as_element().map(scraper::node::Element::name) {
                    Some("ul" | "ol") => {
                        let [items, text, linked] = lists.pop().unwrap_or_default();
                        if items >= LINK_LIST_ITEMS && linked * 100 >= text * LINK_LIST_PERCENT {
                            found.insert(node.id());
                        }
                    }
                    Some("a") => links = links.saturating_sub(1),
                    _ => {}
                }
            }
        }
    }
    found
}

fn write(
    page: &Html,
    root: NodeId,
    policy: Policy,
    skipped: &HashSet<NodeId>,
    sink: &mut Sink,
) -> Result<(), ParseError> {
    let layout = layout_tables(page);
    let mut writer = HtmlWriter::new(sink, layout);
    walk(page, root, policy, skipped, |edge| match edge {
        Edge::Open(node) => match node.value() {
            Node::Text(text) => {
                writer.text(text);
                Ok(())
            }
            Node::Element(element) => writer.open(node.id(), element.name()),
            _ => Ok(()),
        },
        Edge::Close(node) => match node.value() {
            Node::Element(element) => writer.close(node.id(), element.name()),
            _ => Ok(()),
        },
    })?;
    writer.finish()
}

/// Visits what is shown, without recursion: pages nest as deep as they like.
fn walk<'page>(
    page: &'page Html,
    root: NodeId,
    policy: Policy,
    leave_out: &HashSet<NodeId>,
    mut visit: impl FnMut(Edge<'page, Node>) -> Result<(), ParseError>,
) -> Result<(), ParseError> {
    let Some(root) = page.tree.get(root) else { return Ok(()) };
    let mut skipped: Option<NodeId> = None;
    for edge in root.traverse() {
        if let Some(id) = skipped {
            if matches!(edge, Edge::Close(node) if node.id() == id) {
                skipped = None;
            }
            continue;
        }
        if let Edge::Open(node) = edge
            && (leave_out.contains(&node.id()) || is_skipped(node.value(), policy))
        {
            skipped = Some(node.id());
            continue;
        }
        visit(edge)?;
    }
    Ok(())
}

fn is_skipped(node: &Node, policy: Policy) -> bool {
    let Node::Element(element) = node else { return false };
    let is_hidden = element.attr("hidden").is_some()
        || element.attr("style").is_some_and(|style| {
            let style: String = style.to_ascii_lowercase().split_whitespace().collect();
            style.contains("display:none") || style.contains("visibility:hidden")
        });
    let name = element.name();
    let is_navigation = matches!(name, "nav" | "aside" | "footer")
        || element.attr("role").is_some_and(|role| NAVIGATION_ROLES.contains(&role));
    is_hidden || SILENT.contains(&name) || policy == Policy::Content && is_navigation
}

#[cfg(test)]
mod tests {
    use lectern_core::text::BlockKind::{self, *};

    use super::*;
    use crate::limits::ParseLimits;

    fn blocks(html: &str) -> (Option<String>, Vec<(BlockKind, String)>) {
        let mut sink = Sink::new(&ParseLimits::default());
        parse(html, &mut sink).unwrap();
        let (title, blocks) = sink.finish();
        (title, blocks.into_iter().map(|block| (block.kind, block.text)).collect())
    }

    #[test]
    fn keeps_structure_and_drops_the_rest() {
        let (title, found) = blocks(
            "<head><title> The  title</title></head><body><nav>Home</nav><h2>A <b>head</b></h2>
             <p>One<br>two</p>bare<ul><li>x<ul><li>y</li></ul></li></ul><pre>a\n  b</pre>
             <table><tr><th>k</th><th>v</th></tr><tr><td>1</td><td><p>2</p><p>3</p></td></tr></table>
             <p style='display: none'>hidden</p><script>no</script><!-- no --><footer>foot</footer>",
        );
        let wanted = [
            (Heading { level: 2 }, "A head"),
            (Paragraph, "One\ntwo"),
            (Paragraph, "bare"),
            (ListItem, "x"),
            (ListItem, "y"),
            (Code, "a\n  b"),
            (TableHeader, "k | v"),
            (TableRow, "1 | 2 3"),
        ];
        assert_eq!(title.as_deref(), Some("The title"));
        assert_eq!(found, wanted.map(|(kind, text)| (kind, text.to_owned())));
    }

    #[test]
    fn takes_everything_when_navigation_is_all_there_is() {
        let (_, found) =
            blocks("<nav><p>All of the text stands in the navigation</p></nav><p>x</p>");
        assert_eq!(found.len(), 2);
        let (_, found) = blocks("<p>menu</p><main><p>the content of the page</p></main>");
        assert_eq!(found, [(Paragraph, "the content of the page".to_owned())]);
    }

    #[test]
    fn long_lists_of_links_are_menus() {
        let list = |items: usize, item: &str| format!("<p>text</p><ul>{}</ul>", item.repeat(items));
        assert_eq!(blocks(&list(30, "<li><a>link</a></li>")).1.len(), 1);
        assert_eq!(blocks(&list(29, "<li><a>link</a></li>")).1.len(), 30);
        assert_eq!(blocks(&list(30, "<li><a>link</a> and text</li>")).1.len(), 31);
    }

    #[test]
    fn layout_tables_are_no_tables() {
        let (_, found) = blocks(
            "<table><tr><td><p>left</p><table><tr><td>a</td><td>b</td></tr></table></td></tr></table>",
        );
        assert_eq!(found, [(Paragraph, "left".to_owned()), (TableRow, "a | b".to_owned())]);
    }
}
