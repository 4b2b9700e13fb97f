"""Contact lists as people have them, made into what the Atoms API takes. Pure: text in, data out.

`table.parse` reads a CSV and accounts for every row; `numbers` writes phone numbers in E.164 and
tells their country and time zones; `columns` finds and names the columns.
"""
