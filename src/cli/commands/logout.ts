import type { CommandModule } from "yargs";
import { escapeForeign } from "../../util/format.ts";
import { type Context, printLine } from "../context.ts";
import { type OutputFlags, outputFlags } from "../flags/output-flags.ts";
import { MAX_NOTE } from "../output/note-text.ts";
import { resultJson } from "../output/result-json.ts";

interface LogoutFlags extends OutputFlags {
  readonly host?: string | undefined;
}

export function logoutCommand(context: Context): CommandModule<object, LogoutFlags> {
  return {
    command: "logout <host>",
    describe: "remove the stored credentials of a registry",
    builder: parser =>
      outputFlags(
        parser
          .positional("host", { type: "string", describe: "registry HOST[:PORT], docker.io for Docker Hub" })
          .example("$0 logout registry.lan:5000", "a registry")
          .example("$0 logout docker.io", "Docker Hub"),
      ),
    handler: async flags => {
      const host = flags.host ?? "";
      const { logout } = await import("../../verbs/logout.ts");
      const result = await logout(host, { signal: context.signal });
      if (flags.json) return printLine(context, resultJson("logout", result));
      if (result.remainsIn !== undefined && !flags.quiet) {
        const file = escapeForeign(result.remainsIn, MAX_NOTE);
        context.stderr.write(`Credentials for ${host} remain in ${file}: remove them there\n`);
      }
      printLine(context, result.isErased ? `Logged out of ${host}` : `Not logged in to ${host}: nothing to remove`);
    },
  };
}
