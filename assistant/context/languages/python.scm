; @name is what is defined (without one: its field `name`), @definition.* all of it, @import what is brought in, @reference a name that is used.
(class_definition) @definition.class
(decorated_definition definition: (class_definition name: (identifier) @name)) @definition.class
(class_definition body: (_ [
  (function_definition name: (identifier) @name)
  (decorated_definition definition: (function_definition name: (identifier) @name))
] @definition.method))
(function_definition) @definition.function
(decorated_definition definition: (function_definition name: (identifier) @name)) @definition.function
(module (_ [
  (assignment left: [(identifier) @name (pattern_list (identifier) @name)]) @definition.constant
  (assignment right: (assignment left: (identifier) @name) @definition.constant)
]))
(class_definition body: (_ (_ (assignment left: (identifier) @name) @definition.field)))
(type_alias_statement left: (type [(identifier) @name (generic_type . (identifier) @name)])) @definition.type

(import_statement name: (dotted_name) @import)
(import_statement name: (aliased_import name: (dotted_name) @import))
(import_from_statement module_name: (_) @import)
(import_from_statement name: (dotted_name (identifier) @reference .))
(import_from_statement name: (aliased_import name: (dotted_name (identifier) @reference .)))

(call function: (identifier) @reference)
(call function: (attribute attribute: (identifier) @reference))
(class_definition superclasses: (argument_list [(identifier) @reference (attribute attribute: (identifier) @reference)]))
(decorator [(identifier) @reference (attribute attribute: (identifier) @reference)])
(type [(identifier) @reference (attribute attribute: (identifier) @reference)])
(generic_type . (identifier) @reference)
(except_clause value: (identifier) @reference)
