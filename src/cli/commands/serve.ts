import type { CommandModule } from "yargs";
import { UsageError } from "../../errors.ts";
import { type Context, printLine } from "../context.ts";

interface ServeFlags {
  readonly store: string;
  readonly listen: string;
}

export function serveCommand(context: Context): CommandModule<object, ServeFlags> {
  return {
    command: "serve",
    describe: "run a registry on this machine, its blobs in a folder",
    builder: parser =>
      parser
        .option("store", { type: "string", demandOption: true, requiresArg: true, describe: "folder of the registry" })
        .option("listen", {
          type: "string",
          default: "127.0.0.1:5000",
          requiresArg: true,
          describe: "HOST:PORT; port 0 picks a free one",
        }),
    handler: async ({ store, listen }) => {
      const { host, port } = parseListen(listen);
      const { serve } = await import("../../index.ts");
      await using registry = await serve({ store, host, port, signal: context.signal });
      printLine(context, registry.url);
      await new Promise<void>(resolve => context.signal.addEventListener("abort", () => resolve(), { once: true }));
    },
  };
}

function parseListen(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:(\[[0-9a-fA-F:]+\]|[^:]*):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65535) {
    throw new UsageError(`Cannot listen on ${JSON.stringify(text)}: expected HOST:PORT, such as 127.0.0.1:5000`);
  }
  return { host: (match[1] || "127.0.0.1").replace(/^\[|\]$/g, ""), port };
}
