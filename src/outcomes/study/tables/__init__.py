"""The tables of `study.toml`, one module each: what they may declare and what cannot hold."""
