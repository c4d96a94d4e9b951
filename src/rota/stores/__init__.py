"""Where jobs live: adapters of `rota.ports` to databases."""
