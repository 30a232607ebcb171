# SPDX-License-Identifier: Apache-2.0
"""Makes a manual page of a page in Markdown, by lowdown(1): the text stays in one place.

usage: make-page.py LOWDOWN FILE.md NAME.SECTION

The first paragraph is the page's DESCRIPTION, and its first sentence the line under which the page is
found. Links to other pages become their text: the pages are installed by package assayd-doc, too.
"""

import pathlib
import re
import subprocess
import sys

lowdown, page, target = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
name, section = target.name.rsplit('.', 1)
body = re.sub(r'\A# .*\n+', '', page.read_text(encoding='utf-8'))
body = re.sub(r'<!--.*?-->\n*', '', body, flags=re.S)
body = re.sub(r'\[([^\]]+)\]\((?!https?:)[^)]*\)', r'\1', body)
# Headings one level up, but no lines of blocks: those of a manual page are level 1 and 2.
parts = re.split(r'(^```.*?^```$)', body, flags=re.M | re.S)
body = ''.join(part if part.startswith('```') else re.sub(r'^##', '#', part, flags=re.M) for part in parts)
line = re.sub(r'[`*]', '', re.split(r'[.:;](?:\s|$)', body, maxsplit=1)[0].replace('\n', ' '))
text = f'# NAME\n\n{name} - {line}\n\n# DESCRIPTION\n\n{body}'
made = subprocess.run([lowdown, '-s', '-t', 'man', '-M', f'title={name.upper()}', '-M', f'section={section}'], input=text,
                      capture_output=True, text=True, check=True).stdout
target.write_text(made, encoding='utf-8')
