"""The nouns and their rules.

A noun here is a value: frozen, compared by content, changed only by returning another one.
No file, no database, no clock, no network and no library but Python's own may enter; whatever
needs one of those is given the answer as an argument.
"""
