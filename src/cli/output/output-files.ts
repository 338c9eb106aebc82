import type { Stats } from "node:fs";
import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { stat } from "../../util/read-disk.ts";

/** Flags and arguments that name what a command writes. */
const OUTPUTS = ["output", "repair", "failed-list"] as const;
/** Flags and arguments that name files that a command reads. */
const INPUTS = ["archives", "archive", "input", "rootfs", "from-file", "ca-file", "cert-file", "key-file"] as const;

/** @throws UsageError if an output of the command line is one of its inputs, also by another name or through a link. */
export async function checkOutputs(flags: Readonly<Record<string, unknown>>): Promise<void> {
  for (const name of OUTPUTS) {
    const inputs = INPUTS.flatMap(input => pathsOf(flags[input]));
    for (const output of pathsOf(flags[name])) await checkOutput(output, inputs);
  }
}

/** @throws UsageError if the output is one of the inputs. */
export async function checkOutput(output: string, inputs: readonly string[]): Promise<void> {
  const written = await found(output);
  if (written === undefined) return;
  for (const input of inputs) {
    const read = await found(input);
    if (read?.ino !== written.ino || read.dev !== written.dev) continue;
    throw new UsageError(`Cannot write ${quote(output)}: it is the input ${quote(input)}, expected another file`, {
      hint: "Choose another output name.",
    });
  }
}

function pathsOf(value: unknown): readonly string[] {
  return [value].flat().filter((path): path is string => typeof path === "string" && path !== "-");
}

/** Devices may be both. */
async function found(path: string): Promise<Stats | undefined> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() === true || stats?.isDirectory() === true ? stats : undefined;
}
