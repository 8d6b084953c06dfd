; @name is what is defined, @definition.* all of it, @import what is brought in, @reference a name that is used.
(function_definition declarator: [
  (function_declarator declarator: [
    (identifier) @name
    (qualified_identifier name: (identifier) @name)
    (qualified_identifier name: (qualified_identifier name: (identifier) @name))
    (qualified_identifier name: (destructor_name) @name)
    (qualified_identifier name: (operator_name) @name)
    (operator_name) @name
  ])
  (pointer_declarator declarator: (function_declarator declarator: [
    (identifier) @name
    (qualified_identifier name: (identifier) @name)
    (qualified_identifier name: (qualified_identifier name: (identifier) @name))
  ]))
  (reference_declarator (function_declarator declarator: [
    (identifier) @name
    (qualified_identifier name: (identifier) @name)
    (qualified_identifier name: (qualified_identifier name: (identifier) @name))
    (qualified_identifier name: (operator_name) @name)
    (operator_name) @name
  ]))
]) @definition.function
(function_definition declarator: [
  (function_declarator declarator: [(field_identifier) (destructor_name)] @name)
  (pointer_declarator declarator: (function_declarator declarator: (field_identifier) @name))
  (reference_declarator (function_declarator declarator: (field_identifier) @name))
]) @definition.method
(field_declaration declarator: [
  (function_declarator declarator: [(field_identifier) (operator_name)] @name)
  (pointer_declarator declarator: (function_declarator declarator: (field_identifier) @name))
  (reference_declarator (function_declarator declarator: [(field_identifier) (operator_name)] @name))
]) @definition.method
(field_declaration_list (declaration declarator: (function_declarator declarator: [(identifier) (destructor_name)] @name)) @definition.method)
(declaration declarator: [
  (function_declarator declarator: (identifier) @name)
  (pointer_declarator declarator: (function_declarator declarator: (identifier) @name))
  (reference_declarator (function_declarator declarator: (identifier) @name))
]) @definition.function
(class_specifier name: [(type_identifier) @name (template_type name: (type_identifier) @name)] body: (_)) @definition.class
(struct_specifier name: [(type_identifier) @name (template_type name: (type_identifier) @name)] body: (_)) @definition.struct
(union_specifier name: (type_identifier) @name body: (_)) @definition.union
(enum_specifier name: (type_identifier) @name body: (_)) @definition.enum
(enumerator name: (identifier) @name) @definition.member
(type_definition declarator: [
  (type_identifier) @name
  (pointer_declarator declarator: (type_identifier) @name)
  (function_declarator declarator: (parenthesized_declarator (pointer_declarator declarator: (type_identifier) @name)))
]) @definition.type
(alias_declaration name: (type_identifier) @name) @definition.type
(concept_definition name: (identifier) @name) @definition.type
(namespace_definition name: [(namespace_identifier) (nested_namespace_specifier)] @name) @definition.module
(preproc_def name: (identifier) @name) @definition.macro
(preproc_function_def name: (identifier) @name) @definition.macro
(translation_unit (declaration declarator: [
  (init_declarator declarator: [(identifier) @name (array_declarator declarator: (identifier) @name)])
  (identifier) @name
]) @definition.variable)
(namespace_definition body: (declaration_list (declaration declarator: [
  (init_declarator declarator: [(identifier) @name (array_declarator declarator: (identifier) @name)])
  (identifier) @name
]) @definition.variable))

(preproc_include path: [(string_literal (string_content) @import) (system_lib_string) @import])

(call_expression function: [
  (identifier) @reference
  (field_expression field: (field_identifier) @reference)
  (qualified_identifier name: (identifier) @reference)
  (qualified_identifier name: (qualified_identifier name: (identifier) @reference))
  (template_function name: (identifier) @reference)
])
(type_identifier) @reference
