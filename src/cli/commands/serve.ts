import type { CommandModule } from "yargs";
import { UsageError } from "../../errors.ts";
import type { ServeEvent } from "../../index.ts";
import { escapeForeign, quote } from "../../util/format.ts";
import { type Context, printLine } from "../context.ts";
import { MAX_NOTE } from "../output/note-text.ts";

interface ServeFlags {
  readonly store: string;
  readonly listen?: string | undefined;
  readonly allowHost?: string | readonly string[] | undefined;
}

const LISTEN = "127.0.0.1:5000";

export function serveCommand(context: Context): CommandModule<object, ServeFlags> {
  return {
    command: "serve",
    describe: "run a registry on this machine that stores its blobs in a folder",
    builder: parser =>
      parser
        .option("store", {
          type: "string",
          demandOption: true,
          requiresArg: true,
          describe: "folder of the registry, created if it is missing",
        })
        .option("listen", {
          type: "string",
          requiresArg: true,
          describe: `HOST:PORT to listen on; port 0 picks a free one (default ${LISTEN})`,
        })
        .option("allow-host", {
          type: "string",
          array: true,
          requiresArg: true,
          describe: "name that clients use for this registry, in addition to localhost; repeatable (default none)",
        }),
    handler: async ({ store, listen = LISTEN, allowHost }) => {
      const { host, port } = parseListen(listen);
      const { serveRegistry: serve } = await import("../../serve/server.ts");
      const onEvent = (event: ServeEvent): void => printEvent(context, event);
      const registry = await serve({ store, host, port, allowHost, signal: context.signal, onEvent });
      if (registry.isOpenToNetwork) {
        const { address } = registry;
        context.stderr.write(`${address.host} is open to the network: everyone who can reach it can read and write\n`);
      }
      printLine(context, registry.url);
      await registry.closed;
    },
  };
}

/** The server continues; what it answers with status 500 or 404 is explained here. */
function printEvent({ stderr }: Context, event: ServeEvent): void {
  if (event.kind === "note") stderr.write(`${event.message}\n`);
  if (event.kind === "damage") {
    const { path, found } = event;
    stderr.write(`${quote(path)} is damaged (${escapeForeign(found, MAX_NOTE)}): push what it belongs to again\n`);
  }
  if (event.kind === "fault") {
    const { method, path, error } = event;
    stderr.write(`${escapeForeign(`${method} ${path} failed: ${String(error)}`, MAX_NOTE)}\n`);
  }
}

function parseListen(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:(\[[0-9a-fA-F:]+\]|[^:]*):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65535) {
    throw new UsageError(`Cannot listen on ${quote(text)}: malformed, expected HOST:PORT, such as ${LISTEN}`);
  }
  return { host: (match[1] || "127.0.0.1").replace(/^\[|\]$/g, ""), port };
}
