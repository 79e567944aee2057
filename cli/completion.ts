import { Argument, type Command } from "commander";

/** What may follow each chain of command words: subcommands, then options. */
function words(root: Command): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const walk = (command: Command, chain: string[]): void => {
    const shown = command.commands.filter((each) => each.name() !== "credential");
    const options = [...command.options, ...root.options].map((each) => each.long).filter((each) => each !== undefined);
    found.set(chain.join(" "), [...shown.map((each) => each.name()), ...new Set(options), "--help"]);
    for (const each of shown) walk(each, [...chain, each.name()]);
  };
  walk(root, []);
  return found;
}

function bash(root: Command): string {
  const cases = [...words(root)].map(([chain, next]) => `    "${chain}") words="${next.join(" ")}" ;;`);
  return `_berth() {
  local word chain="" words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) _berth_known "\${chain:+$chain }$word" && chain="\${chain:+$chain }$word" ;; esac
  done
  case "$chain" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
_berth_known() {
  case "$1" in
    ${[...words(root).keys()]
      .filter((chain) => chain !== "")
      .map((chain) => `"${chain}"`)
      .join(" | ")}) return 0 ;;
  esac
  return 1
}
complete -o default -F _berth berth`;
}

function fish(root: Command): string {
  const lines = ["complete -c berth -f"];
  for (const [chain, next] of words(root)) {
    const parts = chain.split(" ").filter((each) => each !== "");
    const below = next.filter((each) => !each.startsWith("-"));
    const seen = parts.map((each) => `__fish_seen_subcommand_from ${each}`);
    const when = [...seen, ...(below.length > 0 ? [`not __fish_seen_subcommand_from ${below.join(" ")}`] : [])].join(
      "; and ",
    );
    for (const each of next) {
      const what = each.startsWith("--") ? `-l ${each.slice(2)}` : `-a ${each}`;
      lines.push(`complete -c berth -n '${when || "true"}' ${what}`);
    }
  }
  return lines.join("\n");
}

const scripts = {
  bash,
  zsh: (root: Command): string => `autoload -U +X bashcompinit && bashcompinit\n${bash(root)}`,
  fish,
};

export function completionCommand(root: Command): void {
  root
    .command("completion")
    .description('print a shell\'s completion script, as in: eval "$(berth completion bash)"')
    .addArgument(new Argument("<shell>").choices(Object.keys(scripts)))
    .action((shell: keyof typeof scripts) => {
      process.stdout.write(`${scripts[shell](root)}\n`);
    });
}
