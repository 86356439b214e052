"""First look at a study: what it is, who is in it, whether the data can be trusted, what came out."""

import marimo

app = marimo.App(width="medium", app_title="First look at a study")


@app.cell
def _():
    import os

    import marimo as mo

    import outcomes

    study = outcomes.open(os.environ.get("OUTCOMES_STUDY", "."))
    return mo, study


@app.cell
def _(mo, study):
    mo.md(f"""
    # First look: {study.name}

    This notebook reads the published release and changes nothing. Each cell is a question; change it and run it again.
    `study.` and Tab shows what else can be asked.
    """)
    return


@app.cell
def _(study):
    study.latest
    return


@app.cell
def _(mo):
    mo.md("""
    ## Who is in the study, who is not, and why?

    The last step of each model is the number of rows that its fit used.
    """)
    return


@app.cell
def _(study):
    study.plot.flow()
    return


@app.cell
def _(mo):
    mo.md("""
    ## Can the data be trusted?

    Open findings first. Violated rows are counted beside all rows that the check looked at.
    """)
    return


@app.cell
def _(mo, study):
    findings = study.checks.filter(study.checks["status"].is_in(["failed", "error"]))
    shown = findings.select("severity", "sentence", "n_violated", "n_denominator")
    mo.vstack(
        [
            mo.md(f"{findings.height} open finding(s) among {study.checks.height} checks."),
            *([mo.ui.table(shown, selection=None, wrapped_columns=["sentence"])] if findings.height else []),
        ]
    )
    return


@app.cell
def _(mo):
    mo.md("""
    ## What do the columns mean?
    """)
    return


@app.cell
def _(mo, study):
    words = study.codebook("mart_sessions").select("column_name", "description", "unit", "range")
    mo.ui.table(words, selection=None, wrapped_columns=["description", "range"], page_size=30)
    return


@app.cell
def _(mo):
    mo.md("""
    ## What came out?

    A verdict is never read without the way to it. *Undecided* means that the data do not decide, not that nothing is there.
    """)
    return


@app.cell
def _(mo, study):
    mo.vstack(
        mo.md(f"**{row['outcome']} by {row['level']}: {row['verdict'].replace('_', ' ')}.** {row['trace']}")
        for row in study.verdicts.to_dicts()
    ) if study.verdicts.height else study.latest.answers
    return


@app.cell
def _(mo, study):
    from outcomes.errors import OutcomesError

    def drawn(picture):
        """Draw a picture, or say why the release has none."""
        try:
            return picture()
        except OutcomesError as reason:
            return mo.md(f"*Not drawn.* {reason.message} {reason.hint}")

    mo.vstack([drawn(study.plot.satisfaction_curve), drawn(study.plot.surface), drawn(study.plot.dropout)])
    return


@app.cell
def _(mo):
    mo.md("""
    ## Ask anything in SQL
    """)
    return


@app.cell
def _(study):
    study.sql("""
        select
            round(directiveness_within) as points_above_usual,
            count(*) as n_sessions,
            count(distinct client_id) as n_clients,
            avg(satisfaction_score) as satisfaction_mean
        from mart_sessions
        where satisfaction_score is not null and directiveness_within is not null
        group by points_above_usual
        having count(distinct client_id) >= 10
        order by points_above_usual
    """).pl()
    return


if __name__ == "__main__":
    app.run()
