/** The scripts run `el complete` for each word, so they are never out of date. */

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

export const isShell = (text: string): text is Shell => SHELLS.some((shell) => shell === text);

export const scriptOf = (shell: Shell): string => SCRIPTS[shell];

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# Completes el and eventledger in bash: source <(el completion bash)
_eventledger() {
  local cur words cword line
  COMPREPLY=()
  cur="\${COMP_WORDS[COMP_CWORD]}"
  while IFS=$'\\t' read -r line _; do
    COMPREPLY+=("$line")
  done < <("\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _eventledger el eventledger
`,
  zsh: `#compdef el eventledger
# Completes el and eventledger in zsh: source <(el completion zsh)
_eventledger() {
  local -a found
  local line
  while IFS= read -r line; do
    found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#found} )); then
    _describe 'el' found
  else
    _files
  fi
}
if (( \${+functions[compdef]} )); then
  compdef _eventledger el eventledger
else
  autoload -Uz compinit && compinit
  compdef _eventledger el eventledger
fi
`,
  fish: `# Completes el and eventledger in fish: el completion fish | source
function __eventledger_complete
  set -l words (commandline -opc) (commandline -ct)
  $words[1] complete -- $words[2..-1] 2>/dev/null
end
complete -c el -a '(__eventledger_complete)'
complete -c eventledger -a '(__eventledger_complete)'
`,
};
