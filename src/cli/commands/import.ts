import type { CommandModule } from "yargs";
import { UsageError } from "../../errors.ts";
import { formatBytes } from "../../util/format.ts";
import { type Context, printLine } from "../context.ts";
import { cacheFolder } from "../flags/cache-folder.ts";
import { checkConcurrency, registryOptions, type TransferFlags, transferFlags } from "../flags/options.ts";
import { createProgress } from "../output/progress.ts";

/** Given once it is a text, given again a list: so none of them swallows the file that follows it. */
type Texts = string | string[] | undefined;

interface ImportFlags extends TransferFlags {
  readonly rootfs?: string | undefined;
  readonly tag: string | string[];
  readonly output?: string | undefined;
  readonly entrypoint?: string | undefined;
  readonly cmd?: string | undefined;
  readonly env?: Texts;
  readonly workdir?: string | undefined;
  readonly user?: string | undefined;
  readonly expose?: Texts;
  readonly label?: Texts;
  readonly volume?: Texts;
  readonly platform?: Texts;
  readonly created?: string | undefined;
  readonly author?: string | undefined;
  readonly message?: string | undefined;
  readonly owner?: string | undefined;
  readonly format?: string | undefined;
  readonly compression?: string | undefined;
}

export function importCommand(context: Context): CommandModule<object, ImportFlags> {
  const text = (describe: string) => ({ type: "string", requiresArg: true, describe }) as const;
  return {
    command: "import <rootfs>",
    describe: "make an image of one layer from a root filesystem",
    builder: parser =>
      transferFlags(
        parser
          .positional("rootfs", { type: "string", describe: "tar, plain or compressed, or a folder" })
          .option("tag", { ...text("name of the image"), alias: "t", demandOption: true })
          .option("output", { ...text("archive to write, instead of a push"), alias: "o" })
          .option("entrypoint", text("JSON array, or a line for the shell"))
          .option("cmd", text("JSON array, or a line for the shell"))
          .option("env", text("NAME=VALUE"))
          .option("workdir", text("working directory of the container"))
          .option("user", text("USER[:GROUP]"))
          .option("expose", text("PORT[/tcp|udp|sctp]"))
          .option("label", text("KEY=VALUE"))
          .option("volume", text("path of a volume"))
          .option("platform", text("os/arch[/variant] (this machine's, under linux)"))
          .option("created", text("RFC 3339 or now (SOURCE_DATE_EPOCH, else 1970)"))
          .option("author", text("author of the image"))
          .option("message", text("comment of the layer"))
          .option("owner", {
            requiresArg: true,
            choices: ["root", "keep"],
            describe: "whom the files of a folder belong to (root)",
          })
          .option("format", { requiresArg: true, choices: ["oci", "docker"], describe: "media types (oci)" })
          .option("compression", text("of a raw layer: auto, keep, gzip or gzip:1 to gzip:12"))
          .example("$0 import rootfs.tar.gz -t registry.lan:5000/base:1.0 --cmd /bin/sh", "make an image and push it")
          .example("$0 import ./rootfs -t base:1.0 -o base.tar", "pack a folder into an archive"),
      ),
    handler: async flags => {
      const options = await registryOptions(flags);
      const progress = createProgress(context, flags, "Importing");
      const { importImage } = await import("../../index.ts");
      try {
        const result = await importImage(flags.rootfs ?? "", {
          ...options,
          ...settingsOf(flags),
          tags: listOf(flags.tag),
          output: flags.output,
          registry: flags.registry,
          defaultRegistry: process.env["IMGPACK_REGISTRY"],
          format: flags.format,
          compression: flags.compression,
          keepOwner: flags.owner === "keep",
          concurrency: checkConcurrency(flags.concurrency),
          cacheFolder: cacheFolder(),
          dryRun: flags.dryRun,
          onProgress: progress.onProgress,
          signal: context.signal,
        });
        progress.end();
        if (flags.json) return printLine(context, JSON.stringify(result));
        for (const { reference, digest } of result.images) printLine(context, `${reference}@${digest}`);
        if (flags.dryRun) return;
        const place =
          result.output === undefined ? `${formatBytes(result.bytesSent)} sent` : `written to ${result.output}`;
        progress.note(`Imported image ${result.imageId}, ${place} in ${result.seconds.toFixed(1)} s`);
      } finally {
        progress.end();
      }
    },
  };
}

function settingsOf(flags: ImportFlags) {
  const { entrypoint, cmd, workdir, user, created, author, message } = flags;
  const [platform, ...others] = listOf(flags.platform);
  if (others.length > 0) throw new UsageError("Cannot use --platform: more than one, expected one");
  return {
    entrypoint,
    cmd,
    env: listOf(flags.env),
    workdir,
    user,
    expose: listOf(flags.expose),
    labels: listOf(flags.label),
    volumes: listOf(flags.volume),
    platform,
    created,
    sourceDateEpoch: process.env["SOURCE_DATE_EPOCH"],
    author,
    message,
  };
}

function listOf(texts: Texts): string[] {
  return typeof texts === "string" ? [texts] : (texts ?? []);
}
