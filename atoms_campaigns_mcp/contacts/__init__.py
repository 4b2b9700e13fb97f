"""Contact lists as people have them, made into what the Atoms API takes. Pure: text in, data out.

`table.parse` reads a list and accounts for every row; `layout` finds the columns, `columns` names
them, `opt_outs` reads what they say about calls. In `numbers`, `cells` takes the digits out of a
cell, `plans` knows which numbers they may be, `column_reading` decides for a whole column, and
`directory` tells a number's country and time zones.
"""
