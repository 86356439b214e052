# One item of the state anxiety inventory (../shared/reference/stai_state_items.csv) by persons in studies, with clmm.
#
#   Rscript tests/reference/make_stai.R ../shared/reference tests/reference/results

suppressPackageStartupMessages({library(ordinal); library(jsonlite)})
args <- commandArgs(trailingOnly = TRUE)
d <- read.csv(file.path(args[1], "stai_state_items.csv"))
d <- d[!is.na(d$calm) & !is.na(d$id), ]
d$person <- factor(paste(d$study, d$id, sep = ":"))
d$study <- factor(d$study)
d$calm <- factor(d$calm, ordered = TRUE)
d$time <- factor(d$time)
f <- clmm(calm ~ time + (1 | person) + (1 | study), data = d, control = clmm.control(gradTol = 1e-5, maxIter = 500))
out <- list(engine = "ordinal::clmm", version = as.character(packageVersion("ordinal")), nobs = f$dims$n, loglik = as.numeric(logLik(f)),
            tau = I(as.numeric(f$Theta)), beta = I(as.numeric(f$beta)),
            se = I(as.numeric(sqrt(diag(vcov(f)))[seq_len(length(f$alpha) + length(f$beta))])),
            sd = as.list(sapply(VarCorr(f), function(v) as.numeric(attr(v, "stddev")))), gradient = max(abs(f$gradient)))
write_json(out, file.path(args[2], "stai_ordinal.json"), digits = NA, auto_unbox = TRUE)
