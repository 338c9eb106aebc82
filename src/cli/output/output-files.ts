import { checkApart, checkListApart } from "../../util/output-checks.ts";

/** Flags and arguments that name the archive that a command writes. */
const OUTPUTS = ["output", "repair", "report"] as const;
/** Flags and arguments that name files that a command reads. */
const INPUTS = ["archives", "archive", "rootfs", "from-file", "ca-file", "cert-file", "key-file"] as const;

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
  return command === "serve" ? undefined : pathsOf(flags["log"])[0];
}

/** @throws UsageError if the log is one of the inputs of the command line, or is in what it writes. */
export async function checkLog(log: string, flags: Readonly<Record<string, unknown>>): Promise<void> {
  const lists = pathsOf(flags["failed-list"]);
  await checkApart(log, [...INPUTS, "files"].flatMap(input => pathsOf(flags[input])).concat(lists));
  // The last of the files of convert is its output.
  const outputs = [...OUTPUTS, "files"].flatMap(name => pathsOf(flags[name]));
  for (const output of [...outputs, ...lists]) await checkListApart(log, output);
}

function pathsOf(value: unknown): readonly string[] {
  return [value].flat().filter((path): path is string => typeof path === "string" && path !== "-");
}
