"""What tools take and give: field types, arguments and nouns. No I/O.

Every range stands once, in `fields`; arguments and published schemas derive from it.
"""
