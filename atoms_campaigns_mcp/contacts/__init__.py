"""Contact lists as people have them, made into what the Atoms API takes. Pure: text in, data out.

`table.parse` reads a list and accounts for every row; `columns` finds and names the columns.
`numbers` takes the digits out of a cell, `number_plans` knows which numbers they may be,
`number_columns` decides for a whole column; `directory` tells a number's country and time zones.
"""
