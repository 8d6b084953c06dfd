; @name is what is defined (without one: its field `name`), @definition.* all of it, @import what is brought in, @reference a name that is used.
(class_declaration) @definition.class
(interface_declaration) @definition.interface
(trait_declaration) @definition.trait
(enum_declaration) @definition.enum
(enum_case) @definition.member
(function_definition) @definition.function
(method_declaration) @definition.method
(const_declaration (const_element (name) @name)) @definition.constant
(property_declaration (_ name: (_ (name) @name))) @definition.field
(property_promotion_parameter name: (_ (name) @name)) @definition.field
(namespace_definition) @definition.module
(expression_statement (_ function: (name) @_define arguments: (_ . (_ (string (string_content) @name)))
  (#eq? @_define "define"))) @definition.constant

(namespace_use_clause [(qualified_name) (name)] @import)
(require_expression (string (string_content) @import))
(require_once_expression (string (string_content) @import))
(include_expression (string (string_content) @import))
(include_once_expression (string (string_content) @import))

(function_call_expression function: [(name) @reference (qualified_name (name) @reference .)])
(member_call_expression name: (name) @reference)
(nullsafe_member_call_expression name: (name) @reference)
(scoped_call_expression name: (name) @reference)
(scoped_call_expression scope: (name) @reference)
(object_creation_expression [(name) @reference (qualified_name (name) @reference .)])
(class_constant_access_expression . (name) @reference)
(named_type [(name) @reference (qualified_name (name) @reference .)])
(base_clause [(name) @reference (qualified_name (name) @reference .)])
(class_interface_clause [(name) @reference (qualified_name (name) @reference .)])
(use_declaration [(name) @reference (qualified_name (name) @reference .)])
(attribute (name) @reference)
