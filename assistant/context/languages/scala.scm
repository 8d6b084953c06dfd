; @name is what is defined, @definition.* all of it, @import what is brought in, @reference a name that is used.
(class_definition name: (identifier) @name) @definition.class
(object_definition name: (identifier) @name) @definition.class
(trait_definition name: (identifier) @name) @definition.trait
(enum_definition name: (identifier) @name) @definition.enum
(simple_enum_case name: (identifier) @name) @definition.member
(full_enum_case name: (identifier) @name) @definition.member
(template_body [
  (function_definition name: (_) @name)
  (function_declaration name: (_) @name)
] @definition.method)
(function_definition name: (_) @name) @definition.function
(function_declaration name: (_) @name) @definition.function
(template_body [
  (val_definition pattern: (identifier) @name)
  (var_definition pattern: (identifier) @name)
  (val_declaration name: (identifier) @name)
  (var_declaration name: (identifier) @name)
] @definition.field)
(compilation_unit [(val_definition pattern: (identifier) @name) (var_definition pattern: (identifier) @name)] @definition.constant)
(given_definition name: (identifier) @name) @definition.constant
(type_definition name: (type_identifier) @name) @definition.type
(package_object name: (identifier) @name) @definition.module

(import_declaration) @import

(call_expression function: [
  (identifier) @reference
  (field_expression field: (identifier) @reference)
  (generic_function function: [(identifier) @reference (field_expression field: (identifier) @reference)])
])
(infix_expression operator: (identifier) @reference)
(type_identifier) @reference
