"""`python -m rewards_service` is the `rewards` program."""

from rewards_service.cli.main import main

if __name__ == "__main__":
    main(prog_name="rewards")
