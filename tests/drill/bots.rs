//! The six bots and what they are worth.

use switchback::drill::bots::Bot;
use switchback::drill::fly::Course;
use switchback::drill::regress;

#[test]
fn table() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let long = std::env::var("LONG").is_ok();
    for name in switchback::lab::scenario::builtin().filter(|n| n.contains(&*only)) {
        let course = Course::new(switchback::lab::scenario::load(name).unwrap(), switchback::lab::scenario::load_answer(name).unwrap()).unwrap();
        for seed in regress::seeds(&course, if long {1} else {3}) {
            let t = std::time::Instant::now();
            let bands = course.answer.bots.named();
            let mut row = String::new();
            for (trial, (_, band)) in regress::trials(&course, seed, &Bot::ALL).iter().zip(bands) {
                let s = trial.score.total;
                let ok = band.is_none_or(|[a,b]| (a..=b).contains(&s));
                row += &format!(" {}{}{}{:?}", trial.bot.name(), if ok {"="} else {"!!"}, s, band.unwrap_or([0,100]));
                if long {
                    eprintln!("{}", serde_json::to_string(&trial.line(&course.scenario.drill.id)).unwrap());
                for p in &trial.score.parts { eprintln!("    {:?} {:.1}/{} {}", p.name, p.points, p.of, p.says); }
                let a = &trial.account;
                eprintln!("    deeds {:?}", trial.flown.tape.deeds.iter().map(|d| format!("{}@{}s{}", serde_json::to_string(&d.deed).unwrap(), d.at.0 as f64/1000.0, d.step)).collect::<Vec<_>>().join(" "));
                eprintln!("    {:?} onset {:?} ev {:?} det {:?} dec {:?} eff {:?} res {:?} end {:?} {:?}", trial.score.critical, a.onset, a.evidence, a.detect, a.decide, a.effect, a.restore, a.ended, a.outcome);
                }
            }
            eprintln!("{name} {seed}{row} {:?}", t.elapsed());
        }
    }
}
