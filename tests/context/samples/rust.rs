//! A sample.
use std::collections::HashMap;
use crate::tea::{boil, Leaf as Green};
extern crate serde;
mod water;

pub const LIMIT: usize = 3;
static MOST: usize = 10;
pub type Leaves = Vec<Leaf>;

#[derive(Debug, Clone)]
pub struct Pot<T> {
    size: usize,
    pub leaf: T,
}

pub struct Cup(usize);

union Raw {
    hot: u32,
}

pub enum Size {
    Small,
    Large { much: usize },
}

pub trait Heated: Warm {
    const HEAT: u8;
    type Heat;
    fn heat(&self, degrees: u8);
    fn cool(&self) {
        self.heat(0)
    }
}

impl<T> Pot<T> {
    pub const FULL: usize = 1;

    pub fn new(leaf: T) -> Self {
        Self { size: LIMIT, leaf }
    }
}

impl<T: Brewed> Heated for Pot<T> {
    fn heat(&self, degrees: u8) {
        boil(degrees);
        water::run(self.leaf.dry());
    }
}

mod kitchen {
    pub fn open() -> Cup {
        println!("open");
        Cup(1)
    }
}

macro_rules! pour {
    ($cup:expr) => {
        $cup
    };
}

pub async fn steep(leaf: &Green) -> Tea {
    brew::<Tea>(leaf).await
}
