; @name is what is defined, @definition.* all of it, @import what is brought in, @reference a name that is used.
(function_declaration name: [
  (identifier) @name
  (dot_index_expression field: (identifier) @name)
]) @definition.function
(function_declaration name: (method_index_expression method: (identifier) @name)) @definition.method
(assignment_statement
  (variable_list name: [(identifier) @name (dot_index_expression field: (identifier) @name)])
  (expression_list . value: (function_definition))) @definition.function
(field name: (identifier) @name value: (function_definition)) @definition.method
(chunk [
  (variable_declaration (assignment_statement (variable_list . name: (identifier) @name)))
  (assignment_statement (variable_list . name: (identifier) @name))
] @definition.variable)
(chunk (assignment_statement (variable_list . name: (dot_index_expression table: (identifier) field: (identifier) @name))) @definition.variable)

(function_call name: (identifier) @_require arguments: (arguments . (string content: (string_content) @import)) (#eq? @_require "require"))

(function_call name: [
  (identifier) @reference
  (dot_index_expression field: (identifier) @reference)
  (method_index_expression method: (identifier) @reference)
])
