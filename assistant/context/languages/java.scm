; @name is what is defined (without one: its field `name`), @definition.* all of it, @import what is brought in, @reference a name that is used.
(class_declaration) @definition.class
(interface_declaration) @definition.interface
(annotation_type_declaration) @definition.interface
(enum_declaration) @definition.enum
(enum_constant) @definition.member
(record_declaration) @definition.record
(record_declaration parameters: (formal_parameters (formal_parameter name: (identifier) @name) @definition.field))
(method_declaration) @definition.method
(annotation_type_element_declaration) @definition.method
(constructor_declaration) @definition.method
(compact_constructor_declaration) @definition.method
(field_declaration declarator: (_ name: (identifier) @name)) @definition.field
(constant_declaration declarator: (_ name: (identifier) @name)) @definition.constant

(import_declaration [(scoped_identifier) (identifier)] @import)

(method_invocation name: (identifier) @reference)
(method_reference (identifier) @reference .)
(type_identifier) @reference
(marker_annotation name: (identifier) @reference)
(annotation name: (identifier) @reference)
