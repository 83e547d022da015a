//! What the child runs: bounds itself, then serves documents until its input ends.

use std::{
    fs, io,
    io::{BufReader, BufWriter},
    panic::{self, AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::Arc,
    thread,
    time::Instant,
};

use rlimit::{Resource, setrlimit};

use crate::{
    Damage, MediaType, ParseError, ParseLimits, Parsed, parse,
    sandbox::wire::{self, Request},
    sniff,
};

/// Stack of the parsing thread: enough for the deepest nesting the bounds on bytes allow most
/// formats, small enough to leave room below the default memory bound. It is only reserved.
const STACK_BYTES: usize = 128 << 20;
/// Processor time the child allows itself before it has read what a request asks for, in seconds.
const START_CPU_SECONDS: u64 = 10;
/// Clock ticks a second in `/proc`; fixed by Linux for user space (`USER_HZ`).
const TICKS_PER_SECOND: u64 = 100;

/// Runs a child of [`crate::Sandbox`]: bounds memory, processor time, core dumps and file sizes of
/// this process, then answers requests on standard input until it ends. Call it first in `main`,
/// before any thread exists.
#[must_use]
pub fn worker_main() -> ExitCode {
    // Panics carry document text in their messages.
    panic::set_hook(Box::new(|_| {}));
    match serve(Instant::now()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(2),
    }
}

fn serve(started: Instant) -> io::Result<()> {
    setrlimit(Resource::CORE, 0, 0)?;
    setrlimit(Resource::FSIZE, 0, 0)?;
    bound_memory(ParseLimits::MEMORY_CEILING)?;
    bound_cpu(started, START_CPU_SECONDS)?;
    let mut input = BufReader::new(io::stdin().lock());
    let mut output = BufWriter::new(io::stdout().lock());
    while let Some(request) = wire::read_header(&mut input)? {
        bound_memory(request.limits.memory_bytes)?;
        let cpu_time = request.limits.cpu_time;
        bound_cpu(started, cpu_time.as_secs() + u64::from(cpu_time.subsec_nanos() > 0))?;
        let body = wire::read_body(&mut input, &request)?;
        let answer = parse_on_thread(body, request)?;
        // What has been parsed may be sent, however much the parse took.
        bound_memory(ParseLimits::MEMORY_CEILING)?;
        wire::write_answer(&mut output, &answer)?;
    }
    Ok(())
}

/// The soft bound follows the request, the hard one is the ceiling.
fn bound_memory(bytes: u64) -> io::Result<()> {
    setrlimit(Resource::AS, bytes.min(ParseLimits::MEMORY_CEILING), ParseLimits::MEMORY_CEILING)
}

/// Allows `seconds` more of processor time; the kernel counts from the start of the process.
fn bound_cpu(started: Instant, seconds: u64) -> io::Result<()> {
    let (_, hard) = Resource::CPU.get()?;
    let used = cpu_seconds().unwrap_or_else(|| started.elapsed().as_secs() + 1);
    setrlimit(Resource::CPU, used.saturating_add(seconds.max(1)).min(hard), hard)
}

/// Returns the processor time of this process, rounded up, from `/proc/self/stat` (proc(5), fields
/// 14 and 15); elsewhere the time since the start bounds it from above.
fn cpu_seconds() -> Option<u64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the name in parentheses and may hold spaces.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system).div_ceil(TICKS_PER_SECOND))
}

/// Parses on a thread with a large stack; a panic there ends the thread and nothing else.
fn parse_on_thread(body: Vec<u8>, request: Request) -> io::Result<Result<Parsed, ParseError>> {
    let body = Arc::new(body);
    let on_thread = Arc::clone(&body);
    let Request { name, limits, .. } = request;
    let shared = Arc::new((name, limits));
    let arguments = Arc::clone(&shared);
    let spawned = thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || parse(&on_thread, &arguments.0, &arguments.1));
    let (name, limits) = &*shared;
    let Ok(thread) = spawned else {
        return Ok(Err(ParseError::Memory { allowed: limits.memory_bytes }));
    };
    Ok(thread.join().unwrap_or_else(|_| Err(panicked(&body, name))))
}

/// Returns the error of a document over which a library panicked.
pub(super) fn panicked(body: &[u8], name: &str) -> ParseError {
    let media_type = catch_unwind(AssertUnwindSafe(|| sniff(body, name)));
    let media_type = media_type.ok().and_then(Result::ok).unwrap_or(MediaType::PlainText);
    ParseError::Malformed { media_type, damage: Damage::Panic }
}
