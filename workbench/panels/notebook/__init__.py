"""The sidebar's views inside a notebook and in Voila, each a function that gives a panel.

One idea: a panel is made twice of the same records. `Still` is what stays in the file: a table as
HTML, a picture as PNG, words for a terminal. The widget is what can be worked with while a kernel
is there. A job's copy has the first alone; nowhere does a panel add more than 300 kB to a notebook.
"""
