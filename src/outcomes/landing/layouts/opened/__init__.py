"""Files opened as tables of text: delimited text, workbooks, SPSS files; and a first look at a text file."""
