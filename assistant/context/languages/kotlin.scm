; @name is what is defined (without one: its field `name`), @definition.* all of it, @import what is brought in, @reference a name that is used.
((class_declaration (modifiers (class_modifier) @_kind) name: (identifier) @name) @definition.enum (#eq? @_kind "enum"))
((class_declaration (modifiers (class_modifier) @_kind) name: (identifier) @name) @definition.record (#eq? @_kind "data"))
(class_declaration "interface" name: (identifier) @name) @definition.interface
(class_declaration "class" name: (identifier) @name) @definition.class
(object_declaration) @definition.class
(companion_object) @definition.class
(enum_entry (identifier) @name) @definition.member
(class_body (function_declaration name: (identifier) @name) @definition.method)
(function_declaration) @definition.function
(secondary_constructor "constructor" @name) @definition.method
(class_body (property_declaration (variable_declaration . (identifier) @name)) @definition.field)
(source_file (property_declaration (variable_declaration . (identifier) @name)) @definition.constant)
(class_parameter ["val" "var"] (identifier) @name) @definition.field
(type_alias type: (identifier) @name) @definition.type

(import (qualified_identifier) @import)

(call_expression . [(identifier) @reference (navigation_expression (_) (identifier) @reference .)])
(user_type (identifier) @reference .)
(user_type (identifier) @reference . (type_arguments))
