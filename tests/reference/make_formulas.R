# R's answers to the table of formulas: Rscript tests/reference/make_formulas.R tests/reference
# lme4 by tight optimisers, the lowest criterion kept; binomial fits by glmmTMB (exact Laplace). `FROM TO` after the
# folder fits only those ids and keeps the other answers.

suppressPackageStartupMessages({
  library(lme4)
  library(glmmTMB)
  library(jsonlite)
})
Sys.setlocale("LC_COLLATE", "C")

args <- commandArgs(trailingOnly = TRUE)
folder <- args[1]
target <- file.path(folder, "results", "formulas.json")
d <- read.csv(file.path(folder, "formulas_data.csv"), stringsAsFactors = FALSE)
for (name in c("f", "o")) d[[name]] <- factor(d[[name]])
cases <- fromJSON(file.path(folder, "formulas.json"), simplifyVector = FALSE)
controls <- list(
  lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5), calc.derivs = FALSE),
  lmerControl(optimizer = "nloptwrap", optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-12, maxeval = 1e5), calc.derivs = FALSE)
)

sds <- function(vc) {
  unlist(lapply(vc, function(m) attr(m, "stddev")), use.names = FALSE)
}

linear <- function(case) {
  text <- as.formula(case$formula)
  reml <- is.null(case$reml)
  fits <- lapply(controls, function(control) {
    suppressMessages(suppressWarnings(
      if (is.null(case$weights)) lmer(text, d, REML = reml, control = control)
      else lmer(text, d, REML = reml, weights = w, control = control)
    ))
  })
  fit <- fits[[which.min(sapply(fits, function(one) -as.numeric(logLik(one))))]]
  list(
    id = case$id, nobs = nobs(fit), loglik = as.numeric(logLik(fit)), names = I(names(fixef(fit))),
    beta = I(unname(fixef(fit))), se = I(unname(sqrt(diag(as.matrix(vcov(fit)))))),
    sd = I(sds(VarCorr(fit))), sigma = sigma(fit), fitted = I(unname(head(fitted(fit), 5)))
  )
}

binomial_case <- function(case) {
  fit <- suppressWarnings(glmmTMB(as.formula(case$formula), d, family = binomial,
    control = glmmTMBControl(optCtrl = list(iter.max = 1e4, eval.max = 1e4, rel.tol = 1e-13))))
  list(
    id = case$id, nobs = nobs(fit), loglik = as.numeric(logLik(fit)), names = I(names(fixef(fit)$cond)),
    beta = I(unname(fixef(fit)$cond)), se = I(unname(sqrt(diag(as.matrix(vcov(fit)$cond))))),
    sd = I(sds(VarCorr(fit)$cond)), sigma = NULL, fitted = I(unname(head(fitted(fit), 5)))
  )
}

old <- list()
if (length(args) == 3) {
  wanted <- as.integer(args[2]):as.integer(args[3])
  if (file.exists(target)) old <- Filter(function(a) !(a$id %in% wanted), fromJSON(target, simplifyVector = FALSE))
  cases <- Filter(function(case) case$id %in% wanted, cases)
}
answers <- lapply(cases, function(case) {
  tryCatch(
    if (case$model == "linear") linear(case) else binomial_case(case),
    error = function(e) list(id = case$id, error = conditionMessage(e))
  )
})
answers <- c(old, answers)
answers <- answers[order(sapply(answers, function(a) a$id))]
write_json(answers, target, digits = NA, auto_unbox = TRUE, null = "null")
