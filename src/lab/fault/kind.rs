//! The kinds of faults: what each acts on, and how much at full strength. All of them are causes
//! but the last ones, which act on what is measured and on what people say.

use crate::lab::lever::Lever;
use crate::units::Millis;
use serde::Deserialize;

/// One of the series that the proxy counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Requests.
    Requests,
    /// Those that failed.
    Failed,
    /// Those answered with 4xx.
    ClientErrors,
    /// Times to an answer.
    Latency,
    /// Requests that wait.
    InFlight,
}

/// What a strength is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Time.
    #[default]
    Second,
    /// Users' requests to the slot.
    Request,
}

/// How open sockets come back when their process has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reconnect {
    /// All at once: a herd.
    #[default]
    AtOnce,
    /// After waits that differ: a fifth of the herd, for five times as long.
    Backoff,
    /// Not at all: they are cut off.
    Never,
}

/// What a fault acts on, and how much at full strength. Shares are 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub enum FaultKind {
    /// `http.error`: a share of requests is answered with an error.
    HttpError {
        /// Share of requests.
        share: f64,
        /// The status, 400 to 599.
        status: u16,
        /// Whether any status of its class may come instead.
        any: bool,
    },
    /// `http.latency`: a share of requests (all unless told) takes this many times as long.
    HttpLatency {
        /// Times as long.
        factor: f64,
        /// And so much longer.
        more: Millis,
        /// Share of requests.
        share: f64,
        /// How much that differs from request to request, as a share.
        jitter: f64,
        /// Only requests between these two percentiles of the work that they are.
        band: Option<[f64; 2]>,
    },
    /// `http.hang`: a share of requests is never answered.
    HttpHang {
        /// Share of requests.
        share: f64,
        /// After how long the connection is closed; never unless told.
        after: Option<Millis>,
    },
    /// `http.reset`: the connection of a share of requests is reset.
    HttpReset {
        /// Share of requests.
        share: f64,
        /// After how long; when the answer would have come unless told.
        after: Option<Millis>,
    },
    /// `net.bandwidth`: the wire to a share of requests carries only so much.
    NetBandwidth {
        /// Thousands of bytes a second.
        kb_per_s: f64,
        /// Share of requests.
        share: f64,
    },
    /// `net.slicer`: answers come in slices, with a pause between them.
    NetSlicer {
        /// Mean size of a slice, in bytes.
        bytes: f64,
        /// How much smaller or larger one may be, in bytes.
        variation: f64,
        /// The pause.
        pause: Millis,
        /// Share of requests.
        share: f64,
    },
    /// `net.limit`: after so many bytes of an answer the connection is closed.
    NetLimit {
        /// Bytes.
        bytes: f64,
        /// Share of requests.
        share: f64,
    },
    /// `http.wrong_ok`: a share of requests is answered well and sent to a bad place, or gets a
    /// bad body.
    HttpWrongOk {
        /// Share of requests.
        share: f64,
        /// The status, 200 to 399: from 300 on the place is bad, below it the body.
        status: u16,
        /// Whether requests that no user made meet it too.
        probed: bool,
    },
    /// `http.reject_auth`: a share of requests is refused as not allowed.
    RejectAuth {
        /// Share of requests.
        share: f64,
        /// Only tokens that are younger than this.
        younger: Option<Millis>,
        /// Only tokens that are older than this.
        older: Option<Millis>,
        /// The key that is not known: its tokens are the share, and the same in each slot.
        key: Option<String>,
    },
    /// `ready.sequence`: the readiness check answers in turn, one word for each period.
    ReadySequence {
        /// Whether it is ready, turn by turn, over and over.
        turns: Vec<bool>,
        /// Whether they come over and over; otherwise the last one stays.
        cycle: bool,
        /// Only the deep check.
        deep: bool,
    },
    /// `ready.lie`: the readiness check says that all is well.
    ReadyLie,
    /// `boot.fail`: the process ends as it starts, and is started again in each period.
    BootFail {
        /// The status with which it ends.
        exit: u8,
        /// How long it runs each time; a third of the period unless told.
        runs: Option<Millis>,
    },
    /// `boot.slow`: it takes so much longer to the first ready.
    BootSlow {
        /// So much longer.
        more: Millis,
    },
    /// `restart_loop`: the process starts anew in each period.
    RestartLoop {
        /// How long each start takes.
        down: Millis,
    },
    /// `worker.variant`: one worker runs another build.
    WorkerVariant {
        /// Share of its requests that fail.
        share: f64,
        /// The build that it runs.
        version: String,
    },
    /// `mem.leak`: memory grows, and at the limit a worker is started anew.
    MemLeak {
        /// Megabytes a second, or for each request of a user.
        mb: f64,
        /// Which of the two.
        per: Per,
        /// Share of requests that fail while the worker starts.
        share: f64,
        /// How long that takes.
        down: Millis,
    },
    /// `cpu.burn`: something else eats a share of the processor.
    CpuBurn {
        /// Share of the capacity, 0 to 0.98; of each request, where all the base rate is on the
        /// slot.
        share: f64,
        /// All the time, or for each request.
        per: Per,
    },
    /// `disk.fill`: the disk that both slots share fills; at 100 % nobody can write.
    DiskFill {
        /// Percent of the disk a second.
        pct_per_s: f64,
    },
    /// `cache.cold`: the cache answers fewer lookups, and the database more.
    CacheCold {
        /// Share of lookups that the cache still answers.
        hit: f64,
        /// So many times as many reads are a miss's.
        cost: f64,
    },
    /// `cache.poison`: bad entries get into the cache of both slots, and stay until it is purged.
    CachePoison {
        /// Share of requests that meet one, once it has come to that.
        share: f64,
        /// How long it takes to that, with all the traffic on the slot that writes them.
        over: Millis,
    },
    /// `db.pool_grow`: the slot opens connections until it has so many more.
    DbPoolGrow {
        /// Connections.
        connections: f64,
    },
    /// `db.hold`: something in the slot keeps connections busy.
    DbHold {
        /// Connections.
        connections: f64,
    },
    /// `db.conn_leak`: the slot opens connections and never closes them.
    DbConnLeak {
        /// Connections a second.
        per_s: f64,
    },
    /// `db.slow`: each database read takes this many times as long.
    DbSlow {
        /// Times as long.
        factor: f64,
    },
    /// `db.lock`: whoever writes (or everybody) waits for a lock.
    DbLock {
        /// How long each waits until it gives up.
        wait: Millis,
        /// Only those who write.
        writes: bool,
        /// Only those who ask this table.
        table: Option<String>,
    },
    /// `schema.migrate`: the schema changes, once and for good.
    SchemaMigrate {
        /// Whether the old release cannot work with it; otherwise nothing happens to anybody.
        contract: bool,
        /// Share of the old release's requests that fail then.
        share: f64,
        /// The releases that can work with it; Green's unless told.
        versions: Vec<String>,
    },
    /// `queue.stop`: the slot's consumers do nothing.
    QueueStop,
    /// `queue.slow`: the slot's consumers do this share of their work.
    QueueSlow {
        /// Share of the work.
        factor: f64,
    },
    /// `queue.format`: the slot writes jobs that the other release cannot read.
    QueueFormat {
        /// Share of web requests that fail where the consumers crash.
        share: f64,
        /// The releases that can read it; the slot's own unless told.
        versions: Vec<String>,
        /// Whether consumers leave out what they cannot read, and go on.
        skip: bool,
    },
    /// `job.double`: the scheduler runs in both slots.
    JobDouble {
        /// Things done twice at each tick.
        per_tick: f64,
    },
    /// `conn.pinned`: open sockets stay on the slot until it ends.
    ConnPinned {
        /// Sockets.
        sockets: f64,
        /// Share of requests that fail while all of them come back at once.
        share: f64,
        /// For how long that lasts.
        herd: Millis,
        /// How they come back.
        reconnect: Reconnect,
    },
    /// `client.sticky_dns`: a share of users goes on to the slot whatever the weights say.
    StickyDns {
        /// Share of users at the beginning.
        share: f64,
        /// After how long two thirds of them have looked again.
        ttl: Millis,
    },
    /// `client.abuse`: one client asks and asks, and most of it fails.
    ClientAbuse {
        /// Its name.
        client: String,
        /// Its requests a second.
        rps: f64,
        /// Share of its requests that fail.
        share: f64,
    },
    /// `client.retry_storm`: users whose request failed try again at once.
    RetryStorm {
        /// How often each does.
        times: u32,
    },
    /// `session.key`: each slot signs sessions with its own key.
    SessionKey,
    /// `drain.slow`: long uploads run in the slot, and take their time after its weight is gone.
    DrainSlow {
        /// Uploads.
        uploads: f64,
        /// How long the last of them takes.
        over: Millis,
    },
    /// `proxy.refuse`: the proxy refuses each write.
    ProxyRefuse {
        /// The status, 400 to 499.
        status: u16,
    },
    /// `proxy.partial`: of each write only a part takes effect.
    ProxyPartial {
        /// Share of the way that it goes.
        share: f64,
    },
    /// `proxy.stuck`: the proxy says yes to each write, and does nothing.
    ProxyStuck,
    /// `proxy.mute`: the proxy's control endpoint does not answer.
    ProxyMute,
    /// `rollback.missing`: the artefact of the slot's release is gone.
    RollbackMissing {
        /// How long ago the check that still says it is there was made, as people say it: until
        /// somebody checks anew, that one is read.
        checked: Option<String>,
        /// Whether what runs in the slot is gone too.
        slot: bool,
    },
    /// `config.drift`: the slot's configuration was changed and has not run under load.
    ConfigDrift {
        /// Times as long under full load.
        factor: f64,
        /// Share of requests that fail under full load.
        share: f64,
    },
    /// `clock.skew`: the slot's clock is wrong, and fresh tokens look wrong to it.
    ClockSkew {
        /// How far it is ahead.
        by: Millis,
    },
    /// `tls.bad`: users cannot agree on a connection with the slot; loopback checks do not ask.
    TlsBad {
        /// For how many days the certificate has been expired.
        days: f64,
        /// The name that it is for instead, where the name is what is wrong.
        name: Option<String>,
    },
    /// `vendor.slow`: somebody else's service is slow.
    VendorSlow {
        /// Times as long.
        factor: f64,
    },
    /// `vendor.down`: somebody else's service fails.
    VendorDown {
        /// Share of requests that need it and fail.
        share: f64,
    },
    /// `latent.trigger`: an old bug of both releases is set off, until its trigger is off.
    LatentTrigger {
        /// Share of requests that fail.
        share: f64,
    },
    /// `telemetry.freeze`: what is measured repeats the last second.
    TelemetryFreeze {
        /// Which series; all of them where none is named.
        series: Vec<Measure>,
    },
    /// `telemetry.gap`: nothing is measured of users.
    TelemetryGap,
    /// `telemetry.delay`: what is measured of users is old.
    TelemetryDelay {
        /// How old.
        by: Millis,
        /// Which series; all of them where none is named.
        series: Vec<Measure>,
    },
    /// `telemetry.wrong`: of the failures only this share is counted.
    TelemetryWrong {
        /// Share of failures that is counted; above 1 more than there were.
        factor: f64,
    },
    /// `traffic.profile`: so many times as many users come.
    TrafficProfile {
        /// Times as many.
        factor: f64,
        /// Whether the others come as much less, so that all are as many as before.
        shift: bool,
    },
    /// `label.swap`: the slot that serves at the start is not the one that `[world] live` names,
    /// and neither are the slots that the commands' words name.
    LabelSwap {
        /// What somebody says who believes the label.
        says: Option<(String, String)>,
    },
    /// `advice.wrong`: an adviser says what is not right, and it is marked so afterwards.
    AdviceWrong {
        /// What it says.
        text: String,
    },
    /// `inject.message`: somebody says something.
    InjectMessage {
        /// Who.
        from: String,
        /// What.
        text: String,
        /// Whether it leads astray.
        decoy: bool,
    },
}

impl FaultKind {
    /// Whether it acts on how answers come over the wire.
    pub(in crate::lab) const fn is_of_the_wire(&self) -> bool {
        matches!(self, Self::NetBandwidth { .. } | Self::NetSlicer { .. } | Self::NetLimit { .. })
    }

    /// Whether it comes between the proxy's counters and whoever reads them.
    pub(in crate::lab) const fn is_of_the_counters(&self) -> bool {
        matches!(
            self,
            Self::TelemetryFreeze { .. }
                | Self::TelemetryGap
                | Self::TelemetryDelay { .. }
                | Self::TelemetryWrong { .. }
        )
    }

    /// The lever that ends it, where one does whatever the scenario says.
    pub const fn ends_with(&self) -> Option<Lever> {
        Some(match self {
            Self::DbLock { .. } => Lever::CancelMigration,
            Self::LatentTrigger { .. } => Lever::DisableTrigger,
            Self::ConfigDrift { .. } => Lever::RevertDrift,
            Self::RollbackMissing { .. } => Lever::RestoreArtefact,
            _ => return None,
        })
    }
}
