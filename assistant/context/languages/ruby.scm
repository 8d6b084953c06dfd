; @name is what is defined, @definition.* all of it, @import what is brought in, @reference a name that is used.
(class name: [(constant) @name (scope_resolution name: (constant) @name)]) @definition.class
(module name: [(constant) @name (scope_resolution name: (constant) @name)]) @definition.module
(method name: (_) @name) @definition.method
(singleton_method name: (_) @name) @definition.method
(assignment left: [(constant) @name (scope_resolution name: (constant) @name)]) @definition.constant
(call method: (identifier) @_attr arguments: (argument_list (simple_symbol) @name) (#any-of? @_attr "attr_reader" "attr_writer" "attr_accessor")) @definition.field
(call method: (identifier) @_alias arguments: (argument_list . (simple_symbol) @name) (#any-of? @_alias "alias_method" "define_method" "scope" "delegate")) @definition.method
(alias name: (_) @name) @definition.method
(call method: (identifier) @_test arguments: (argument_list . [(string (string_content) @name) (constant) @name]) block: (_)
  (#any-of? @_test "describe" "context" "it" "test" "feature" "scenario" "task")) @definition.test

(call method: (identifier) @_require arguments: (argument_list . (string (string_content) @import))
  (#any-of? @_require "require" "require_relative" "load" "autoload"))
(call method: (identifier) @_autoload arguments: (argument_list (simple_symbol) (string (string_content) @import)) (#eq? @_autoload "autoload"))

(call method: (identifier) @reference)
(call receiver: (constant) @reference)
(call receiver: (scope_resolution name: (constant) @reference))
(superclass [(constant) @reference (scope_resolution name: (constant) @reference)])
(argument_list [(constant) @reference (scope_resolution name: (constant) @reference)])
