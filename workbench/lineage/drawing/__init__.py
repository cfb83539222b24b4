"""The chain as a picture: grouped so that it can be read, laid out once, drawn in several ways.

`tree` is for the terminal, `svg` and `page` for browsers, `picture` for notebooks. All but the tree
draw the same boxes at the same places.
"""
