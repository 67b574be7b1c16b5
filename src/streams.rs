//! Where a run reads and writes: handed in, so that nothing else knows of standard output.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use terminal_size::{Width, terminal_size_of};
use tracing_subscriber::filter::LevelFilter;

use crate::kernel::patience::{Event, Patience, Waited};
use crate::output::{Color, Style, sanitize, sanitize_lines, told};

/// Bytes collected before they are written. Larger pieces, as rows come in, go straight through.
const BUFFER: usize = 16 * 1024;

/// The streams of a run.
pub struct Streams {
    /// The answer.
    pub out: Box<dyn Write + Send>,
    /// Warnings and errors.
    pub err: Box<dyn Write + Send>,
    style: Style,
    /// That of standard error, if it is a terminal.
    err_style: Option<Style>,
}

impl Streams {
    /// The process's own streams. The answer is written in large pieces, also to a terminal.
    pub fn standard() -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        let width = terminal_size_of(&stdout).map_or(Style::PLAIN.width, |(Width(width), _)| width);
        let wants_no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let out: Box<dyn Write + Send> = match stdout.as_fd().try_clone_to_owned() {
            Ok(own) => Box::new(BufWriter::with_capacity(BUFFER, File::from(own))),
            Err(_) => Box::new(stdout),
        };
        let style = Style { color: is_terminal && !wants_no_color, width };
        let stderr = io::stderr();
        let err_width = terminal_size_of(&stderr).map_or(Style::PLAIN.width, |(Width(it), _)| it);
        let err_style = Style { color: !wants_no_color, width: err_width };
        let err_style = stderr.is_terminal().then_some(err_style);
        Self { out, err: Box::new(stderr), style, err_style }
    }

    /// Streams of a caller's own, without colour.
    pub fn new(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>) -> Self {
        Self { out, err, style: Style::PLAIN, err_style: None }
    }

    /// The same for an answer of `width` columns.
    #[must_use]
    pub fn wide(mut self, width: u16) -> Self {
        self.style.width = width;
        self
    }

    /// How the answer may look.
    pub(crate) fn style(&self, color: Color) -> Style {
        wished(self.style, color)
    }

    /// How what is told aside may look; and whether that is on a terminal.
    pub(crate) fn err_style(&self, color: Color) -> (Style, bool) {
        (wished(self.err_style.unwrap_or(Style::PLAIN), color), self.err_style.is_some())
    }

    /// Says something to the user. That nobody listens is no reason to fail.
    pub(crate) fn say(&mut self, message: &str) {
        self.tell(&format!("netkit: {message}"));
    }

    /// Says what the user can do.
    pub(crate) fn hint(&mut self, hint: &str) {
        self.tell(&format!("hint: {hint}"));
    }

    /// On a terminal by words; elsewhere a line is what a program reads. What a message quotes, an
    /// argument or the name of a file, may hold anything.
    fn tell(&mut self, text: &str) {
        let text = sanitize_lines(text);
        drop(match self.err_style {
            Some(style) => writeln!(self.err, "{}", told(&text, style.width)),
            None => writeln!(self.err, "{text}"),
        });
    }
}

/// `style` with the colour that the user wants.
fn wished(style: Style, color: Color) -> Style {
    let color = match color {
        Color::Auto => style.color,
        Color::Always => true,
        Color::Never => false,
    };
    Style { color, ..style }
}

/// How long `-v` waits for a reader that is slow.
const READERS_TIME: Duration = Duration::from_secs(1);

/// Whether the reader of what `-v` tells has taken longer: until it reads on, it is not waited for.
static IS_STALLED: AtomicBool = AtomicBool::new(false);

/// Where `-v` tells: standard error. That nobody listens any more, or reads, or that there is no room for
/// it, is no reason to fail or to stand still, and what came from outside moves no cursor.
struct Told;

impl Write for Told {
    /// Takes an event, which comes as a whole, with its line's end.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let (text, end) = text.strip_suffix('\n').map_or((&*text, ""), |text| (text, "\n"));
        let is_stalled = IS_STALLED.load(Ordering::Relaxed);
        let patience = Patience::of(if is_stalled { Duration::ZERO } else { READERS_TIME });
        let waited = patience.wait(io::stderr().as_fd(), Event::Writable);
        IS_STALLED.store(waited == Ok(Waited::Late), Ordering::Relaxed);
        if waited == Ok(Waited::Late) {
            return Ok(event.len());
        }
        drop(io::stderr().write_all(format!("{}{end}", sanitize(text)).as_bytes()));
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// With `-v`, what is done is told on standard error from now on; with `-vv`, in detail.
pub(crate) fn trace(verbosity: u8) {
    let level = match verbosity {
        0 => return,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .without_time()
        .with_target(false)
        .with_ansi(false)
        .log_internal_errors(false)
        .with_writer(|| Told);
    // A second run in the same process finds the first one's subscriber, which serves.
    drop(tracing::subscriber::set_global_default(subscriber.finish()));
}
