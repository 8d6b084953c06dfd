; @name is what is defined (without one: its field `name`), @definition.* all of it, @import what is brought in, @reference a name that is used.
(class_definition) @definition.class
(object_definition) @definition.class
(trait_definition) @definition.trait
(enum_definition) @definition.enum
(simple_enum_case) @definition.member
(full_enum_case) @definition.member
(template_body [(function_definition) (function_declaration)] @definition.method)
(function_definition) @definition.function
(function_declaration) @definition.function
(template_body [
  (_ pattern: (identifier) @name)
  (_ pattern: (identifiers (identifier) @name))
  (val_declaration name: (identifier) @name)
  (var_declaration name: (identifier) @name)
] @definition.field)
(compilation_unit (_ pattern: (identifier) @name) @definition.constant)
(class_definition "case" class_parameters: (class_parameters (class_parameter name: (identifier) @name) @definition.field))
(class_parameters (class_parameter ["val" "var"] name: (identifier) @name) @definition.field)
(given_definition) @definition.constant
(type_definition) @definition.type
(package_object) @definition.module

(import_declaration) @import

(call_expression function: [
  (identifier) @reference
  (field_expression field: (identifier) @reference)
  (generic_function function: [(identifier) @reference (field_expression field: (identifier) @reference)])
])
(infix_expression operator: (identifier) @reference)
(type_identifier) @reference
