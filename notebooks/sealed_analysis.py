"""From a question to a sealed analysis: what is fixed, when it was fixed, and what other analyses would have said."""

import marimo

app = marimo.App(width="medium", app_title="From question to sealed analysis")


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
    # From question to sealed analysis

    An analysis that was chosen after its outcome was seen can be made to say much. So: write the question down, declare the
    model in `study.toml`, seal it, and only then look. The release says which of these happened, and in what order.

    ## 1. The questions and the models that stand for them
    """)
    return


@app.cell
def _(mo, study):
    asked = study.sql("select model, question, formula from model_specs order by model").pl()
    mo.ui.table(asked, selection=None, wrapped_columns=["question", "formula"])
    return


@app.cell
def _(mo):
    mo.md("""
    To ask another question, add a `[[models]]` block to `study.toml`:

    ```toml
    [[models]]
    name = "alliance_first"
    question = "Is guidance followed by satisfaction once the alliance is held constant?"
    kind = "linear"
    population = "mart_session_directiveness"
    outcome = "satisfaction_score"
    fixed = ["directiveness_within", "alliance_score"]
    random = ["1 | client_id", "1 | therapist_id"]
    ```

    then `outcomes seal DIR` and `outcomes refresh DIR`.

    ## 2. Was it fixed before outcomes were seen?
    """)
    return


@app.cell
def _(mo, study):
    seal = study.sql("select status, sealed_at, sentence, spec_sha256 from seal").pl().to_dicts()[0]
    mo.callout(mo.md(f"**{seal['status'].replace('_', ' ')}.** {seal['sentence']}"), kind="info")
    return


@app.cell
def _(mo):
    mo.md("""
    ## 3. What the declared models say, and how their fits ended
    """)
    return


@app.cell
def _(study):
    study.sql("""
        select model_fits.model, model_fits.status, model_estimates.term, round(model_estimates.estimate, 3) as estimate,
            round(model_estimates.conf_low, 3) as conf_low, round(model_estimates.conf_high, 3) as conf_high,
            model_fits.n_rows, model_fits.reason
        from model_fits
        left join model_estimates
            on model_fits.model = model_estimates.model
            and model_estimates.variant = 'main'
            and model_estimates.term <> '(Intercept)'
        order by model_fits.model, model_estimates.term
    """).pl()
    return


@app.cell
def _(mo):
    mo.md("""
    ## 4. What would other defensible analyses have said?

    A single estimate may rest on one choice. The multiverse makes all equivalent choices; the joint test asks whether any
    effect is left when the choosing is counted.
    """)
    return


@app.cell
def _(mo, study):
    from outcomes.errors import OutcomesError

    try:
        shown = study.plot.multiverse()
    except OutcomesError as reason:
        shown = mo.md(f"*Not drawn.* {reason.message} {reason.hint}")
    shown
    return


@app.cell
def _(mo):
    mo.md("""
    ## 5. What changed since the release before?

    With each change its cause: data, study file, or code. A definition that changed after the seal stands here as well.
    """)
    return


@app.cell
def _(mo, study):
    earlier = [one for one in study.releases if one.published_at < study.latest.kept.published_at]
    study.compare(earlier[-1].release_id) if earlier else mo.md("*This is the first release that is kept.*")
    return


if __name__ == "__main__":
    app.run()
