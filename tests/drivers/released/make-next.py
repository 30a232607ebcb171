# SPDX-License-Identifier: Apache-2.0
"""Writes <assay/driver.h> as a later release may have it: each struct that can grow has a member more.

usage: make-next.py HEADER TO
"""

import pathlib
import re
import sys

GROWING = ['link_defaults', 'setting', 'variable', 'driver', 'host']

text = pathlib.Path(sys.argv[1]).read_text()
for name in GROWING:
    text, count = re.subn(rf'(^struct assay_{name} {{\n.*?)(?=^}};)', r'\1\tconst void *later;\n', text, flags=re.M | re.S)
    assert count == 1, name
pathlib.Path(sys.argv[2]).write_text(text)
