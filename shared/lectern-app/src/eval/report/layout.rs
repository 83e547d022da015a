//! JSON that reads and differs well: indented outside, on one line from a depth on.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

/// Depth from which values stand on one line: figures and rows of a run.
const FLAT_FROM: usize = 6;

/// Returns `value` as such JSON, with a line end.
pub(super) fn to_string(value: &impl Serialize) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    let layout = Layout { pretty: PrettyFormatter::new(), depth: 0 };
    value.serialize(&mut Serializer::with_formatter(&mut bytes, layout))?;
    bytes.push(b'\n');
    Ok(String::from_utf8(bytes).expect("serde_json writes UTF-8"))
}

struct Layout<'indent> {
    pretty: PrettyFormatter<'indent>,
    depth: usize,
}

/// Forwards to the formatter of the present depth.
macro_rules! forward {
    ($($name:ident($($argument:ident: $type:ty),*)),* $(,)?) => {
        $(fn $name<W: ?Sized + Write>(&mut self, writer: &mut W $(, $argument: $type)*) -> io::Result<()> {
            if self.depth > FLAT_FROM {
                CompactFormatter.$name(writer $(, $argument)*)
            } else {
                self.pretty.$name(writer $(, $argument)*)
            }
        })*
    };
}

/// Opens and closes; the depth is that of what stands inside.
macro_rules! nested {
    ($($open:ident $close:ident),* $(,)?) => {
        $(fn $open<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
            self.depth += 1;
            if self.depth > FLAT_FROM {
                CompactFormatter.$open(writer)
            } else {
                self.pretty.$open(writer)
            }
        }

        fn $close<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
            self.depth -= 1;
            if self.depth >= FLAT_FROM {
                CompactFormatter.$close(writer)
            } else {
                self.pretty.$close(writer)
            }
        })*
    };
}

impl Formatter for Layout<'_> {
    nested!(begin_array end_array, begin_object end_object);
    forward!(
        begin_array_value(first: bool),
        end_array_value(),
        begin_object_key(first: bool),
        begin_object_value(),
        end_object_value(),
    );
}
