//! stub
pub struct Lab;
pub fn act() {}
