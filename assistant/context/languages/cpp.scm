; @name is what is defined (without one: its field `name`), @definition.* all of it, @import what is brought in, @reference a name that is used.
; What a node is made of costs much to be compiled: where its fields tell enough, it is `_`. A declarator with parameters is a function's.
(function_definition declarator: [
  (_ declarator: [
    (identifier) @name
    (_ name: [(identifier) (destructor_name) (operator_name)] @name)
    (_ name: (_ name: (identifier) @name))
    (operator_name) @name
  ])
  (_ declarator: (_ declarator: [
    (identifier) @name
    (_ name: (identifier) @name)
    (_ name: (_ name: (identifier) @name))
  ]))
  (reference_declarator (_ declarator: [
    (identifier) @name
    (_ name: [(identifier) (operator_name)] @name)
    (_ name: (_ name: (identifier) @name))
    (operator_name) @name
  ]))
]) @definition.function
(function_definition declarator: [
  (_ declarator: [(field_identifier) (destructor_name)] @name)
  (_ declarator: (_ declarator: (field_identifier) @name))
  (reference_declarator (_ declarator: (field_identifier) @name))
]) @definition.method
(field_declaration declarator: [
  (_ declarator: [(field_identifier) (operator_name)] @name parameters: (_))
  (_ declarator: (_ declarator: (field_identifier) @name parameters: (_)))
  (reference_declarator (_ declarator: [(field_identifier) (operator_name)] @name parameters: (_)))
]) @definition.method
(field_declaration_list (_ declarator: (_ declarator: [(identifier) (destructor_name)] @name parameters: (_))) @definition.method)
(declaration declarator: [
  (_ declarator: (identifier) @name parameters: (_))
  (_ declarator: (_ declarator: (identifier) @name parameters: (_)))
  (reference_declarator (_ declarator: (identifier) @name parameters: (_)))
]) @definition.function
(class_specifier body: (_)) @definition.class
(struct_specifier body: (_)) @definition.struct
(union_specifier body: (_)) @definition.union
(enum_specifier body: (_)) @definition.enum
(enumerator) @definition.member
(type_definition declarator: [
  (type_identifier) @name
  (pointer_declarator declarator: (type_identifier) @name)
  (_ declarator: (_ (_ declarator: (type_identifier) @name)) parameters: (_))
]) @definition.type
(alias_declaration) @definition.type
(concept_definition) @definition.type
(namespace_definition) @definition.module
(preproc_def) @definition.macro
(preproc_function_def) @definition.macro
; What lines outside of functions declare: patterns for all that may stand around a name take longer to be made ready than the rest.
(translation_unit) @definition.declared
(declaration_list) @definition.declared

(preproc_include path: [(_ (string_content) @import) (system_lib_string) @import])

(call_expression function: [
  (identifier) @reference
  (field_expression field: (field_identifier) @reference)
  (qualified_identifier name: (identifier) @reference)
  (qualified_identifier name: (qualified_identifier name: (identifier) @reference))
  (template_function name: (identifier) @reference)
])
(type_identifier) @reference
