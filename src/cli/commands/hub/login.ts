import type { CommandModule } from "yargs";
import type { Context } from "../../context.ts";
import { loginFlags, readLogin, reportLogin } from "../login.ts";
import { type HubFlags, hubOptions, INDEX, indexFlags } from "./hub-flags.ts";

interface HubLoginFlags extends HubFlags {
  readonly host?: string | undefined;
}

export function hubLoginCommand(context: Context): CommandModule<object, HubLoginFlags> {
  return {
    command: "login [host]",
    describe: "log in to an index, and store the credentials where docker does",
    builder: parser =>
      indexFlags(
        loginFlags(parser)
          .positional("host", { type: "string", describe: INDEX })
          .example("$0 hub login v1://hub.lan", "asks for user name and password")
          .example("$0 hub login v1://hub.lan -u ada --password-stdin < password.txt", "in a script"),
      ),
    handler: async flags => {
      const { username: _, passwordStdin: __, ...connection } = flags;
      const { indexName } = await import("../../../verbs/v1/hub/hub-connection.ts");
      const { hubLogin } = await import("../../../verbs/v1/hub/hub-login.ts");
      const name = indexName(flags.host);
      const login = await readLogin(name, flags, context);
      const options = await hubOptions(connection, context);
      reportLogin(name, await hubLogin(flags.host, { ...options, ...login }), flags, context);
    },
  };
}
