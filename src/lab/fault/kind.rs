//! The kinds of faults: what each acts on, and how much at full strength. All of them are causes
//! but the last ones, which act on what is measured and on what people say.

use crate::lab::lever::Lever;
use crate::units::Millis;

/// What a fault acts on, and how much at full strength. Shares are 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub enum FaultKind {
    /// `http.error`: a share of requests is answered with an error.
    HttpError {
        /// Share of requests.
        share: f64,
        /// The status, 400 to 599.
        status: u16,
    },
    /// `http.latency`: a share of requests (all unless told) takes this many times as long.
    HttpLatency {
        /// Times as long.
        factor: f64,
        /// And so much longer.
        more: Millis,
        /// Share of requests.
        share: f64,
    },
    /// `http.hang`: a share of requests is never answered.
    HttpHang {
        /// Share of requests.
        share: f64,
    },
    /// `http.reset`: the connection of a share of requests is reset.
    HttpReset {
        /// Share of requests.
        share: f64,
    },
    /// `http.wrong_ok`: a share of requests is answered well and sent to a bad place.
    HttpWrongOk {
        /// Share of requests.
        share: f64,
    },
    /// `http.reject_auth`: a share of requests is refused as not allowed.
    RejectAuth {
        /// Share of requests.
        share: f64,
    },
    /// `ready.sequence`: the readiness check answers in turn, one word for each period.
    ReadySequence {
        /// Whether it is ready, turn by turn, over and over.
        turns: Vec<bool>,
        /// Only the deep check.
        deep: bool,
    },
    /// `ready.lie`: the readiness check says that all is well.
    ReadyLie,
    /// `boot.fail`: the process ends as it starts, and is started again in each period.
    BootFail,
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
        /// Megabytes a second.
        mb_per_s: f64,
        /// Share of requests that fail while the worker starts.
        share: f64,
        /// How long that takes.
        down: Millis,
    },
    /// `cpu.burn`: something else eats a share of the processor.
    CpuBurn {
        /// Share of the capacity, 0 to 0.98.
        share: f64,
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
    },
    /// `schema.migrate`: the schema changes, once and for good.
    SchemaMigrate {
        /// Whether the old release cannot work with it; otherwise nothing happens to anybody.
        contract: bool,
        /// Share of the old release's requests that fail then.
        share: f64,
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
    ProxyRefuse,
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
    RollbackMissing,
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
    TelemetryFreeze,
    /// `telemetry.gap`: nothing is measured of users.
    TelemetryGap,
    /// `telemetry.delay`: what is measured of users is old.
    TelemetryDelay {
        /// How old.
        by: Millis,
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
    },
    /// `label.swap`: what the slots are called in the commands' words is the wrong way round.
    LabelSwap,
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
    /// The lever that ends it, where one does whatever the scenario says.
    pub const fn ends_with(&self) -> Option<Lever> {
        Some(match self {
            Self::DbLock { .. } => Lever::CancelMigration,
            Self::LatentTrigger { .. } => Lever::DisableTrigger,
            Self::ConfigDrift { .. } => Lever::RevertDrift,
            Self::RollbackMissing => Lever::RestoreArtefact,
            _ => return None,
        })
    }
}
