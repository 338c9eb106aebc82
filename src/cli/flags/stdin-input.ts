import { UsageError } from "../../errors.ts";
import type { OutputStreams } from "../context.ts";

/** A command that waits for input at a terminal looks as if it hung. @throws UsageError for "-" if stdin is a terminal. */
export function refuseTerminal(input: string, what: string, hint: string): void {
  if (input !== "-" || process.stdin.isTTY !== true) return;
  throw new UsageError(`Cannot read ${what} from stdin: it is a terminal, expected a pipe or a file`, { hint });
}

/** As `refuseTerminal`, for an archive. @param command of imgpack, for the hint. */
export function refuseTypedArchive(input: string, command: string): void {
  refuseTerminal(input, "archive", `Pipe it in, as in "docker save IMAGE | imgpack ${command} -", or name a file.`);
}

/** @param uses what stdin would be read for. @throws UsageError for more than one of them. */
export function checkStdinUses(uses: readonly (boolean | undefined)[]): void {
  const times = uses.filter(use => use === true).length;
  if (times < 2) return;
  throw new UsageError(`Cannot read stdin: given ${times} times, expected one archive, one list or one secret`);
}

/** @param action as in messages, such as "delete team/app". @throws UsageError if there is no one to ask, and no --yes. */
export function checkConfirmable(action: string, yes: boolean | undefined, { stderr }: OutputStreams): void {
  const isTerminal = process.stdin.isTTY === true && "isTTY" in stderr && stderr.isTTY === true;
  if (yes === true || isTerminal) return;
  throw new UsageError(`Cannot ${action}: no terminal to confirm on, expected --yes`);
}
