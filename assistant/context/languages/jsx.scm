; @name is what is defined, @definition.* all of it, @import what is brought in, @reference a name that is used.
(jsx_opening_element name: [(identifier) @reference (member_expression property: (property_identifier) @reference)])
(jsx_self_closing_element name: [(identifier) @reference (member_expression property: (property_identifier) @reference)])
