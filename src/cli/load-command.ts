import type { CommandModule } from "yargs";
import type { Context } from "./context.ts";

/** The commands, in the order of the help. */
export const COMMAND_NAMES = [
  "push",
  "pull",
  "copy",
  "convert",
  "import",
  "inspect",
  "verify",
  "doctor",
  "tags",
  "latest",
  "catalog",
  "exists",
  "digest",
  "manifest",
  "config",
  "blob",
  "referrers",
  "ping",
  "tag",
  "delete",
  "login",
  "logout",
  "serve",
  "lock",
  "mirrors",
  "hub",
  "completion",
  "help",
] as const;

export type CommandName = (typeof COMMAND_NAMES)[number];

/** How each command is loaded. A command line loads its own command alone. */
const COMMANDS: Readonly<Record<CommandName, (context: Context) => Promise<CommandModule>>> = {
  push: async context => own((await import("./commands/push.ts")).pushCommand(context)),
  pull: async context => own((await import("./commands/pull.ts")).pullCommand(context)),
  copy: async context => own((await import("./commands/copy.ts")).copyCommand(context)),
  convert: async context => own((await import("./commands/convert.ts")).convertCommand(context)),
  import: async context => own((await import("./commands/import.ts")).importCommand(context)),
  inspect: async context => own((await import("./commands/inspect.ts")).inspectCommand(context)),
  verify: async context => own((await import("./commands/verify.ts")).verifyCommand(context)),
  doctor: async context => own((await import("./commands/doctor.ts")).doctorCommand(context)),
  tags: async context => own((await import("./commands/query/tags.ts")).tagsCommand(context)),
  latest: async context => own((await import("./commands/query/latest.ts")).latestCommand(context)),
  catalog: async context => own((await import("./commands/query/catalog.ts")).catalogCommand(context)),
  exists: async context => own((await import("./commands/query/exists.ts")).existsCommand(context)),
  digest: async context => own((await import("./commands/query/digest.ts")).digestCommand(context)),
  manifest: async context => own((await import("./commands/query/manifest.ts")).manifestCommand(context)),
  config: async context => own((await import("./commands/query/config.ts")).configCommand(context)),
  blob: async context => own((await import("./commands/query/blob.ts")).blobCommand(context)),
  referrers: async context => own((await import("./commands/query/referrers.ts")).referrersCommand(context)),
  ping: async context => own((await import("./commands/query/ping.ts")).pingCommand(context)),
  tag: async context => own((await import("./commands/tag.ts")).tagCommand(context)),
  delete: async context => own((await import("./commands/delete.ts")).deleteCommand(context)),
  login: async context => own((await import("./commands/login.ts")).loginCommand(context)),
  logout: async context => own((await import("./commands/logout.ts")).logoutCommand(context)),
  serve: async context => own((await import("./commands/serve.ts")).serveCommand(context)),
  lock: async context => own((await import("./commands/lock.ts")).lockCommand(context)),
  mirrors: async context => own((await import("./commands/mirrors.ts")).mirrorsCommand(context)),
  hub: async context => own((await import("./commands/hub/hub.ts")).hubCommand(context)),
  completion: async context => own((await import("./completion/completion.ts")).completionCommand(context)),
  help: async () => own((await import("./commands/help.ts")).helpCommand()),
};

export async function loadCommand(name: CommandName, context: Context): Promise<CommandModule> {
  return await COMMANDS[name](context);
}

export async function loadCommands(context: Context): Promise<readonly CommandModule[]> {
  return await Promise.all(COMMAND_NAMES.map(async name => await loadCommand(name, context)));
}

/** The flags that a handler takes are those that its own builder defines, which no type can say of all commands at once. */
function own<T>(command: CommandModule<object, T>): CommandModule {
  return command as unknown as CommandModule;
}
