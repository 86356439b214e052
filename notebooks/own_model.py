"""A model of your own: fit it, see what was left out, look at its residuals, draw its surface."""

import marimo

app = marimo.App(width="medium", app_title="A model of your own")


@app.cell
def _():
    import os

    import marimo as mo

    import outcomes

    study = outcomes.open(os.environ.get("OUTCOMES_STUDY", "."))
    return mo, study


@app.cell
def _(mo):
    mo.md("""
    # A model of your own

    Formulas are lme4's. `satisfaction` stands for `satisfaction_score`, and so on. The table is found by the columns.
    What you try here is exploratory: a question that should count is sealed first (see the third notebook).
    """)
    return


@app.cell
def _(study):
    straight = study.fit(
        "satisfaction ~ directiveness_within + directiveness_client + directiveness_therapist"
        " + (1 | client_id) + (1 | therapist_id)"
    )
    straight
    return (straight,)


@app.cell
def _(mo):
    mo.md("""
    ## Does it describe the data?

    Means of the residuals that leave the zero line show a bend that the model does not have. Ratings that pile up at the
    end of the scale show as a slanting edge.
    """)
    return


@app.cell
def _(mo, straight):
    mo.vstack([straight.plot.residuals(), straight.plot.qq()])
    return


@app.cell
def _(mo):
    mo.md("""
    ## Guidance beside what the client prefers: a surface

    All five terms together, never |guidance - preference|. Centred at the middle of the scale by the formula itself would
    change the terms but not the surface.
    """)
    return


@app.cell
def _(study):
    quadratic = study.fit(
        "satisfaction ~ directiveness + directiveness_preferred + I(directiveness**2)"
        " + directiveness:directiveness_preferred + I(directiveness_preferred**2)"
        " + (1 | client_id) + (1 | therapist_id)"
    )
    quadratic
    return (quadratic,)


@app.cell
def _(quadratic):
    quadratic.plot.surface()
    return


@app.cell
def _(mo):
    mo.md("""
    ## Who was left out?

    Each step names the column that was empty. If those who lack it differ from the others, the estimate is of the others.
    """)
    return


@app.cell
def _(quadratic):
    quadratic.left_out
    return


@app.cell
def _(mo):
    mo.md("""
    ## The same in other hands

    `quadratic.rows` holds the model's rows with fitted values and residuals; `quadratic.fit` is the engine's own result.
    """)
    return


@app.cell
def _(quadratic):
    quadratic.rows.select("directiveness_score", "satisfaction_score", "fitted", "residual").head(5)
    return


if __name__ == "__main__":
    app.run()
