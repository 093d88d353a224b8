import { isShell, SHELLS, scriptOf } from "../completion/scripts.ts";
import { suggest } from "../completion/suggest.ts";
import { UsageError } from "../io.ts";
import type { Register } from "../register.ts";

export function completionCommand({ program, act }: Register): void {
  program
    .command("completion <shell>")
    .description("print the script for bash, zsh or fish")
    .addHelpText(
      "after",
      `
Examples:
  $ source <(el completion bash)                            # in ~/.bashrc
  $ source <(el completion zsh)                             # in ~/.zshrc
  $ el completion fish > ~/.config/fish/completions/el.fish`,
    )
    .action(
      act(async (cli, [shell]) => {
        if (!isShell(shell)) throw new UsageError(`A shell is ${SHELLS.join(", ")}: "${shell}".`);
        await cli.out.text(scriptOf(shell));
      }),
    );
  program
    .command("complete [words...]", { hidden: true })
    .description("print the completions of the last word; the scripts call this")
    .allowUnknownOption()
    .action(
      act(async (cli, words) => {
        const found = await suggest(
          cli,
          program,
          words.filter((word) => word !== undefined),
        );
        await cli.out.text(found.map(({ word, about }) => `${word}\t${about}\n`).join(""));
      }),
    );
}
