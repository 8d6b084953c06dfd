; @name is what is defined (without one: its field `name`), @definition.* all of it, @import what is brought in, @reference a name that is used.
(class_declaration) @definition.class
(interface_declaration) @definition.interface
(struct_declaration) @definition.struct
(record_declaration) @definition.record
(enum_declaration) @definition.enum
(enum_member_declaration) @definition.member
(delegate_declaration) @definition.type
(method_declaration) @definition.method
(constructor_declaration) @definition.method
(destructor_declaration) @definition.method
(local_function_statement) @definition.function
(property_declaration) @definition.field
(record_declaration (parameter_list (parameter name: (identifier) @name) @definition.field))
(event_declaration) @definition.field
(field_declaration (_ (_ name: (identifier) @name))) @definition.field
(event_field_declaration (_ (_ name: (identifier) @name))) @definition.field
(namespace_declaration) @definition.module
(file_scoped_namespace_declaration) @definition.module

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
