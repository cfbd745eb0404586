"""The programs that the page about React and Next.js shows, as files."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "send-from-react.md"
SHOWN = 'endpoint: "https://collect.example.com", writeKey: "ea_…"'
"""The options of the page's clients."""


def write_programs(folder: Path, options: str = f"{{ {SHOWN} }}") -> None:
    """Write each program under the name that its first line tells, with these options of its client, in JavaScript."""
    text = PAGE.read_text(encoding="utf-8").replace(f"{{ {SHOWN} }}", options)
    for name, program in re.findall(r"^```tsx\n// (\S+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(program, encoding="utf-8")
