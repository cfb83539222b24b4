"""One TOML file that ties features, training, gate, scoring, monitoring and retraining."""
