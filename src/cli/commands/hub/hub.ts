import type { CommandModule } from "yargs";
import { UsageError } from "../../../errors.ts";
import { alternatives, quote } from "../../../util/format.ts";
import type { Context } from "../../context.ts";
import { HUB_COMMAND_NAMES } from "../../output/render-error.ts";
import { hubAuthCommand } from "./auth.ts";
import { hubImagesCommand } from "./images.ts";
import { hubLoginCommand } from "./login.ts";
import { hubRepoCommand } from "./repo.ts";
import { hubSearchCommand } from "./search.ts";
import { hubTokenCommand } from "./token.ts";
import { hubUserCommand } from "./user.ts";

/** The commands of the index of the v1 protocol. They have words of their own, which yargs reads. */
export function hubCommand(context: Context): CommandModule {
  const commands = [
    hubLoginCommand(context),
    hubUserCommand(context),
    hubRepoCommand(context),
    hubImagesCommand(context),
    hubTokenCommand(context),
    hubAuthCommand(context),
    hubSearchCommand(context),
  ];
  return {
    command: "hub [action]",
    describe: "use an index of the v1 protocol, as Docker Hub was until 2015",
    builder: parser => parser.command([...commands]),
    handler: ({ action }) => {
      const found = action === undefined ? "no command named" : `unknown command ${quote(String(action))}`;
      throw new UsageError(`Cannot run hub: ${found}, expected ${alternatives(HUB_COMMAND_NAMES)}`);
    },
  };
}
