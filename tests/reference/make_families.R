# Reference results for the families and residual structures: ordinal, glmmTMB, lme4 and nlme on data of families.py.
#
#   python tests/reference/families.py export FOLDER
#   Rscript tests/reference/make_families.R FOLDER tests/reference/results
#
# Debian: r-base-core r-cran-ordinal r-cran-glmmtmb r-cran-lme4 r-cran-nlme r-cran-jsonlite

suppressPackageStartupMessages({
  library(ordinal)
  library(glmmTMB)
  library(lme4)
  library(nlme)
  library(numDeriv)
  library(jsonlite)
})
args <- commandArgs(trailingOnly = TRUE)
d <- read.csv(file.path(args[1], "families.csv"), stringsAsFactors = TRUE)
d$rating_f <- factor(d$rating, ordered = TRUE)
fits <- list()
add <- function(id, ...) fits[[length(fits) + 1]] <<- list(id = id, ...)
vec <- function(x) I(as.numeric(x))

# ---- ordered categories: clmm, its optimum polished by Newton steps of numDeriv's derivatives
ordinal_fit <- function(id, formula, link = "logit", threshold = "flexible", nAGQ = 1) {
  f <- clmm(as.formula(formula), data = d, link = link, threshold = threshold, nAGQ = nAGQ,
            control = clmm.control(gradTol = 1e-6, maxIter = 500))
  sds <- unlist(lapply(VarCorr(f), function(v) attr(v, "stddev")))
  cors <- unlist(lapply(VarCorr(f), function(v) if (nrow(v) > 1) cov2cor(v)[lower.tri(v)]))
  n_alpha <- length(f$alpha)
  add(id, engine = "ordinal::clmm", loglik = as.numeric(logLik(f)), alpha = vec(f$alpha), tau = vec(f$Theta), beta = vec(f$beta),
      se = vec(sqrt(diag(vcov(f)))[seq_len(n_alpha + length(f$beta))]), sd = vec(sds), corr = vec(cors),
      modes = vec(ranef(f)[[1]][, 1]), gradient = max(abs(f$gradient)))
}
fixed <- "rating_f ~ x + preference + modality"
ordinal_fit("ordinal_logit", paste(fixed, "+ (1 | client_id)"))
ordinal_fit("ordinal_logit_q9", paste(fixed, "+ (1 | client_id)"), nAGQ = 9)
ordinal_fit("ordinal_probit", paste(fixed, "+ (1 | client_id)"), link = "probit")
ordinal_fit("ordinal_probit_q15", paste(fixed, "+ (1 | client_id)"), link = "probit", nAGQ = 15)
ordinal_fit("ordinal_equidistant", paste(fixed, "+ (1 | client_id)"), threshold = "equidistant")
ordinal_fit("ordinal_slope", paste(fixed, "+ (1 + x | client_id)"))
ordinal_fit("ordinal_two_factors", paste(fixed, "+ (1 | client_id) + (1 | therapist_id)"))

# ---- counts, probit, offset: glmmTMB polished by Newton steps on its own derivatives
tmb_fit <- function(id, formula, family) {
  f <- glmmTMB(as.formula(formula), data = d, family = family,
               control = glmmTMBControl(optimizer = nlminb, optCtrl = list(rel.tol = 1e-14, eval.max = 5000, iter.max = 5000)))
  par <- f$fit$par
  for (i in 1:3) par <- par - solve(jacobian(f$obj$gr, par), as.numeric(f$obj$gr(par)))
  H <- jacobian(f$obj$gr, par)
  covariance <- solve((H + t(H)) / 2)
  value <- f$obj$fn(par)
  fixed <- names(par) == "beta"
  disp <- names(par) == "betad" | names(par) == "betadisp"
  f$fit$par <- par
  theta <- par[names(par) == "theta"]
  add(id, engine = "glmmTMB", loglik = -as.numeric(value), beta = vec(par[fixed]), se = vec(sqrt(diag(covariance))[fixed]),
      theta = vec(theta), log_size = vec(par[disp]), log_size_se = vec(sqrt(diag(covariance))[disp]),
      gradient = max(abs(f$obj$gr(par))))
}
counts <- "n_missed ~ x + preference + modality + offset(log(n_planned))"
tmb_fit("poisson", paste(counts, "+ (1 | client_id)"), poisson())
tmb_fit("poisson_slope", paste(counts, "+ (1 + x | client_id) + (1 | therapist_id)"), poisson())
tmb_fit("nbinom2", paste(counts, "+ (1 | client_id)"), nbinom2())
tmb_fit("nbinom2_two_factors", paste(counts, "+ (1 | client_id) + (1 | therapist_id)"), nbinom2())
tmb_fit("probit", "yes ~ x + preference + modality + (1 | client_id)", binomial("probit"))
tmb_fit("logit_offset", "yes ~ preference + modality + offset(0.5 * x) + (1 | client_id)", binomial())
q <- glmer(n_missed ~ x + preference + modality + offset(log(n_planned)) + (1 | client_id), d, family = poisson, nAGQ = 9,
           control = glmerControl(optimizer = "bobyqa", tolPwrss = 1e-13, optCtrl = list(rhoend = 1e-10, maxfun = 50000)))
dev <- update(q, devFunOnly = TRUE)
best <- nlminb(c(getME(q, "theta"), fixef(q)), dev, lower = c(0, rep(-Inf, 5)), control = list(rel.tol = 1e-14, eval.max = 5000, iter.max = 2000))
H <- hessian(dev, best$par) / 2
value <- dev(best$par)
saturated <- -2 * sum(dpois(d$n_missed, d$n_missed, log = TRUE))
add("poisson_q9", engine = "lme4", loglik = -(value + saturated) / 2, beta = vec(best$par[-1]), sd = vec(best$par[1]),
    se = vec(sqrt(diag(solve(H)))[-1]))

# ---- residual structures: nlme
tight <- lmeControl(msTol = 1e-12, tolerance = 1e-10, msMaxIter = 500, maxIter = 500, niterEM = 50, returnObject = FALSE, opt = "nlminb",
                    msMaxEval = 5000, sing.tol = 1e-20)
lme_fit <- function(id, random, correlation = NULL, weights = NULL, method = "REML", fixed = score ~ x + preference + modality) {
  f <- lme(fixed, data = d, random = random, correlation = correlation, weights = weights, method = method, control = tight)
  cs <- f$modelStruct$corStruct
  vs <- f$modelStruct$varStruct
  sds <- unlist(lapply(rev(f$modelStruct$reStruct), function(m) sqrt(diag(as.matrix(m))) * f$sigma))
  cors <- unlist(lapply(rev(f$modelStruct$reStruct), function(m) { m <- cov2cor(as.matrix(m)); m[lower.tri(m)] }))
  ratios <- if (is.null(vs)) numeric(0) else coef(vs, unconstrained = FALSE, allCoef = TRUE)
  add(id, engine = "nlme::lme", method = method, loglik = as.numeric(logLik(f)), beta = vec(fixef(f)),
      se = vec(sqrt(diag(f$varFix))), sigma = f$sigma, sd = vec(sds), corr = vec(cors),
      rho = vec(if (is.null(cs)) numeric(0) else coef(cs, unconstrained = FALSE)),
      ratio = as.list(ratios))
}
by_client <- list(client_id = ~1)
for (m in c("REML", "ML")) {
  lme_fit(paste0("varident_", m), by_client, weights = varIdent(form = ~ 1 | modality), method = m)
  lme_fit(paste0("ar1_", m), by_client, correlation = corAR1(form = ~ session_number | client_id), method = m)
  lme_fit(paste0("both_", m), by_client, correlation = corAR1(form = ~ session_number | client_id),
          weights = varIdent(form = ~ 1 | modality), method = m)
}
lme_fit("ar1_slope_ML", list(client_id = ~ 1 + x), correlation = corAR1(form = ~ session_number | client_id), method = "ML")
lme_fit("ar1_nested_REML", list(therapist_id = ~1, client_id = ~1),
        correlation = corAR1(form = ~ session_number | therapist_id / client_id))

versions <- lapply(setNames(nm = c("ordinal", "glmmTMB", "lme4", "nlme")), function(p) as.character(packageVersion(p)))
out <- list(checksum = readLines(file.path(args[1], "families.sha256"), warn = FALSE), r = R.version.string, packages = versions, fits = fits)
write_json(out, file.path(args[2], "families.json"), digits = NA, auto_unbox = TRUE, null = "null", pretty = FALSE)
