; @name is what is defined (without one: its field `name`), @definition.* all of it, @import what is brought in, @reference a name that is used.
(declaration_list (function_item name: (identifier) @name) @definition.method)
(function_item) @definition.function
(function_signature_item) @definition.method
(struct_item) @definition.struct
(union_item) @definition.union
(enum_item) @definition.enum
(enum_variant) @definition.member
(trait_item) @definition.trait
(impl_item type: [(type_identifier) @name (generic_type type: (type_identifier) @name)]) @definition.impl
(type_item) @definition.type
(associated_type) @definition.type
(const_item) @definition.constant
(static_item) @definition.variable
(macro_definition) @definition.macro
(mod_item) @definition.module

(use_declaration argument: (_) @import)
(extern_crate_declaration name: (identifier) @import)
(mod_item name: (identifier) @import !body)

(call_expression function: [
  (identifier) @reference
  (scoped_identifier name: (identifier) @reference)
  (field_expression field: (field_identifier) @reference)
  (generic_function function: [
    (identifier) @reference
    (scoped_identifier name: (identifier) @reference)
    (field_expression field: (field_identifier) @reference)
  ])
])
(macro_invocation macro: [(identifier) @reference (scoped_identifier name: (identifier) @reference)])
(type_identifier) @reference
