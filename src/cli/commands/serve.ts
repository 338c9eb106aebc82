import type { CommandModule } from "yargs";
import { UsageError } from "../../errors.ts";
import type { RunningRegistry, ServeEvent, ServeOptions } from "../../index.ts";
import { type Context, printLine, SERVE_DRAIN_MS } from "../context.ts";
import { keyPairFromFlags } from "../flags/connection-flags.ts";
import { readFlagFile } from "../flags/flag-file.ts";
import { LOG_STYLES, type LogOptions, serveLine } from "./serving/serve-lines.ts";
import { runSweep } from "./serving/sweep.ts";

interface ServeFlags {
  readonly archives?: readonly string[] | undefined;
  readonly store?: string | undefined;
  readonly listen?: string | readonly string[] | undefined;
  readonly allowHost?: string | readonly string[] | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly htpasswd?: string | undefined;
  readonly log?: string | undefined;
  readonly gc?: boolean | undefined;
  readonly yes?: boolean | undefined;
  readonly json?: boolean | undefined;
}

const LISTEN = "127.0.0.1:5000";

export function serveCommand(context: Context): CommandModule<object, ServeFlags> {
  return {
    command: "serve [archives..]",
    describe: "run a registry on this machine, from archives or a folder",
    builder: parser =>
      parser
        .positional("archives", {
          type: "string",
          array: true,
          describe: "archives, folders, volumes, deltas, bases, patches; all of them are one source",
        })
        .option("store", {
          type: "string",
          requiresArg: true,
          describe: "folder of a registry that can be written to, created if it is missing (default none: archives)",
        })
        .option("listen", {
          type: "string",
          array: true,
          requiresArg: true,
          nargs: 1,
          describe: `address to listen on; port 0 picks a free one (default ${LISTEN})`,
        })
        .option("allow-host", {
          type: "string",
          array: true,
          requiresArg: true,
          nargs: 1,
          describe: "name that clients use for this registry, in addition to localhost (default none)",
        })
        .option("cert-file", {
          type: "string",
          requiresArg: true,
          describe: "PEM file of the server's certificate, followed by its chain: speak TLS (default plain HTTP)",
        })
        .option("key-file", {
          type: "string",
          requiresArg: true,
          describe: "PEM file of the certificate's key (default none; IMGPACK_KEY_PASSPHRASE opens an encrypted one)",
        })
        .option("htpasswd", {
          type: "string",
          requiresArg: true,
          describe: "file of users, written by htpasswd -B: ask for a login (default none)",
        })
        .option("log", {
          requiresArg: true,
          choices: LOG_STYLES,
          describe: "style of the line on stderr for each request (default text)",
        })
        .option("gc", {
          type: "boolean",
          describe: "serve nothing: show the blobs of --store that no manifest needs",
        })
        .option("yes", { type: "boolean", describe: "with --gc, remove these blobs" })
        .option("json", { type: "boolean", describe: "with --gc, print the result as one JSON object on stdout" })
        .example("$0 serve site.tar", "the images of an archive")
        .example("$0 serve --store registry/ --listen 0.0.0.0:5000", "a registry that others can push to")
        .example("$0 serve --store registry/ --gc", "which blobs could be removed"),
    handler: async flags => {
      checkSweepFlags(flags);
      if (flags.gc) return await runSweep(flags, context);
      const { store, listen = LISTEN, allowHost } = flags;
      const { signal } = context;
      const tls = await keyPairFromFlags(flags, signal);
      const accounts = flags.htpasswd;
      const htpasswd =
        accounts === undefined ? undefined : await readFlagFile("--htpasswd", accounts, "lines USER:HASH", signal);
      const { serveRegistry: serve } = await import("../../serve/server.ts");
      const style = LOG_STYLES.find(name => name === flags.log) ?? "text";
      const log = { style, isReadOnly: store === undefined };
      const onEvent = (event: ServeEvent): void => {
        const isAtEnd = event.kind === "note" && signal.aborted;
        const note = isAtEnd ? { ...event, message: `${event.message}; Ctrl-C ends them at once` } : event;
        printEvent(context, note, log);
      };
      const drainMs = SERVE_DRAIN_MS;
      const registry = await serve({ ...sourceOf(flags), listen, allowHost, tls, htpasswd, signal, drainMs, onEvent });
      const warning = openWarning(registry, {
        isReadOnly: log.isReadOnly,
        hasLogin: htpasswd !== undefined,
        hasTls: tls !== undefined,
      });
      if (warning !== undefined) onEvent({ kind: "note", message: warning });
      for (const url of registry.urls) printLine(context, url);
      await registry.closed;
    },
  };
}

/** @throws UsageError for flags of a server next to `--gc`, and the other way round. */
function checkSweepFlags({ gc, yes, json, store: _, ...others }: ServeFlags): void {
  if (gc !== true && (yes || json)) {
    throw new UsageError(`Cannot use --${yes ? "yes" : "json"}: no --gc given, expected both`);
  }
  const { archives = [], listen, allowHost, certFile, keyFile, htpasswd, log } = others;
  const given = [listen, allowHost, certFile, keyFile, htpasswd, log].some(value => value !== undefined);
  if (gc && (given || archives.length > 0)) {
    throw new UsageError("Cannot use --gc: flags or files for serving given, expected --store alone");
  }
}

function printEvent({ stderr }: Context, event: ServeEvent, options: LogOptions): void {
  const line = serveLine(event, options, new Date());
  if (line !== undefined) stderr.write(`${line}\n`);
}

function sourceOf({ archives = [], store }: ServeFlags): Pick<ServeOptions, "archives" | "store"> {
  return { ...(archives.length === 0 ? {} : { archives }), store };
}

function openWarning(
  { openUrls }: RunningRegistry,
  {
    isReadOnly,
    hasLogin,
    hasTls,
  }: { readonly isReadOnly: boolean; readonly hasLogin: boolean; readonly hasTls: boolean },
): string | undefined {
  if (openUrls.length === 0) return undefined;
  const what = `${openUrls.join(" and ")} ${openUrls.length === 1 ? "is" : "are"} open to the network`;
  if (!hasLogin)
    return `${what}: everyone who can reach it can ${isReadOnly ? "read" : "read and write"}; --htpasswd asks for a login`;
  if (!hasTls) return `${what}: without --cert-file, everyone on the way can read passwords and change images`;
  return undefined;
}
