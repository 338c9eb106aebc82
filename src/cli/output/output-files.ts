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

function pathsOf(value: unknown): readonly string[] {
  return [value].flat().filter((path): path is string => typeof path === "string" && path !== "-");
}
