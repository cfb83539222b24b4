"""Search as you type: an index of words, of which each answer is a few operations on bitmaps.

Every word that is typed is the beginning of a word of the hit; where nothing fits, of one that is
a letter off. Hits in the title come first, and of those the most used. `tag:`, `owner:`, `entity:`,
`used_by:` and `kind:` narrow a search. No text is an error.

The index is derived: a folder `search` beside the records, brought up to date when they change.
"""

from workbench.features.search.building import Document
from workbench.features.search.facets import NOTHING, Chosen, Counted, FacetValue
from workbench.features.search.finding import Records, count, find, refresh
from workbench.features.search.index import NEAR, Index
from workbench.features.search.pacing import Paced
from workbench.features.search.segment import Found
from workbench.features.search.usage import UNUSED, Usage, usage
from workbench.features.search.words import parse, words

__all__ = [
    "NEAR",
    "NOTHING",
    "UNUSED",
    "Chosen",
    "Counted",
    "Document",
    "FacetValue",
    "Found",
    "Index",
    "Paced",
    "Records",
    "Usage",
    "count",
    "find",
    "parse",
    "refresh",
    "usage",
    "words",
]
