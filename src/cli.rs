//! The command line: what was typed, and nothing else.
//!
//! These types parse; they decide nothing and open nothing. What each command does stands in its
//! own module, and `main` joins the two. Help, completions and the manual page are printed from
//! the same types.

use crate::plan::{Migration, Overrides};
use crate::replay::Speed;
use crate::units::Millis;
use clap::{Args, CommandFactory, Parser, Subcommand};
use std::path::PathBuf;

const EVERYWHERE: &str = "With every command";
const RUN: &str = "For this run only, sealed with it";

const EXITS: &str = "\
Exit codes:
  0  the release is kept, a rehearsal went back as it was to (or: the command
     did what was asked; or interrupted before any weight moved: resume)
  1  an error of the program or of the world: unreachable, refused, disk full
  2  wrong use, or a plan that does not hold
  3  a deploy or drill ended rolled back, and verified, or a rehearsal because
     something was wrong; or a backtest would have
  4  Green has weight, or the split cannot be read, and nobody is watching:
     a person must look
  5  abandoned: no weight ever reached Green";

const ROOT: &str = "\
Examples:
  switchback                        deploys, drills and past runs
  switchback drill plain-sailing    the cockpit on the embedded lab
  switchback check                  what is wrong with ./switchback.toml
  switchback deploy --release 1.9.0 --migration expand
  switchback rollback               all traffic to Blue, verified, and out";

const DEPLOY: &str = "\
Examples:
  switchback deploy
  switchback deploy notes.toml --release 1.9.0 --current 1.8.2
  switchback deploy --plain --yes --migration none     in a pipeline

With --yes a run goes on to its end though nobody reads its lines any more (a pipe that
is closed, a terminal that is gone): the exit code says how it ended, the journal has
the lines. Without --yes it is left where it is, as with q.

The key r sends all traffic back to Blue, in every state.";

const DRILL: &str = "\
Examples:
  switchback drill                  the list of drills
  switchback drill wall-of-red
  switchback drill cold-shiver --seed 7
  switchback drill --blind          one is drawn, and only its codename is told
  switchback drill --all --bot all --seeds 20 --json
  switchback drill wall-of-red --bot oracle --real
  switchback drill --check ./my-scenario.toml

With --bot nobody flies but a bot, on simulated time, a line a flight: oracle
(reads the answer), never, twitch, threshold_only, always_abort, rusher, or all.
Fields of --json: scenario, seed, bot, call, score, grade, critical,
users_spared, users_failed.

--check flies all six and says what does not hold: a score outside of its band, a
world that looks the same without its faults, a bot that passes by habit. It ends
with 2 then.";

const REHEARSE: &str = "\
Examples:
  switchback rehearse                    by hand: the key r takes them back
  switchback rehearse notes.toml --percent 5
  switchback rehearse --plain --yes      in a pipeline, back by itself after 10 s

Green must run what Blue runs: deploy the same release to it first. Where the
plan has no [identity] release you are asked to say so, and --yes is refused.
Nothing is deployed or migrated, and Green never gets more than N %. From then
on step 1 of a deploy shows how long the way back took, and when that was. It
shows that the road is open on this router, not that a bad release is found.
Exit codes here: 0 rolled back as rehearsed, and verified; 3 rolled back,
because a limit tripped or a gate was shut; 5 no user was moved; 1, 2 and 4 as
everywhere.";

const CHECK: &str = "\
Examples:
  switchback check
  switchback check notes.toml --effective
  switchback check --runbook > RUNBOOK.md
  switchback check --json | jq .cause";

const APPROVE: &str = "\
Examples:
  switchback approve --key ~/.ssh/id_ecdsa --identity olga@example.org
  switchback approve notes.toml --key ~/.ssh/id_ecdsa --release 1.9.0

Shows the plan's digest, its release, ramp, limits and commands, asks (not with
--yes), signs as somebody else than who deploys, and puts PLAN.approval.json and
.sig beside the plan. Every deploy of exactly that takes them into its evidence
while they are good (24 h, or --valid) and lie there; one that others have carried
before it names those runs.";

const ROLLBACK: &str = "\
Examples:
  switchback rollback               Blue is the one of the open run
  switchback rollback --to left     where no run is open

It tries for 30 s, and ends with 4 if the router cannot be brought back or read.
A cockpit that does not answer, a disk that is full or a secret that is gone
does not stop it.";

const RESUME: &str = "\
Examples:
  switchback resume                 the last run that was cut off
  switchback resume 7f3a

The router is read before anything else.";

const REPORT: &str = "\
Examples:
  switchback report                          the last run
  switchback report 7f3a --without-recording
  switchback report 7f3a --out ./for-the-auditor

Every run is sealed when it ends; this seals one that was cut off or blocked.";

const VERIFY: &str = "\
Examples:
  switchback verify 7f3a --signers allowed_signers
  switchback verify ./evidence --signers allowed_signers --json
  sh evidence/verify.sh evidence allowed_signers me@example.org    without Switchback

The signers come from you, never from the bundle: a line for who deploys, and one
for who approves:
  me@example.org namespaces=\"evidence@switchback,declaration@switchback\" ecdsa-sha2-nistp256 AAAA...
  her@example.org namespaces=\"approval@switchback\" ecdsa-sha2-nistp256 AAAA...
Exit codes here: 0 verified; 1 tampered with; 2 cannot be checked, or intact
with an author whom nobody knows (not signed, no --signers, another key).";
const REPLAY: &str = "\
Examples:
  switchback replay                 the last run
  switchback replay 7f3a --at 12:41 --speed 4
  switchback replay evidence/       a bundle, or a run's directory
  switchback replay 7f3a --plain    its timeline as lines, at once

The journal is read and its chain verified, and its inputs are lived again: what
follows from them is compared with the journal byte for byte. Nothing can be moved
from here; no router is in reach. The keys: `?`.";

const RUNS: &str = "\
A line a run, oldest first; then figures from the runs' chained index: how many
deploys had to go back, and how long that took. Drills and rehearsals are counted
apart. `back` is from the start of the way back until the router read Blue, `users
back` until users were back in band. With --json one line a run.";

const BACKTEST: &str = "\
Examples:
  switchback backtest switchback.toml samples.jsonl
  switchback backtest tighter.toml 7f3a            a run, by its id
  switchback backtest notes.toml - < samples.jsonl | jq .line

Prints a JSON line for each change of a verdict; on a terminal, or with --plain,
a line to read and a last one that sums up. It ends with 3 where the plan would
have gone back, or abandoned Green in its soak; with 1 where nothing was judged.
`at` is in milliseconds, since any beginning. A sample is one second of one slot, as a run keeps it:

  {\"at\":124000,\"mark\":\"split\",\"green\":50}
  {\"at\":125000,\"role\":\"green\",\"from\":\"users\",\"requests\":20,\"failed\":1,
   \"client_errors\":0,\"latency_ms\":{\"31.2\":12,\"36.1\":6,\"410.0\":2}}
  {\"at\":125000,\"role\":\"blue\",\"from\":\"probes\",\"requests\":4,\"failed\":0,
   \"latency_ms\":{\"27.9\":4},\"live\":true,\"ready\":true}
  {\"at\":125000,\"role\":\"both\",\"from\":\"gauges\",\"db_errors\":0,\"queue_depth\":41}

What was not read is absent, never 0. Without a split mark the first user of
Green is the switch.";
const ODDS: &str = "\
Examples:
  switchback odds --rps 12
  switchback odds notes.toml        at the traffic of the last runs, or of the router now
  switchback odds --json | jq .advice

Good and bad releases are flown on the plan through the cockpit's own core, on
simulated time; nothing is reached but, for its counters, the router. Somebody
answers the gates; what only a person can decide is counted as `asks`.

What a change is worth is told in seconds of all users (so long would everybody
have to be failed to hurt as many). A bad release costs what it hurts until it
is sent back, or for an hour from its onset, however short the watch; a question
is no find, so that it goes on too. A good release that is sent back costs 60, a
question to a person 10, each minute longer 0.02.
Of 100 deploys 10 are bad, 2 meet what both slots share, 88 are good. A change
is told if it saves for certain, at least 0.25 and a twentieth of a deploy's cost.

To send back:
  5 % errors, 20 % errors, everything fails: from the first user on
  p95 1.5x, 3x       every answer takes longer, to so far over Blue's
  leak from N min    from then on more and more fails (to 20 %) and gets slower
  bursts             6 s of 60 % errors in every minute
  flapping           the process is away for 10 s of every 30
To keep:
  healthy            0.1 % errors; or 1 %, which is usual on both slots
  cold start         twice as slow, with 1 % errors, for the first 30 s
  blip               30 % errors for 4 s, once
  probe noise        3 % of the probes fail on both slots, no user does
  sessions that fail together: 4 to 7 errors of one user within 4 s, on both slots
Both slots suffer:
  shared errors      8 % errors on both for 5 minutes
  shared outage      nobody is answered by either for a minute
  shared latency     both are three times as slow for 5 minutes

`users hurt` are requests that fail or are slow by what is wrong with a release,
until it is sent back, or for an hour from its onset. `held`: it was noticed that
both slots suffer, and nobody was moved. `asks`: it ended in a question that only
a person can answer. A [[probe]] is taken to touch half of what users touch.

Fields of --json: rps, rps_from, p95_ms, p95_from, seed, releases, deploy_s;
bad, good, shared, night: for each kind back, kept, asks, held (count, of,
percent, interval), delay_s and users_hurt (median, p95), delays (each column
twice as late as the one before, the first 10 s); found, sent_back: the same
over all kinds; changes: how many were tried; cost_s; advice: null, or section,
key, value, was, saves_s, within_s, cost_s, users_saved, effect, good_sent_back,
good_asks, minutes_longer; nearest: the same where advice is null; warnings.";

/// Everything that was typed.
#[derive(Debug, Clone, Parser)]
#[command(name = "switchback", version, about, after_help = EXITS, after_long_help = format!("{ROOT}\n\n{EXITS}"), max_term_width = 100)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// The command; without one it is home.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options that stand before or behind any command.
#[derive(Debug, Clone, Default, Args)]
pub struct Global {
    /// Print lines instead of a screen
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub plain: bool,
    /// Print events, runs or faults as JSON lines
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
    /// Answer every gate that is open, never one that is not
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub yes: bool,
    /// Keep runs in this directory
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "DIR")]
    pub runs: Option<PathBuf>,
    /// Draw with this theme, by name or file
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "NAME|FILE")]
    pub theme: Option<String>,
    /// Draw with ASCII only
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub ascii: bool,
}

/// A command.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Open the cockpit on a real plan
    #[command(after_help = DEPLOY, after_long_help = format!("{DEPLOY}\n\n{EXITS}"))]
    Deploy {
        /// Which plan.
        #[command(flatten)]
        plan: PlanArg,
        /// For this run only.
        #[command(flatten)]
        release: ReleaseArgs,
    },
    /// Open the cockpit on the embedded lab; without a name, list the drills
    #[command(after_help = DRILL)]
    Drill {
        /// Name of the scenario
        scenario: Option<String>,
        /// The world's seed: the same seed is the same drill
        #[arg(long, value_name = "N")]
        seed: Option<u64>,
        /// Show its codename alone; without a name, draw one
        #[arg(long)]
        blind: bool,
        /// Who flies it instead of you.
        #[command(flatten)]
        bots: BotArgs,
    },
    /// Fly a no-change rollback on the real router, timed
    #[command(after_help = REHEARSE)]
    Rehearse(RehearseArgs),
    /// Read the plan, reach everything it names once, change nothing
    #[command(after_help = CHECK)]
    Check {
        /// Which plan.
        #[command(flatten)]
        plan: PlanArg,
        /// For this run only.
        #[command(flatten)]
        release: ReleaseArgs,
        /// Print the whole plan with every default, and reach nothing
        #[arg(long, conflicts_with = "runbook")]
        effective: bool,
        /// Print the eight steps as Markdown with this plan's values, and reach nothing
        #[arg(long)]
        runbook: bool,
    },
    /// Sign a plan and its release as a second person
    #[command(after_help = APPROVE)]
    Approve {
        /// Which plan.
        #[command(flatten)]
        plan: PlanArg,
        /// For this run only.
        #[command(flatten)]
        release: ReleaseArgs,
        /// The approver's key; where an agent or a token has it, its public half
        #[arg(long, value_name = "KEY")]
        key: PathBuf,
        /// Who approves [default: the key's comment]
        #[arg(long, value_name = "NAME")]
        identity: Option<String>,
        /// How long it is good for, such as 24h or 7d
        #[arg(long, value_name = "TIME", default_value = "24h", value_parser = valid)]
        valid: Millis,
    },
    /// Fly good and bad releases on the plan: what it finds, how soon, at whose cost
    #[command(after_help = ODDS)]
    Odds {
        /// Which plan.
        #[command(flatten)]
        plan: PlanArg,
        /// Which releases, and how many.
        #[command(flatten)]
        odds: OddsArgs,
    },
    /// Send all traffic to Blue without a screen, verify, and leave
    #[command(after_help = ROLLBACK)]
    Rollback {
        /// Which plan.
        #[command(flatten)]
        plan: PlanArg,
        /// The slot to send traffic to, where no run is open
        #[arg(long, value_name = "SLOT")]
        to: Option<String>,
    },
    /// Pick up a run that was cut off
    #[command(after_help = RESUME)]
    Resume {
        /// The run's id, or the beginning of it [default: the last that was cut off]
        run: Option<String>,
    },
    /// When would these limits have tripped on these samples?
    #[command(after_help = BACKTEST)]
    Backtest {
        /// The plan's file
        #[arg(value_name = "PLAN")]
        plan: PathBuf,
        /// A file of samples, - for standard input, a run's directory, or a run's id
        #[arg(value_name = "FILE|RUN")]
        samples: String,
    },
    /// Play a run again in the cockpit, from its journal
    #[command(after_help = REPLAY)]
    Replay {
        /// A run's id or the beginning of it, its directory, or a bundle [default: the last run]
        #[arg(value_name = "RUN|DIR")]
        run: Option<String>,
        /// Begin there, as minutes and seconds of the run
        #[arg(long, value_name = "12:41", value_parser = instant)]
        at: Option<Millis>,
        /// Times the run's own pace: 0.25, 0.5, 1, 2, 4, 8, 16, 32 or 64
        #[arg(long, value_name = "N", value_parser = speed, default_value = "1")]
        speed: Speed,
    },
    /// List past runs, and how many deploys went back
    #[command(after_help = RUNS)]
    Runs,
    /// Seal a run that is not sealed yet, and say where its report is
    #[command(after_help = REPORT)]
    Report(ReportArgs),
    /// Check a bundle of evidence: who signed it, whether it is whole, whether it holds together
    #[command(after_help = VERIFY)]
    Verify(VerifyArgs),
    /// What the lab's own plan runs as its commands
    #[command(hide = true)]
    LabAct {
        /// The lab's control endpoint
        address: String,
        /// What to do there
        #[arg(trailing_var_arg = true)]
        act: Vec<String>,
    },
    /// Print the JSON Schema of a plan
    Schema,
    /// Print the completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// Who flies a drill instead of a person, and how often.
#[derive(Debug, Clone, Default, Args)]
pub struct BotArgs {
    /// Every scenario that comes with the program
    #[arg(long, conflicts_with = "scenario")]
    pub all: bool,
    /// Let a bot fly, by its name, or all six
    #[arg(long, value_name = "NAME")]
    pub bot: Option<String>,
    /// Fly the bot's keys on real sockets as well, in real time, and tell both
    #[arg(long, requires = "bot", conflicts_with = "check")]
    pub real: bool,
    /// How many seeds of each scenario bots fly, 1 to 1000 [default: 4; with --check 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub seeds: Option<u16>,
    /// Prove a scenario, by name or file, with all six bots
    #[arg(long, conflicts_with = "bot")]
    pub check: bool,
}

/// Which plan.
#[derive(Debug, Clone, Args)]
pub struct PlanArg {
    /// The plan's file
    #[arg(value_name = "PLAN", default_value = "switchback.toml")]
    pub path: PathBuf,
}

/// How the way back is rehearsed.
#[derive(Debug, Clone, Args)]
pub struct RehearseArgs {
    /// Which plan.
    #[command(flatten)]
    pub plan: PlanArg,
    /// Green's share of the users, 1 to 50 [default: the ramp's first, at most 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=50))]
    pub percent: Option<u8>,
    /// How long Green has it before it goes back by itself [default: 1m, with --yes 10s]
    #[arg(long, value_name = "TIME", value_parser = hold)]
    pub hold: Option<Millis>,
}

/// Which run's bundle, and what goes into it.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// The run's id, or the beginning of it [default: the last run]
    pub run: Option<String>,
    /// Seal it without its recordings; they stay in the run's directory
    #[arg(long)]
    pub without_recording: bool,
    /// Seal it without this file; more than once for more
    #[arg(long, value_name = "FILE")]
    pub leave_out: Vec<String>,
    /// Seal it again; the bundle that is there is kept beside it
    #[arg(long)]
    pub again: bool,
    /// Copy the bundle to this directory, which is not there yet
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Which bundle, and whom to believe.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// A bundle's directory, or a run's id
    #[arg(value_name = "DIR|RUN")]
    pub bundle: String,
    /// Who may sign: an allowed_signers file, as ssh-keygen reads it
    #[arg(long, value_name = "FILE")]
    pub signers: Option<PathBuf>,
    /// Who must have signed it, as --signers calls them
    #[arg(long, value_name = "NAME")]
    pub signer: Option<String>,
    /// The time authority's certificates, as PEM
    #[arg(long, value_name = "FILE")]
    pub tsa_chain: Option<PathBuf>,
}

/// Which releases are flown, and how many.
#[derive(Debug, Clone, Args)]
pub struct OddsArgs {
    /// Requests a second of all users, 0 to 5000 [default: of the last runs, or the router's now]
    #[arg(long, value_name = "N", value_parser = rps, allow_hyphen_values = true)]
    pub rps: Option<f64>,
    /// What everything is drawn from: the same seed gives the same numbers
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = seed, allow_hyphen_values = true)]
    pub seed: u64,
    /// How many releases are flown, 2000 to 10000000, those of changes included
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = releases, allow_hyphen_values = true)]
    pub releases: u64,
    /// How many fly at once; the numbers do not depend on it [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
}

fn valid(word: &str) -> Result<Millis, String> {
    let valid: Option<Millis> = word.parse().ok();
    valid
        .filter(|valid| (Millis::secs(60)..=Millis::secs(366 * 86_400)).contains(valid))
        .ok_or_else(|| "a time from 1m to 366d: say --valid 24h".to_owned())
}

fn hold(word: &str) -> Result<Millis, String> {
    let held = word.parse::<Millis>();
    let held = held.ok().filter(|held| (Millis::secs(1)..=Millis::secs(600)).contains(held));
    held.ok_or_else(|| "a hold is from 1s to 10m: say --hold 10s".to_owned())
}

fn instant(word: &str) -> Result<Millis, String> {
    let wrong = || "an instant of the run is minutes and seconds: say --at 12:41".to_owned();
    let mut seconds = 0_u64;
    let parts: Vec<&str> = word.split(':').collect();
    if parts.len() > 3 {
        return Err(wrong());
    }
    for (place, part) in parts.iter().enumerate() {
        let digits =
            !part.is_empty() && part.len() <= 6 && part.bytes().all(|b| b.is_ascii_digit());
        let number: u64 = part.parse().ok().filter(|_| digits).ok_or_else(wrong)?;
        if place > 0 && number >= 60 {
            return Err(wrong());
        }
        seconds = seconds * 60 + number;
    }
    Ok(Millis::secs(seconds))
}

fn speed(word: &str) -> Result<Speed, String> {
    let speed = word.trim_end_matches('x').parse().ok().and_then(Speed::of);
    speed.ok_or_else(|| "one of 0.25, 0.5, 1, 2, 4, 8, 16, 32 and 64: say --speed 4".to_owned())
}

fn rps(word: &str) -> Result<f64, String> {
    let wrong = "`--rps` is requests a second, at least 0 and at most 5000: say --rps 2";
    let rps = word.parse().ok().filter(|rps| (0.0..=5_000.0).contains(rps));
    rps.ok_or_else(|| wrong.to_owned())
}

fn seed(word: &str) -> Result<u64, String> {
    let wrong = "`--seed` is a whole number, at least 0: say --seed 7, or leave it out";
    word.parse().map_err(|_| wrong.to_owned())
}

fn releases(word: &str) -> Result<u64, String> {
    let (least, most) = (crate::odds::FEWEST, 10_000_000);
    let releases = word.parse().ok().filter(|n| (least..=most).contains(n));
    releases.ok_or_else(|| {
        format!(
            "`--releases` is a whole number from {least} to {most}, fewer tell nothing: say \
             --releases {least}, or leave it out for 10000"
        )
    })
}

/// What is said about the release for one run.
#[derive(Debug, Clone, Default, Args)]
pub struct ReleaseArgs {
    /// The release that Green shall run
    #[arg(long, value_name = "NAME", help_heading = RUN)]
    pub release: Option<String>,
    /// The release that Blue runs
    #[arg(long, value_name = "NAME", help_heading = RUN)]
    pub current: Option<String>,
    /// What the release does to the data: none, expand or irreversible
    #[arg(long, value_name = "KIND", value_parser = migration, help_heading = RUN)]
    pub migration: Option<Migration>,
}

impl From<ReleaseArgs> for Overrides {
    fn from(args: ReleaseArgs) -> Self {
        Self { release: args.release, current: args.current, migration: args.migration }
    }
}

fn migration(word: &str) -> Result<Migration, String> {
    Migration::from_key(word).ok_or_else(|| "one of: none, expand, irreversible".to_owned())
}

/// The completions for a shell.
pub fn completions(shell: clap_complete::Shell) -> Vec<u8> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "switchback", &mut out);
    out
}

/// The manual page, every command in it.
pub fn man() -> std::io::Result<Vec<u8>> {
    let mut command = Cli::command();
    command.build();
    let mut page = Vec::new();
    let man = clap_mangen::Man::new(command.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let mut part = Vec::new();
        let man = clap_mangen::Man::new(sub.clone());
        man.render_synopsis_section(&mut part)?;
        man.render_description_section(&mut part)?;
        man.render_options_section(&mut part)?;
        // A page has one set of sections: those of a command are sections within its own.
        let part = String::from_utf8_lossy(&part).replace(".SH ", ".SS ");
        page.extend(format!(".SH \"SWITCHBACK {}\"\n", sub.get_name().to_uppercase()).bytes());
        page.extend(part.bytes());
        if let Some(help) = sub.get_after_help() {
            page.extend(as_typed("SS", &help.to_string()).bytes());
        }
    }
    page.extend(as_typed("SH", ROOT).bytes());
    page.extend(as_typed("SH", EXITS).bytes());
    Ok(page)
}

/// A block of help as a section of its own, its lines kept as they are: the first line is the
/// heading.
fn as_typed(section: &str, help: &str) -> String {
    let (heading, lines) = help.split_once('\n').unwrap_or((help, ""));
    let heading = heading.trim_end_matches(':').to_uppercase();
    // A dash that shall be copied is written `\-`; a line that begins with a dot would be read.
    let lines = lines.replace('\\', "\\e").replace('-', "\\-").replace("\n.", "\n\\&.");
    format!(".{section} \"{heading}\"\n.nf\n{lines}\n.fi\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_command_is_home() {
        let cli = Cli::try_parse_from(["switchback"]).unwrap();
        assert!(cli.command.is_none());
    }

    #[test]
    fn global_options_stand_before_or_behind_the_command() {
        for line in ["--plain deploy --yes", "deploy --plain --yes", "--yes --plain deploy"] {
            let words = std::iter::once("switchback").chain(line.split(' '));
            let cli = Cli::try_parse_from(words).unwrap();
            assert!(cli.global.plain && cli.global.yes && !cli.global.json, "{line}");
        }
    }

    #[test]
    fn a_release_is_said_for_one_run() {
        let words = "switchback deploy p.toml --release 1.9.0 --current 1.8.2 --migration expand";
        let cli = Cli::try_parse_from(words.split(' ')).unwrap();
        let Some(Command::Deploy { plan, release }) = cli.command else { panic!("not a deploy") };
        assert_eq!(plan.path, PathBuf::from("p.toml"));
        assert_eq!(
            Overrides::from(release),
            Overrides {
                release: Some("1.9.0".to_owned()),
                current: Some("1.8.2".to_owned()),
                migration: Some(Migration::Expand),
            }
        );
    }

    #[test]
    fn an_unknown_migration_is_wrong_use() {
        let error =
            Cli::try_parse_from(["switchback", "deploy", "--migration", "undeclared"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("irreversible"), "{error}");
    }

    #[test]
    fn the_manual_and_the_completions_name_every_command() {
        let man = String::from_utf8(man().unwrap()).unwrap();
        let bash = String::from_utf8(completions(clap_complete::Shell::Bash)).unwrap();
        for sub in Cli::command().get_subcommands() {
            let name = sub.get_name();
            assert!(man.contains(&format!("SWITCHBACK {}", name.to_uppercase())), "man: {name}");
            assert!(bash.contains(name), "bash: {name}");
        }
        assert!(man.contains("a person must look"), "exit codes are in the manual");
    }
}
