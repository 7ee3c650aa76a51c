"""The program `tariff`, and `python -m tariff` where scripts cannot be put on the path."""

from tariff.interruptions import ended_by_interruptions


def main() -> None:
    """Run the command line and leave with its exit code."""
    with ended_by_interruptions():
        from tariff.cli import main as run_the_command_line

        run_the_command_line()


if __name__ == "__main__":
    main()
