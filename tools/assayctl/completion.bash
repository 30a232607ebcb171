# SPDX-License-Identifier: Apache-2.0
# Completion of assayctl in bash: the program itself has the candidates.
_assayctl() {
	local word
	COMPREPLY=()
	while IFS=$'\t' read -r word _; do
		if [ "$word" = :files ]; then
			compopt -o default
		else
			COMPREPLY+=("$word")
		fi
	done < <("$1" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _assayctl assayctl
