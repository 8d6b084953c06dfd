use std::collections::HashMap;
use std::fmt;

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Value>),
    Map(HashMap<String, Value>),
}

#[derive(Debug)]
pub enum Error {
    Eof,
    Unexpected(char, usize),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Eof => write!(f, "the input ended"),
            Error::Unexpected(sign, at) => write!(f, "unexpected {sign:?} at {at}"),
        }
    }
}

pub struct Parser<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Parser<'a> {
    pub fn new(input: &'a str) -> Self {
        Parser { input: input.as_bytes(), at: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.input.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn list(&mut self) -> Result<Value, Error> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.skip_blanks();
            match self.peek() {
                None => return Err(Error::Eof),
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::List(items));
                }
                Some(b',') => self.at += 1,
                Some(_) => items.push(self.value()?),
            }
        }
    }

    fn digits(&mut self) -> Result<Value, Error> {
        let start = self.at;
        while let Some(b'0'..=b'9' | b'.' | b'-') = self.peek() {
            self.at += 1;
        }
        let text = std::str::from_utf8(&self.input[start..self.at]).unwrap_or("0");
        Ok(Value::Number(text.parse().unwrap_or(0.0)))
    }

    pub fn value(&mut self) -> Result<Value, Error> {
        self.skip_blanks();
        match self.peek() {
            None => Err(Error::Eof),
            Some(b'[') => self.list(),
            Some(b'0'..=b'9' | b'-') => self.digits(),
            Some(sign) => Err(Error::Unexpected(sign as char, self.at)),
        }
    }
}
