//! The six bots and what they are worth.

use crate::scenes::{PLAIN, RED, SHIVER, course};
use switchback::drill::bots::Bot;
use switchback::drill::regress;

#[test]
fn table() {
    for text in [RED, SHIVER, PLAIN] {
        let course = course(text);
        for seed in regress::seeds(&course, 2) {
            let t = std::time::Instant::now();
            for trial in regress::trials(&course, seed, &Bot::ALL) {
                eprintln!("{}", serde_json::to_string(&trial.line(&course.scenario.drill.id)).unwrap());
                for p in &trial.score.parts { eprintln!("    {:?} {:.1}/{} {}", p.name, p.points, p.of, p.says); }
                let a = &trial.account;
                if trial.bot == Bot::Oracle { eprintln!("    looks {:?} steps {:?} deeds {:?}", a.looks, trial.flown.tape.steps, trial.flown.tape.deeds); }
                eprintln!("    onset {:?} ev {:?} det {:?} dec {:?} eff {:?} res {:?} end {:?} {:?}", a.onset, a.evidence, a.detect, a.decide, a.effect, a.restore, a.ended, a.outcome);
            }
            eprintln!("took {:?}", t.elapsed());
        }
    }
}
