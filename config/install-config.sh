#!/bin/sh
# usage: install-config.sh FILE FOLDER: copies FILE into FOLDER unless it has one; run by meson install.
set -e
[ -e "$DESTDIR$2/assayd.yaml" ] || install -D -m 644 "$DESTDIR$1" "$DESTDIR$2/assayd.yaml"
