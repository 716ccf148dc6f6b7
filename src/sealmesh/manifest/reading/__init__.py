"""From JSON values to the model: structure and types only; `checking` looks at how things fit."""
