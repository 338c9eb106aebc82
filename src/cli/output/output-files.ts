import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { checkApart, checkListApart, otherThanFile } from "../../util/output-checks.ts";

/** Flags and arguments that name what a command writes. */
const OUTPUTS = ["output", "repair", "report", "need"] as const;
/** Flags and arguments that name files that a command reads. */
const INPUTS = [
  "archives",
  "archive",
  "rootfs",
  "from-file",
  "ca-file",
  "cert-file",
  "key-file",
  "key",
  "sign",
  "sign-passphrase-file",
  "require-signature",
] as const;

/** @throws UsageError if an output of the command line is, or is in, one of its inputs or what it writes otherwise. */
export async function checkOutputs(flags: Readonly<Record<string, unknown>>): Promise<void> {
  const inputs = INPUTS.flatMap(input => pathsOf(flags[input]));
  const outputs = OUTPUTS.flatMap(name => pathsOf(flags[name]));
  const lists = pathsOf(flags["failed-list"]);
  for (const output of [...outputs, ...lists]) await checkApart(output, inputs);
  for (const list of lists) for (const output of outputs) await checkListApart(list, output);
}

/** The file of `--log`: not of `serve`, whose flag of that name says how its requests are logged. */
export function logFile(command: string | undefined, flags: Readonly<Record<string, unknown>>): string | undefined {
  const log = flags["log"];
  return command === "serve" || typeof log !== "string" ? undefined : log;
}

/** @throws UsageError if the log is no file that can be appended to, one of the inputs of the command line, or in what it writes. */
export async function checkLog(log: string, flags: Readonly<Record<string, unknown>>): Promise<void> {
  if (log === "-") throw badLog(log, "found stdout or stderr");
  const other = await otherThanFile(log);
  if (other !== undefined) throw badLog(log, `found ${other}`);
  const lists = pathsOf(flags["failed-list"]);
  const use = "Choose another name for --log.";
  await checkApart(log, [...INPUTS, "base", "files"].flatMap(input => pathsOf(flags[input])).concat(lists), use);
  // The last of the files of convert is its output.
  const outputs = [...OUTPUTS, "files"].flatMap(name => pathsOf(flags[name]));
  for (const output of [...outputs, ...lists]) await checkListApart(log, output, use);
  if (flags["volume-size"] === undefined) return;
  const { checkListApartFromVolumes } = await import("../../verbs/output/volume-options.ts");
  for (const output of ["output", "files"].flatMap(name => pathsOf(flags[name]).slice(-1)))
    await checkListApartFromVolumes(log, output, use);
}

function badLog(log: string, found: string): UsageError {
  return new UsageError(`Cannot append log to ${quote(log)}: ${found}, expected a log or a new file`, {
    hint: "Name a file, such as --log run.log. For events on stderr, use --progress json.",
  });
}

function pathsOf(value: unknown): readonly string[] {
  return [value].flat().filter((path): path is string => typeof path === "string" && path !== "-");
}
