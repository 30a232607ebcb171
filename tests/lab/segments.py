# SPDX-License-Identifier: Apache-2.0
"""The journal's files, read as docs/journal-format.md lays them out, without the project's own code."""

import struct

RECORD = 32  # bytes before an entry


def segment_entries(path):
    """(offset, bytes) of the entries of a segment file; a last one that is half written does not count."""
    data = path.read_bytes()
    if len(data) < 64:
        return
    at = struct.unpack_from('<I', data, 12)[0]
    while at + RECORD <= len(data) and data[at:at + 4] in (b'AER1', b'AEM1', b'AEC1'):
        length = struct.unpack_from('<I', data, at + 4)[0]
        if at + RECORD + length > len(data):
            return
        if data[at:at + 4] == b'AER1':
            yield at + RECORD, data[at + RECORD:at + RECORD + length]
        at += RECORD + (length + 7) // 8 * 8


def remove_on_purpose(path):
    """As retention leaves it for readers: the index stays, and a note; but no record tells of the removal."""
    path.with_suffix('.gone').touch()
    path.unlink()


def folder_entries(folder):
    """The bytes of all entries of one journal; recovery may have written the last of a file again."""
    for path in sorted(folder.glob('*.seg')):
        for _, data in segment_entries(path):
            yield data
