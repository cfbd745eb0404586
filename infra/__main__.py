"""`python -m infra`: writes the stacks' templates, as CDK's command line asks for them; `python -m infra costs` prints
what each size costs a month, `python -m infra costs choices` what choices add to it, `python -m infra costs stream` the
stream alone, of each kind."""

from __future__ import annotations

import sys

from infra.choices import ChoiceError


def main(arguments: list[str]) -> int:
    """Runs the command line; gives the exit status."""
    if arguments == ["costs"]:
        from infra.costs import bill_table

        print(bill_table())
        return 0
    if arguments == ["costs", "stream"]:
        from infra.costs import stream_table

        print(stream_table())
        return 0
    if arguments == ["costs", "choices"]:
        from infra.costs_of_choices import choices_table

        print(choices_table())
        return 0
    if arguments:
        print("usage: python -m infra [costs [choices|stream]]", file=sys.stderr)
        return 2
    from infra.app import build_app

    try:
        build_app().synth()
    except ChoiceError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
