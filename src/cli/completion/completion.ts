import type { CommandModule } from "yargs";
import type { Context } from "../context.ts";
import { completionScript, SHELLS, type Shell } from "./scripts/completion-script.ts";

interface CompletionFlags {
  readonly shell?: Shell | undefined;
}

export function completionCommand(context: Context): CommandModule<object, CompletionFlags> {
  return {
    command: "completion <shell>",
    describe: "print a script that completes command lines in a shell",
    builder: parser =>
      parser
        .positional("shell", { choices: SHELLS, type: "string", describe: "shell to complete in" })
        .example('eval "$(imgpack completion bash)"', "in ~/.bashrc; for zsh, in ~/.zshrc after compinit, with zsh")
        .example("$0 completion fish > ~/.config/fish/completions/imgpack.fish", "for fish")
        .example("$0 completion powershell | Out-String | Invoke-Expression", "in $PROFILE, for PowerShell"),
    handler: ({ shell = "bash" }) => void context.stdout.write(completionScript(shell)),
  };
}
