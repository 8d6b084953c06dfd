; @name is what is defined, @definition.* all of it.
; What a component of React makes with its hooks.
(variable_declarator name: (identifier) @name value: (call_expression
  function: [(identifier) (member_expression object: (identifier))] @_hook
  arguments: (arguments . [(arrow_function) (function_expression)])
  (#any-of? @_hook "useCallback" "useMemo" "React.useCallback" "React.useMemo"))) @definition.function
(variable_declarator name: (array_pattern (identifier) @name) value: (call_expression
  function: [(identifier) (member_expression object: (identifier))] @_hook
  (#any-of? @_hook "useState" "useReducer" "React.useState" "React.useReducer"))) @definition.variable
