; @name is what is defined, @definition.* all of it, @import what is brought in, @reference a name that is used.
(function_definition name: (word) @name) @definition.function
(program [
  (variable_assignment name: (variable_name) @name)
  (declaration_command (variable_assignment name: (variable_name) @name))
] @definition.variable)

(command name: (command_name (word) @_source) argument: [(word) @import (string . (string_content) @import .) (raw_string) @import] .
  (#any-of? @_source "source" "."))

(command name: (command_name (word) @reference))
