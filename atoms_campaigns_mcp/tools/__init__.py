"""The product: one tool a file, named as the file. `_tool` says what a tool is.

Nothing is imported here: a tool's module and models load on its first call.
"""
