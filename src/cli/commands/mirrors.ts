import { resolve } from "node:path";
import type { Argv, CommandModule } from "yargs";
import { UsageError } from "../../errors.ts";
import type { MirrorRuntime, MirrorsResult } from "../../index.ts";
import { alternatives, counted, escapeForeign, quote } from "../../util/format.ts";
import { type Context, printLine } from "../context.ts";
import { fromFileFlag, guessFlag, type ListFlags } from "../flags/list-flags.ts";
import { type MappingFlags, mappingFlags } from "../flags/mapping-flags.ts";
import { type OutputFlags, outputFlags } from "../flags/output-flags.ts";
import { checkStdinUses } from "../flags/stdin-input.ts";
import { reportResult } from "../output/report-result.ts";
import { resultJson } from "../output/result-json.ts";
import { Progress } from "../progress/progress.ts";

interface MirrorsFlags extends ListFlags, MappingFlags, OutputFlags {
  readonly files?: string[] | undefined;
  readonly to?: string | undefined;
  readonly for?: string[] | undefined;
  readonly output?: string | undefined;
  readonly plainHttp?: boolean | undefined;
  readonly insecure?: boolean | undefined;
  readonly caFile?: string | undefined;
  readonly dryRun?: boolean | undefined;
}

export function mirrorsCommand(context: Context): CommandModule<object, MirrorsFlags> {
  return {
    command: "mirrors [files..]",
    describe: "write the files that let runtimes pull from a mirror",
    builder: parser => outputFlags(guessFlag(fromFileFlag(mappingFlags(mirrorsFlags(parser)), "files"))),
    handler: async flags => await runMirrors(flags, context),
  };
}

function mirrorsFlags(parser: Argv) {
  return parser
    .positional("files", { type: "string", array: true, describe: "archives, volumes, folders, locks or lists" })
    .option("to", {
      type: "string",
      requiresArg: true,
      demandOption: true,
      describe: "registry and prefix below which the images are, as for push",
    })
    .option("for", {
      type: "string",
      array: true,
      requiresArg: true,
      nargs: 1,
      demandOption: true,
      describe: "what to write files for: containerd, k3s, podman, docker, openshift, kustomize or compose",
    })
    .option("output", {
      alias: "o",
      type: "string",
      requiresArg: true,
      describe: "folder to write to, whose files are kept or merged (default none, for --dry-run)",
    })
    .option("plain-http", {
      type: "boolean",
      describe: "the mirror has no TLS (default for loopback addresses only)",
    })
    .option("insecure", { type: "boolean", describe: "runtimes accept any certificate of the mirror" })
    .option("ca-file", {
      type: "string",
      requiresArg: true,
      describe: "path of the mirror's CA on the machines that pull (default: their own)",
    })
    .option("dry-run", { type: "boolean", describe: "print what would be written, and write nothing" })
    .example("$0 mirrors site.tar --to registry.lan --for containerd -o /etc/containerd/certs.d", "for one machine")
    .example("$0 mirrors -f app.yaml --to registry.lan:5000 --for k3s --dry-run", "see what would be written");
}

async function runMirrors(flags: MirrorsFlags, context: Context): Promise<void> {
  const { output, dryRun, to = "", plainHttp, insecure, caFile, layout, map, guess } = flags;
  const inputs = [...(flags.files ?? []), ...(flags.fromFile ?? [])];
  if (inputs.length === 0) throw new UsageError("Cannot run mirrors: no input given, expected at least one");
  if (output === undefined && dryRun !== true) {
    throw new UsageError("Cannot run mirrors: no -o given, expected a folder to write to", {
      hint: "See what would be written with --dry-run.",
    });
  }
  checkStdinUses(inputs.map(input => input === "-"));
  const progress = new Progress(context, flags, "Reading");
  const { mirrors } = await import("../../verbs/mirrors/mirrors.ts");
  const { MIRROR_RUNTIMES } = await import("../../verbs/mirrors/mirrors-options.ts");
  const runtimes = (flags.for ?? []).map((text): MirrorRuntime => {
    const runtime = MIRROR_RUNTIMES.find(known => known === text);
    if (runtime !== undefined) return runtime;
    throw new UsageError(`Cannot use --for: found ${quote(text)}, expected ${alternatives(MIRROR_RUNTIMES)}`);
  });
  try {
    await reportResult(
      flags,
      async () =>
        await mirrors(inputs, {
          to,
          for: runtimes,
          output,
          layout,
          map,
          guess,
          dryRun,
          // A path of the machines that pull, which may be this one.
          tls: { plainHttp, insecure, caFile: caFile === undefined ? undefined : resolve(caFile) },
          signal: context.signal,
        }),
      result => {
        progress.end();
        if (flags.json) return printLine(context, resultJson("mirrors", result));
        printFiles(context, result);
        for (const note of result.notes) progress.note(note);
        if (result.dryRun) progress.note(`A run writes ${counted(result.files.length, "file")}: nothing was written`);
      },
      context.log,
    );
  } finally {
    progress.end();
  }
}

/** Paths with what happened to them; of a dry run also the text. */
function printFiles(context: Context, { files, dryRun }: MirrorsResult): void {
  for (const { path, text, state } of files) {
    printLine(context, dryRun ? `# ${escapeForeign(path)} (${state})` : `${state} ${escapeForeign(path)}`);
    if (dryRun) printLine(context, escapeLines(text.trimEnd()));
  }
}

/** A file that is merged is foreign text. */
function escapeLines(text: string): string {
  return text
    .split("\n")
    .map(line => escapeForeign(line.replaceAll("\t", "  "), Number.POSITIVE_INFINITY))
    .join("\n");
}
