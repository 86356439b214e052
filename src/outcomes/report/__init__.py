"""Brief, report and annex: pages that are safe to hand out, and the same as PDF.

How to add a finding
--------------------
Write a function from a `Source` to a `findings.finding.Finding` (None where its table has no numbers), put it into
`MAKERS` of `findings/all_findings.py`, and rate it in `outcomes.answers.certainty`. Its words follow from its certainty
and its intervals (`findings/wording.py`); brief and report tell it by themselves.

How to add a section of the annex
---------------------------------
1. Write `report/sections/<room>/<name>.py` with `SECTION = ReportSection(name, title, blocks, ...)`. `blocks` takes
   a `Source` and gives a tuple of blocks: none where it has nothing to say. Where the analysis that it rests on was
   refused, the section says so by itself. Look at `findings/connection.py`.
2. Put `<name>.SECTION` into `SECTIONS` of `report/documents/annex.py`, where it belongs in the order.

A source has the release's database (`con`, read only), the `settings`, and the `teller`, through which every count of
people goes (`teller.count(about, n)`). `rows.answer_rows(con, TABLE, column=WORD)` reads an answer's table with that
answer's own words, `rows.table_rows` any other one; `rows.told(row, teller, form)` makes an `Estimate` of a row, or
words in its place (`Unsaid`) where the fit did not converge or was refused.

`page.blocks` has what a section is made of (`headline`, `paragraph`, `note`, `heading`, `bullets`, `table`, `fold`,
`Picture`), `page.pieces` what a sentence or a cell is made of: `say("By session {t}: {risk}", t=Given("8"), risk=it)`.
A plain string with a digit in it is an error: a number is an `Estimate` (with interval and state), a `Shown` count from
`outcomes.disclosure`, or `Given` with the kind of number it is. Write for practice leads and service users.

A new kind of block or piece is written in `page/html.py` and `page/typeset.py` (how it looks on paper: `report.typ`),
or in `page/spans.py`, which both read.
"""
