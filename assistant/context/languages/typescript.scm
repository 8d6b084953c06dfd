; @name is what is defined (without one: its field `name`), @definition.* all of it, @import what is brought in, @reference a name that is used.
(class_declaration) @definition.class
(abstract_class_declaration) @definition.class
(interface_declaration) @definition.interface
(interface_body (property_signature name: (property_identifier) @name) @definition.field)
(interface_body (method_signature name: (property_identifier) @name) @definition.method)
(class_body (method_signature name: (property_identifier) @name) @definition.method)
(abstract_method_signature name: (property_identifier) @name) @definition.method
(type_alias_declaration) @definition.type
(enum_declaration) @definition.enum
(enum_body [(property_identifier) @name @definition.member (enum_assignment name: (property_identifier) @name) @definition.member])
(public_field_definition name: [(property_identifier) (private_property_identifier)] @name value: [(arrow_function) (function_expression)]) @definition.method
(public_field_definition name: [(property_identifier) (private_property_identifier)] @name) @definition.field
(function_signature) @definition.function
(internal_module name: [(identifier) (nested_identifier)] @name) @definition.module
(module name: [(identifier) (nested_identifier) (string (string_fragment) @name)] @name) @definition.module
(ambient_declaration (lexical_declaration (_ name: (identifier) @name))) @definition.constant

(import_require_clause source: (string (string_fragment) @import))

(type_identifier) @reference
(extends_clause value: [(identifier) @reference (member_expression property: (property_identifier) @reference)])
(decorator [(identifier) @reference (member_expression property: (property_identifier) @reference)])
