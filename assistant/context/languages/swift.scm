; @name is what is defined (without one: its field `name`), @definition.* all of it, @import what is brought in, @reference a name that is used.
(class_declaration declaration_kind: ["class" "actor"]) @definition.class
(class_declaration declaration_kind: "struct") @definition.struct
(class_declaration declaration_kind: "enum") @definition.enum
(class_declaration declaration_kind: "extension" name: (_ (type_identifier) @name .)) @definition.impl
(protocol_declaration) @definition.interface
(enum_entry name: (simple_identifier) @name) @definition.member
(class_body (function_declaration) @definition.method)
(enum_class_body (function_declaration) @definition.method)
(function_declaration) @definition.function
(protocol_function_declaration) @definition.method
(init_declaration) @definition.method
(deinit_declaration "deinit" @name) @definition.method
(subscript_declaration "subscript" @name) @definition.method
(class_body (property_declaration name: (_ bound_identifier: (simple_identifier) @name)) @definition.field)
(enum_class_body (property_declaration name: (_ bound_identifier: (simple_identifier) @name)) @definition.field)
(protocol_property_declaration name: (_ bound_identifier: (simple_identifier) @name)) @definition.field
(source_file (property_declaration name: (_ bound_identifier: (simple_identifier) @name)) @definition.constant)
(typealias_declaration) @definition.type
(associatedtype_declaration) @definition.type

(import_declaration (identifier) @import)

(call_expression . [(simple_identifier) @reference (navigation_expression suffix: (navigation_suffix suffix: (simple_identifier) @reference))])
(user_type (type_identifier) @reference)
