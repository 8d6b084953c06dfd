; @name is what is defined (without one: its field `name`), @definition.* all of it, @import what is brought in, @reference a name that is used.
(class) @definition.class
(module) @definition.module
(method) @definition.method
(singleton_method) @definition.method
(assignment left: [(constant) @name (_ name: (constant) @name)]) @definition.constant
(_ method: (identifier) @_attr arguments: (_ (simple_symbol) @name) (#any-of? @_attr "attr_reader" "attr_writer" "attr_accessor")) @definition.field
(_ method: (identifier) @_alias arguments: (_ . (simple_symbol) @name) (#any-of? @_alias "alias_method" "define_method" "scope" "delegate")) @definition.method
(alias) @definition.method
(_ method: (identifier) @_test arguments: (_ . [(string (string_content) @name) (constant) @name]) block: (_)
  (#any-of? @_test "describe" "context" "it" "test" "feature" "scenario" "task")) @definition.test

(_ method: (identifier) @_require arguments: (_ . (string (string_content) @import))
  (#any-of? @_require "require" "require_relative" "load" "autoload"))
(_ method: (identifier) @_autoload arguments: (_ (simple_symbol) (string (string_content) @import)) (#eq? @_autoload "autoload"))

(call method: (identifier) @reference)
(call receiver: (constant) @reference)
(call receiver: (scope_resolution name: (constant) @reference))
(superclass [(constant) @reference (scope_resolution name: (constant) @reference)])
(argument_list [(constant) @reference (scope_resolution name: (constant) @reference)])
