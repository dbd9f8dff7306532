"""Shell scripts that complete commands, options and files, from the commands' own declarations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fmbench.command import PROGRAM

_BASH = """\
_fmbench_load() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" words=""
  case "${{COMP_WORDS[1]}}" in
{cases}
    *) words="{every}" ;;
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="{first}"
  COMPREPLY=($(compgen -W "$words" -- "$word") $(compgen -f -- "$word"))
}}
complete -o filenames -F _fmbench_load {program}
"""


def script(shell: str, words: Mapping[str, Sequence[str]]) -> str:
    """The script for ``bash``, ``zsh`` or ``fish``. ``words``: the options of each command; ``""``: of none."""
    if shell == "fish":
        return _fish(words)
    begin = "autoload -U +X bashcompinit && bashcompinit\n" if shell == "zsh" else ""
    cases = "\n".join(f'    {name}) words="{" ".join(options)}" ;;' for name, options in words.items() if name)
    every = " ".join(words[""])
    first = " ".join([*(name for name in words if name), *words[""]])
    return begin + _BASH.format(cases=cases, every=every, first=first, program=PROGRAM)


def _fish(words: Mapping[str, Sequence[str]]) -> str:
    lines = [f"complete -c {PROGRAM} -n __fish_use_subcommand -a {name}" for name in words if name]
    for name, options in words.items():
        when = f"'__fish_seen_subcommand_from {name}'" if name else "__fish_use_subcommand"
        lines += [f"complete -c {PROGRAM} -n {when} -l {option[2:]}" for option in options if option.startswith("--")]
    return "\n".join(lines) + "\n"
