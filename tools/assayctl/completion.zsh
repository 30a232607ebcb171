#compdef assayctl
# SPDX-License-Identifier: Apache-2.0
# Completion of assayctl in zsh: the program itself has the candidates.
local word help
local -a candidates
while IFS=$'\t' read -r word help; do
	if [[ $word == :files ]]; then
		_files
	else
		candidates+=("${word//:/\\:}:$help")
	fi
done < <($words[1] complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
_describe assayctl candidates
