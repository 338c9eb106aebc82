import { UsageError } from "../../../errors.ts";
import { escapeForeign } from "../../../util/format.ts";
import type { Context } from "../../context.ts";
import { readSecret } from "../../flags/registry-flags.ts";

/**
 * A password that an account is to have: from stdin, or typed twice on the terminal.
 *
 * @param user for the question.
 * @throws UsageError without a terminal, or if the two differ.
 */
export async function readNewPassword(
  user: string,
  passwordStdin: boolean | undefined,
  { stderr, signal }: Context,
): Promise<string> {
  if (passwordStdin) return await readSecret("password", signal);
  const { stdin } = process;
  const name = escapeForeign(user, 300);
  if (stdin.isTTY !== true) {
    throw new UsageError(`Cannot read the new password of ${name}: no terminal to ask on, expected --password-stdin`);
  }
  const { askSecret } = await import("../../prompt.ts");
  const terminal = { input: stdin, output: stderr, signal };
  const first = await askSecret(`New password for ${name}: `, terminal);
  const second = await askSecret("The same again: ", terminal);
  if (first === second) return first;
  throw new UsageError(`Cannot read the new password of ${name}: found two different ones, expected the same twice`);
}
