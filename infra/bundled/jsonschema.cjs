/**
 * Stands in for the package `jsonschema` in the functions. ElectroDB checks its models with it each
 * time a process starts, for a quarter of that time; ours do not change between two starts, and every
 * test runs on the real one. What is left tells a model from an entity, which ElectroDB does need.
 */
class Validator {
  addSchema() {}

  validate(instance) {
    const isModel = Boolean(instance?.model && instance.attributes && instance.indexes);
    return { errors: isModel ? [] : [{ property: "instance", message: "is no model" }] };
  }
}
Validator.prototype.customFormats = {};

exports.Validator = Validator;
