import type { Argv, CommandModule } from "yargs";
import type { Compression, ManifestFormat, Owner } from "../../index.ts";
import { cacheFolder } from "../../util/cache/cache-folder.ts";
import { counted, formatBytes } from "../../util/format.ts";
import { type Context, printLine } from "../context.ts";
import { registryFromFlags, WRITE_REGISTRY } from "../flags/registry-flags.ts";
import { onePlatform } from "../flags/remote-flags.ts";
import { checkConcurrency, type TransferFlags, transferFlags } from "../flags/transfer-flags.ts";
import { reportResult } from "../output/report-result.ts";
import { resultJson } from "../output/result-json.ts";
import { Progress } from "../progress/progress.ts";

interface ImportFlags extends TransferFlags {
  readonly rootfs?: string | undefined;
  readonly tag: string[];
  readonly output?: string | undefined;
  readonly entrypoint?: string | undefined;
  readonly cmd?: string | undefined;
  readonly env?: string[] | undefined;
  readonly workdir?: string | undefined;
  readonly user?: string | undefined;
  readonly expose?: string[] | undefined;
  readonly label?: string[] | undefined;
  readonly volume?: string[] | undefined;
  readonly platform?: string | undefined;
  readonly created?: string | undefined;
  readonly author?: string | undefined;
  readonly message?: string | undefined;
  readonly owner?: Owner | undefined;
  readonly format?: ManifestFormat | undefined;
  readonly compression?: string | undefined;
}

export function importCommand(context: Context): CommandModule<object, ImportFlags> {
  return {
    command: "import <rootfs>",
    describe: "make an image of one layer from a root filesystem",
    builder: parser => transferFlags(importFlags(parser), WRITE_REGISTRY),
    handler: async flags => await runImport(flags, context),
  };
}

function importFlags(parser: Argv) {
  const text = (describe: string) => ({ type: "string", requiresArg: true, describe }) as const;
  const texts = (describe: string) => ({ ...text(describe), array: true, nargs: 1 }) as const;
  return parser
    .positional("rootfs", { type: "string", describe: "tar archive, plain or compressed, or a folder" })
    .option("tag", { ...texts("name of the image"), alias: "t", demandOption: true })
    .option("output", { ...text("archive to write (default: push the image)"), alias: "o" })
    .option("entrypoint", text("entrypoint: a JSON array, or a command for /bin/sh -c (default none)"))
    .option(
      "cmd",
      text("command, or arguments of the entrypoint: a JSON array, or a command for /bin/sh -c (default none)"),
    )
    .option("env", texts("environment variable (default none)"))
    .option("workdir", text("working directory of the container (default /)"))
    .option("user", text("user of the container (default root)"))
    .option("expose", texts("port that the container listens on; the protocol is tcp, udp or sctp (default none)"))
    .option("label", texts("label of the image (default none)"))
    .option("volume", texts("path of a volume in the container (default none)"))
    .option("platform", text("platform of the image (default linux on this machine's architecture)"))
    .option("created", text("creation time: RFC 3339, or now (default $SOURCE_DATE_EPOCH, or 1970-01-01)"))
    .option("author", text("author of the image (default none)"))
    .option("message", text("comment of the layer (default none)"))
    .option("owner", {
      requiresArg: true,
      choices: ["root", "keep"] as const,
      describe: "owner of files packed from a folder (default root)",
    })
    .option("format", {
      requiresArg: true,
      choices: ["oci", "docker"] as const,
      describe: "format of manifest and config (default oci)",
    })
    .option(
      "compression",
      text(
        "compression of a raw layer: auto, keep, gzip, gzip:1 (fast), gzip:2, gzip:4 to gzip:12, zstd or zstd:1 to zstd:19 (default auto, which is gzip:2)",
      ),
    )
    .example("$0 import rootfs.tar.gz -t registry.lan:5000/base:1.0 --cmd /bin/sh", "make an image and push it")
    .example("$0 import ./rootfs -t base:1.0 -o base.tar", "pack a folder into an archive");
}

async function runImport(flags: ImportFlags, context: Context): Promise<void> {
  const registry = await registryFromFlags(flags, context.signal);
  const progress = new Progress(context, flags, "Importing");
  const { importImage } = await import("../../verbs/import/import-image.ts");
  try {
    const options = {
      ...settingsOf(flags),
      tag: flags.tag,
      output: flags.output,
      registry,
      format: flags.format,
      compression: flags.compression as Compression | undefined,
      owner: flags.owner,
      concurrency: checkConcurrency(flags.concurrency),
      cacheDir: cacheFolder(),
      dryRun: flags.dryRun,
      onProgress: progress.onProgress,
      signal: context.signal,
    };
    await reportResult(
      flags,
      async () => await importImage(flags.rootfs ?? "", options),
      result => {
        progress.end();
        if (flags.json) return printLine(context, resultJson("import", result));
        const { images, output, bytesSent, imageId, seconds } = result;
        for (const { reference, digest } of images) printLine(context, `${reference}@${digest}`);
        if (flags.dryRun) {
          const done = output === undefined ? "sent" : "written";
          const tags = counted(images.length, "tag");
          return progress.note(`A run makes image ${imageId} of one layer, under ${tags}: nothing was ${done}`);
        }
        const done = output === undefined ? `${formatBytes(bytesSent)} sent` : `written to ${output}`;
        progress.note(`Imported image ${imageId}, ${done} in ${seconds.toFixed(1)} s`);
      },
      context.log,
    );
  } finally {
    progress.end();
  }
}

function settingsOf(flags: ImportFlags) {
  const { entrypoint, cmd, env, workdir, user, expose, label, volume, created, author, message } = flags;
  const platform = onePlatform(flags.platform);
  const sourceDateEpoch = process.env["SOURCE_DATE_EPOCH"];
  return {
    entrypoint,
    cmd,
    env,
    workdir,
    user,
    expose,
    label,
    volume,
    platform,
    created,
    sourceDateEpoch,
    author,
    message,
  };
}
