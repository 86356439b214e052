"""What a reader needs first: the answer in short, the words, who is in it, and whether the data can answer."""
