import { BASH } from "./bash-script.ts";
import { FISH } from "./fish-script.ts";
import { POWERSHELL } from "./powershell-script.ts";
import { ZSH } from "./zsh-script.ts";

export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;
export type Shell = (typeof SHELLS)[number];

const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH, powershell: POWERSHELL };

/** The script that completes `imgpack` in a shell. It ends with a line break. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}
