; @name is what is defined (without one: its field `name`), @definition.* all of it, @import what is brought in, @reference a name that is used.
; Shared by JavaScript and TypeScript.
(function_declaration) @definition.function
(generator_function_declaration) @definition.function
(method_definition name: [(property_identifier) (private_property_identifier)] @name) @definition.method
(variable_declarator name: (identifier) @name value: [(arrow_function) (function_expression) (class)]) @definition.function
(program [
  (lexical_declaration (_ name: [(identifier) @name (array_pattern (identifier) @name)]))
  (variable_declaration (_ name: (identifier) @name))
  (export_statement declaration: (lexical_declaration (_ name: [
    (identifier) @name
    (array_pattern (identifier) @name)
    (object_pattern [(shorthand_property_identifier_pattern) @name (pair_pattern value: (identifier) @name)])
  ])))
] @definition.constant)
(pair key: (property_identifier) @name value: [(arrow_function) (function_expression)]) @definition.method
(assignment_expression left: (_ property: (property_identifier) @name) right: [(arrow_function) (function_expression) (generator_function) (class)]) @definition.function
(export_statement "default" @name value: (_)) @definition.function
; A component that is wrapped where it is exported, once or twice.
(export_statement value: (_ arguments: (_ [
  (function_expression name: (_) @name)
  (_ arguments: (_ (function_expression name: (_) @name)))
]))) @definition.function
(expression_statement (_
  function: [(identifier) (_ object: (identifier))] @_call
  arguments: (_ . (_ (string_fragment) @name) . [(arrow_function) (function_expression)])
  (#any-of? @_call "describe" "it" "test" "suite" "context" "describe.only" "it.only" "test.only" "it.skip" "test.skip"))) @definition.test

(import_statement source: (string (string_fragment) @import))
(export_statement source: (string (string_fragment) @import))
(_ function: [(identifier) (import)] @_require arguments: (_ . (string (string_fragment) @import) .)
  (#any-of? @_require "require" "import"))
(import_specifier name: (identifier) @reference)

(call_expression function: (identifier) @reference)
(call_expression function: (member_expression property: [(property_identifier) (private_property_identifier)] @reference))
(new_expression constructor: [(identifier) @reference (member_expression property: (property_identifier) @reference)])
