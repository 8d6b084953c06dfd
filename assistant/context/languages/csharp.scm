; @name is what is defined, @definition.* all of it, @import what is brought in, @reference a name that is used.
(class_declaration name: (identifier) @name) @definition.class
(interface_declaration name: (identifier) @name) @definition.interface
(struct_declaration name: (identifier) @name) @definition.struct
(record_declaration name: (identifier) @name) @definition.record
(enum_declaration name: (identifier) @name) @definition.enum
(enum_member_declaration name: (identifier) @name) @definition.member
(delegate_declaration name: (identifier) @name) @definition.type
(method_declaration name: (identifier) @name) @definition.method
(constructor_declaration name: (identifier) @name) @definition.method
(destructor_declaration name: (identifier) @name) @definition.method
(local_function_statement name: (identifier) @name) @definition.function
(property_declaration name: (identifier) @name) @definition.field
(event_declaration name: (identifier) @name) @definition.field
(field_declaration (variable_declaration (variable_declarator name: (identifier) @name))) @definition.field
(event_field_declaration (variable_declaration (variable_declarator name: (identifier) @name))) @definition.field
(namespace_declaration name: (_) @name) @definition.module
(file_scoped_namespace_declaration name: (_) @name) @definition.module

(using_directive [(qualified_name) (identifier)] @import .)

(invocation_expression function: [
  (identifier) @reference
  (generic_name . (identifier) @reference)
  (member_access_expression name: [(identifier) @reference (generic_name . (identifier) @reference)])
  (conditional_access_expression (member_binding_expression name: (identifier) @reference))
])
(object_creation_expression type: [(identifier) @reference (generic_name . (identifier) @reference) (qualified_name name: (identifier) @reference)])
(base_list [(identifier) @reference (generic_name . (identifier) @reference) (qualified_name name: (identifier) @reference)])
(base_list (primary_constructor_base_type type: (identifier) @reference))
(parameter type: [(identifier) @reference (generic_name . (identifier) @reference) (nullable_type type: (identifier) @reference)])
(variable_declaration type: [(identifier) @reference (generic_name . (identifier) @reference) (nullable_type type: (identifier) @reference)])
(property_declaration type: [(identifier) @reference (generic_name . (identifier) @reference) (nullable_type type: (identifier) @reference)])
(method_declaration returns: [(identifier) @reference (generic_name . (identifier) @reference)])
(type_argument_list (identifier) @reference)
(cast_expression type: (identifier) @reference)
(attribute name: (identifier) @reference)
