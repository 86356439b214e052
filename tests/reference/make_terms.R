# R's tests of terms (lmerTest, type III) and marginal means (emmeans): Rscript tests/reference/make_terms.R tests/reference

suppressPackageStartupMessages({
  library(lmerTest)
  library(emmeans)
  library(jsonlite)
})
Sys.setlocale("LC_COLLATE", "C")
folder <- commandArgs(trailingOnly = TRUE)[1]
d <- read.csv(file.path(folder, "formulas_data.csv"), stringsAsFactors = FALSE)
for (name in c("f", "o", "b")) d[[name]] <- factor(d[[name]])
formulas <- c(
  "y ~ f * b + x + (1 | g)",
  "y ~ f * x + b + (x | g)",
  "y ~ f * o * x + (1 | g)",
  "y ~ poly(x, 2) * f + (1 | g) + (1 | h)"
)
control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5))
terms <- lapply(formulas, function(text) {
  a <- anova(lmer(as.formula(text), d, control = control))
  list(formula = text, terms = I(rownames(a)), statistic = I(a[["F value"]]), df_num = I(a[["NumDF"]]),
    df_denom = I(a[["DenDF"]]), p_value = I(a[["Pr(>F)"]]))
})
fit <- lmer(y ~ f * b + x + (1 | g), d, control = control)
means <- as.data.frame(emmeans(fit, "f", lmer.df = "satterthwaite"))
pairs <- as.data.frame(pairs(emmeans(fit, "f", lmer.df = "satterthwaite"), adjust = "none"))
write_json(list(terms = terms, means = means, pairs = pairs), file.path(folder, "results", "terms.json"), digits = NA,
  auto_unbox = TRUE)
