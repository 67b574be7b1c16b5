//! JSON held against the schemas of docs/schema.

use std::fs;

use serde_json::Value;

use super::command::in_repository;

/// Demands that `answer` keeps to the schema in the file `path` of the repository.
#[track_caller]
pub fn conforms(path: &str, answer: &Value) {
    let file = in_repository(path);
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{path}: {error}"));
    let schema = serde_json::from_str(&text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors = validator.iter_errors(answer);
    let errors: Vec<_> =
        errors.map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{answer:#}");
}
