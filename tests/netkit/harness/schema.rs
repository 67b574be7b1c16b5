//! The JSON contracts: the schemas of docs/schema, and whether answers keep to them.

use std::fs;

use serde_json::{Value, json};

use super::command::in_repository;

/// A schema, or one of its definitions.
pub struct Schema(Value);

impl Schema {
    /// The one in `docs/schema/NAME.json`.
    #[track_caller]
    pub fn of(name: &str) -> Self {
        let path = in_repository("docs/schema").join(name).with_extension("json");
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(serde_json::from_str(&text).unwrap())
    }

    /// Its definition of `name`, as a schema of its own.
    pub fn definition(mut self, name: &str) -> Self {
        Self(json!({
            "$schema": self.0["$schema"].take(),
            "$defs": self.0["$defs"].take(),
            "$ref": format!("#/$defs/{name}"),
        }))
    }

    /// Demands that it is a schema of draft 2020-12 in which every object is closed and every member
    /// has its meaning.
    #[track_caller]
    pub fn is_complete(&self) {
        assert_eq!(self.0["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert!(jsonschema::meta::is_valid(&self.0));
        let mut gaps = Vec::new();
        look_for_gaps(&self.0, "#", &mut gaps);
        for (name, definition) in self.0["$defs"].as_object().into_iter().flatten() {
            look_for_gaps(definition, &format!("#/$defs/{name}"), &mut gaps);
        }
        assert!(gaps.is_empty(), "{gaps:#?}");
    }

    /// The strings of the enum at `pointer`, as in `/$defs/finding/properties/id`.
    #[track_caller]
    pub fn words(&self, pointer: &str) -> Vec<&str> {
        let words = self.0.pointer(pointer).and_then(|at| at["enum"].as_array());
        let words = words.unwrap_or_else(|| panic!("there is no enum at {pointer}"));
        words.iter().map(|word| word.as_str().unwrap()).collect()
    }

    /// Whether `answer` keeps to it.
    pub fn takes(&self, answer: &Value) -> bool {
        jsonschema::validator_for(&self.0).unwrap().is_valid(answer)
    }

    /// Demands that `answer` keeps to it.
    #[track_caller]
    pub fn holds(&self, answer: &Value) {
        let validator = jsonschema::validator_for(&self.0).unwrap();
        let errors: Vec<_> = validator
            .iter_errors(answer)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}\n{answer:#}");
    }
}

/// Members of the object at `place` without a meaning, and whether it is open.
fn look_for_gaps(object: &Value, place: &str, gaps: &mut Vec<String>) {
    let Some(members) = object["properties"].as_object() else { return };
    if object["additionalProperties"] != false {
        gaps.push(format!("{place} is open"));
    }
    for (name, member) in members {
        if member["description"].is_null() && member["$ref"].is_null() {
            gaps.push(format!("{place}/properties/{name} has no description"));
        }
    }
}

/// The kinds and digits of a time, as in `0000-00-00T00:00:00.000Z`.
#[track_caller]
pub fn is_rfc_3339_utc(time: &Value) {
    let time = time.as_str().unwrap_or_else(|| panic!("{time} is no time"));
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert!(shape.starts_with("0000-00-00T00:00:00"), "{time}");
    assert!(shape.ends_with('Z'), "{time}");
}
