"""Short texts by their bytes: Polars holds a text of up to twelve bytes in the sixteen of an Arrow string view, so that two
machine words tell a code. What a column of codes says is found from these words, several times faster than from the texts.

Nothing here knows what a code means, and nothing here decides: where the words do not tell, the texts are asked."""
