# Reference results for tests/mixed, from lme4, lmerTest, pbkrtest and glmmTMB.
#
#   python tests/reference/designs.py export FOLDER
#   Rscript tests/reference/make_references.R FOLDER tests/reference/results [design ...]
#
# lme4 often stops short of the optimum by its defaults. Every linear fit is therefore repeated with several tight
# optimisers, and the lowest criterion is kept. Binomial fits with one quadrature node come from glmmTMB (exact Laplace,
# observed information), polished by Newton steps; with more nodes from lme4's deviance function, polished by nlminb.

suppressPackageStartupMessages({
  library(lme4)
  library(lmerTest)
  library(pbkrtest)
  library(glmmTMB)
  library(numDeriv)
  library(jsonlite)
})

args <- commandArgs(trailingOnly = TRUE)
folder <- args[1]
target <- args[2]
wanted <- args[-(1:2)]
first_levels <- 50

named <- function(x) as.list(setNames(as.numeric(x), names(x)))

varcorr_rows <- function(vc) {
  lapply(seq_along(vc), function(i) {
    m <- vc[[i]]
    cor <- attr(m, "correlation")
    list(
      group = sub("\\.[0-9]+$", "", names(vc)[i]), names = I(rownames(m)), sd = I(as.numeric(attr(m, "stddev"))),
      corr_lower = I(as.numeric(cor[lower.tri(cor)]))
    )
  })
}

mode_rows <- function(re) {
  # One entry a term and column: the first levels in alphabetical order, with conditional standard deviations.
  out <- list()
  for (group in names(re)) {
    frame <- re[[group]]
    post <- attr(frame, "postVar")
    sds <- NULL
    if (is.array(post)) {
      sds <- t(sqrt(apply(post, 3, function(v) diag(as.matrix(v)))))
      if (ncol(frame) == 1) sds <- matrix(sds, ncol = 1)
    } else if (is.list(post)) {
      # `||`: one array a term, in the order of the columns
      sds <- do.call(cbind, lapply(post, function(a) sqrt(a[1, 1, ])))
    }
    keep <- head(order(rownames(frame), method = "radix"), first_levels)
    for (j in seq_len(ncol(frame))) {
      out[[length(out) + 1]] <- list(
        group = group, name = colnames(frame)[j], n_levels = nrow(frame), levels = I(rownames(frame)[keep]),
        mode = I(frame[keep, j]), cond_sd = I(sds[keep, j])
      )
    }
  }
  out
}

refined_lmer <- function(formula, data, reml, weights) {
  tight <- list(
    lmerControl(optimizer = "nloptwrap", calc.derivs = FALSE,
                optCtrl = list(xtol_rel = 1e-12, xtol_abs = 1e-12, ftol_abs = 1e-12, ftol_rel = 1e-15, maxeval = 20000)),
    lmerControl(optimizer = "bobyqa", calc.derivs = FALSE, optCtrl = list(rhoend = 1e-9, maxfun = 20000)),
    lmerControl(optimizer = "nlminbwrap", calc.derivs = FALSE,
                optCtrl = list(rel.tol = 1e-15, x.tol = 1e-12, eval.max = 5000, iter.max = 5000))
  )
  fits <- lapply(tight, function(control) {
    suppressWarnings(suppressMessages(
      if (is.null(weights)) lme4::lmer(formula, data, REML = reml, control = control)
      else lme4::lmer(formula, data, REML = reml, control = control, weights = data[[weights]])
    ))
  })
  criteria <- vapply(fits, function(f) if (reml) REMLcrit(f) else deviance(f), 0)
  list(fit = fits[[which.min(criteria)]], criteria = criteria)
}

linear_reference <- function(spec, data) {
  formula <- as.formula(spec$formula)
  best <- refined_lmer(formula, data, spec$reml, spec$weights)
  fit <- best$fit
  out <- list(
    id = spec$id, kind = "linear", formula = spec$formula, reml = spec$reml, weights = spec$weights, engine = "lme4",
    nobs = nobs(fit), criterion = min(best$criteria), criteria_tried = I(best$criteria),
    loglik = as.numeric(logLik(fit)), fixef = named(fixef(fit)), se = named(sqrt(diag(as.matrix(vcov(fit))))),
    vcov = as.matrix(vcov(fit)), sigma = sigma(fit), theta = named(getME(fit, "theta")), singular = isSingular(fit),
    varcorr = varcorr_rows(VarCorr(fit)), modes = mode_rows(ranef(fit, condVar = TRUE))
  )
  if (nobs(fit) <= 20000 && is.null(spec$weights)) {
    test <- suppressWarnings(suppressMessages(lmerTest::lmer(formula, data, REML = spec$reml, start = getME(fit, "theta"),
      control = lmerControl(optimizer = "nlminbwrap", calc.derivs = FALSE, optCtrl = list(rel.tol = 1e-15, x.tol = 1e-12)))))
    table <- coef(summary(test, ddf = "Satterthwaite"))
    out$satterthwaite <- list(df = named(setNames(table[, "df"], rownames(table))),
                              p = named(setNames(table[, "Pr(>|t|)"], rownames(table))))
  }
  if (isTRUE(spec$kenward_roger)) {
    adjusted <- as.matrix(vcovAdj(fit))
    p <- length(fixef(fit))
    df <- vapply(seq_len(p), function(j) Lb_ddf(as.numeric(seq_len(p) == j), vcov(fit), vcovAdj(fit)), 0)
    out$kenward_roger <- list(df = named(setNames(df, names(fixef(fit)))),
                              se = named(setNames(sqrt(diag(adjusted)), names(fixef(fit)))))
  }
  out
}

polished_tmb <- function(formula, data, family, weights) {
  w <- if (is.null(weights)) rep(1, nrow(data)) else data[[weights]]
  data$.w <- w
  fit <- suppressWarnings(suppressMessages(glmmTMB(formula, data, family = family, weights = .w)))
  obj <- fit$obj
  obj$env$inner.control <- list(maxit = 200, tol = 1e-12, grad.tol = 1e-10, trace = FALSE)
  par <- fit$fit$par
  par <- nlminb(par, obj$fn, obj$gr, control = list(rel.tol = 1e-15, x.tol = 1e-12, eval.max = 2000, iter.max = 2000))$par
  for (step in 1:3) {
    hessian <- jacobian(function(p) as.numeric(obj$gr(p)), par)
    hessian <- (hessian + t(hessian)) / 2
    proposal <- par - solve(hessian, as.numeric(obj$gr(par)))
    if (obj$fn(proposal) <= obj$fn(par) + 1e-9) par <- proposal
  }
  value <- obj$fn(par)
  covariance <- solve(hessian)
  random <- obj$env$last.par[obj$env$random]
  inner <- obj$env$spHess(obj$env$last.par, random = TRUE)
  list(fit = fit, par = par, value = as.numeric(value), covariance = covariance, b = as.numeric(random),
       b_sd = sqrt(diag(as.matrix(solve(inner)))), max_grad = max(abs(obj$gr(par))), report = obj$env$report(obj$env$last.par))
}

laplace_reference <- function(spec, data) {
  family <- binomial(spec$link)
  used <- if (is.null(spec$reduced)) spec$formula else spec$reduced
  best <- polished_tmb(as.formula(used), data, family, spec$weights)
  fixed <- names(best$par) == "beta"
  names_x <- names(fixef(best$fit)$cond)
  covariance <- best$covariance[fixed, fixed, drop = FALSE]
  dimnames(covariance) <- list(names_x, names_x)
  structure <- best$fit$modelInfo$reStruc$condReStruc
  terms <- best$fit$modelInfo$reTrms$cond
  varcorr <- list()
  modes <- list()
  at <- 0
  for (i in seq_along(structure)) {
    k <- structure[[i]]$blockSize
    reps <- structure[[i]]$blockReps
    group <- names(terms$flist)[attr(terms$flist, "assign")[i]]
    columns <- terms$cnms[[i]]
    cor <- best$report$corr[[i]]
    varcorr[[i]] <- list(group = group, names = I(columns), sd = I(as.numeric(best$report$sd[[i]])),
                         corr_lower = I(if (k > 1 && !is.null(dim(cor))) as.numeric(cor[lower.tri(cor)]) else numeric(0)))
    b <- matrix(best$b[at + seq_len(k * reps)], nrow = k)
    s <- matrix(best$b_sd[at + seq_len(k * reps)], nrow = k)
    levels <- levels(terms$flist[[group]])
    keep <- head(order(levels, method = "radix"), first_levels)
    for (j in seq_len(k)) {
      modes[[length(modes) + 1]] <- list(group = group, name = columns[j], n_levels = reps, levels = I(levels[keep]),
                                         mode = I(b[j, keep]), cond_sd = I(s[j, keep]))
    }
    at <- at + k * reps
  }
  list(
    id = spec$id, kind = "binomial", formula = spec$formula, link = spec$link, nagq = 1, weights = spec$weights,
    engine = "glmmTMB", reduced = spec$reduced, nobs = nrow(data), criterion = 2 * best$value, loglik = -best$value,
    max_gradient = best$max_grad, fixef = named(setNames(best$par[fixed], names_x)),
    se = named(setNames(sqrt(diag(covariance)), names_x)), vcov = covariance, singular = !is.null(spec$reduced),
    varcorr = varcorr, modes = modes
  )
}

quadrature_reference <- function(spec, data) {
  w <- if (is.null(spec$weights)) rep(1, nrow(data)) else data[[spec$weights]]
  data$.w <- w
  control <- glmerControl(optimizer = "bobyqa", calc.derivs = FALSE, tolPwrss = 1e-12, optCtrl = list(rhoend = 1e-9, maxfun = 50000))
  fit <- suppressWarnings(glmer(as.formula(spec$formula), data, family = binomial(spec$link), nAGQ = spec$nagq,
                                weights = .w, control = control))
  devfun <- suppressWarnings(update(fit, devFunOnly = TRUE))
  start <- c(getME(fit, "theta"), fixef(fit))
  best <- nlminb(start, devfun, lower = c(0, rep(-Inf, length(start) - 1)), control = list(rel.tol = 1e-14, eval.max = 5000, iter.max = 2000))
  par <- if (best$objective < devfun(start)) best$par else start
  hessian <- hessian(devfun, par) / 2
  # One Newton step on the numerical derivatives takes out what nlminb's differences left.
  proposal <- par - solve(hessian, grad(devfun, par) / 2)
  if (devfun(proposal) <= devfun(par)) par <- proposal
  value <- devfun(par)
  # With nAGQ > 1 lme4's criterion is a deviance (relative to the saturated model); the criterion stored is -2 log L.
  y <- fit@resp$y
  constants <- -2 * sum(dbinom(round(y * w), w, y, log = TRUE))
  covariance <- solve(hessian)[-1, -1, drop = FALSE]
  names_x <- names(fixef(fit))
  dimnames(covariance) <- list(names_x, names_x)
  devfun(par)
  list(
    id = spec$id, kind = "binomial", formula = spec$formula, link = spec$link, nagq = spec$nagq, weights = spec$weights,
    engine = "lme4", nobs = nobs(fit), criterion = value + constants, criterion_without_constants = value,
    fixef = named(setNames(par[-1], names_x)), se = named(setNames(sqrt(diag(covariance)), names_x)), vcov = covariance,
    singular = FALSE,
    varcorr = list(list(group = names(ranef(fit))[1], names = I("(Intercept)"), sd = I(as.numeric(par[1])), corr_lower = I(numeric(0))))
  )
}

manifest <- fromJSON(file.path(folder, "manifest.json"), simplifyVector = FALSE)
versions <- lapply(setNames(nm = c("lme4", "lmerTest", "pbkrtest", "glmmTMB", "numDeriv")), function(p) as.character(packageVersion(p)))
dir.create(target, showWarnings = FALSE, recursive = TRUE)
for (entry in manifest) {
  if (length(wanted) && !(entry$name %in% wanted)) next
  started <- Sys.time()
  data <- read.csv(file.path(folder, paste0(entry$name, ".csv")), stringsAsFactors = TRUE)
  fits <- lapply(entry$fits, function(spec) {
    if (spec$kind == "linear") linear_reference(spec, data)
    else if (spec$nagq == 1) laplace_reference(spec, data)
    else quadrature_reference(spec, data)
  })
  out <- list(design = entry$name, about = entry$about, rows = entry$rows, checksum = entry$checksum,
              r = R.version.string, packages = versions, fits = fits)
  write_json(out, file.path(target, paste0(entry$name, ".json")), digits = NA, auto_unbox = TRUE, null = "null", pretty = FALSE)
  cat(sprintf("%-36s %6.1f s\n", entry$name, as.numeric(difftime(Sys.time(), started, units = "secs"))))
}
