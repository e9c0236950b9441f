//! The hostile world: what can go wrong around a deploy, as stories of plain data. A story is
//! made by chance ([`weather`]), told in words ([`story`]) and flown ([`fly`]): one seed gives one
//! story, and a story can be made smaller.

pub mod fly;
pub mod seeded;
pub mod story;
pub mod weather;
