"""`python -m rota`: the command line where its script is not on PATH."""

from rota.cli.main import main

if __name__ == "__main__":
    main()
