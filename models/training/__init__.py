"""How the models in this folder are made: data, synthesis, training, export and figures. See `README.md` beside it."""
